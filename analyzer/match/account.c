// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void account_init(struct account_table *tab)
{
	*tab = (struct account_table){ .cap = 1024, .nr_slots = 2048, .secret = hash_secret() };
	tab->account = xcalloc(tab->cap, sizeof(*tab->account));
	tab->doubt = xcalloc(tab->cap, sizeof(*tab->doubt));
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
}

void account_deinit(struct account_table *tab)
{
	free(tab->account);
	free(tab->doubt);
	free(tab->slot);
	*tab = (struct account_table){ 0 };
}

static size_t seek(const struct account_table *tab, struct account_key key)
{
	uint64_t h = hash_of(tab->secret, hash_of(tab->secret, key.who) ^ key.how);
	size_t i = hash_word(tab->secret, h ^ key.rest) & (tab->nr_slots - 1);

	while (tab->slot[i] && !account_is(&tab->account[tab->slot[i] - 1], key))
		i = (i + 1) & (tab->nr_slots - 1);
	return i;
}

static struct account_key key_of(const struct account *a)
{
	return (struct account_key){ a->who, a->how, a->rest };
}

/* Of most accounts nothing is in doubt, and what was never written takes no memory. */
static void copy_doubt(struct account_doubt *to, const struct account_doubt *from)
{
	if (memcmp(to, from, sizeof(*to)))
		*to = *from;
}

static void grow(struct account_table *tab)
{
	struct account_doubt *doubt = xcalloc(tab->cap * 2, sizeof(*doubt));

	for (size_t n = 0; n < tab->nr; n++)
		copy_doubt(&doubt[n], &tab->doubt[n]);
	free(tab->doubt);
	tab->doubt = doubt;
	tab->account = xreallocarray(tab->account, tab->cap * 2, sizeof(*tab->account));
	tab->cap *= 2;

	free(tab->slot);
	tab->nr_slots *= 2;
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	for (size_t n = tab->first; n < tab->nr; n++)
		tab->slot[seek(tab, key_of(&tab->account[n]))] = (uint32_t)n + 1;
}

static uint32_t add(struct account_table *tab, size_t slot, struct account_key key)
{
	uint32_t ret = (uint32_t)tab->nr++;

	tab->slot[slot] = ret + 1;
	tab->account[ret] =
		(struct account){ .who = key.who, .how = key.how, .rest = key.rest };
	tab->nr_merged[account_merged(&tab->account[ret])]++;
	if (tab->nr == tab->cap)
		grow(tab);
	return ret;
}

uint32_t account_get(struct account_table *tab, struct account_key key)
{
	size_t i = seek(tab, key);

	if (tab->slot[i])
		return tab->slot[i] - 1;
	if (tab->nr_merged[ACCOUNT_WHOLE] < ACCOUNT_MAX)
		return add(tab, i, key);
	key.who = (uint32_t)key.who;
	key.rest |= (uint32_t)ACCOUNT_TASKS << 24;
	i = seek(tab, key);
	if (!tab->slot[i] && tab->nr_merged[ACCOUNT_TASKS] >= ACCOUNT_MAX) {
		key = (struct account_key){ key.who, 0, (uint32_t)ACCOUNT_ALL << 24 };
		i = seek(tab, key);
	}
	return tab->slot[i] ? tab->slot[i] - 1 : add(tab, i, key);
}

void account_window(struct account_table *tab)
{
	memset(tab->slot, 0, tab->nr_slots * sizeof(*tab->slot));
	memset(tab->nr_merged, 0, sizeof(tab->nr_merged));
	memset(tab->doubt, 0, tab->nr * sizeof(*tab->doubt));
	for (size_t i = 0; i < tab->nr; i++)
		tab->account[i] = (struct account){ .who = tab->account[i].who,
						    .how = tab->account[i].how,
						    .rest = tab->account[i].rest };
	tab->first = (uint32_t)tab->nr;
}

void account_close(struct account_table *tab, const uint32_t *to)
{
	size_t nr = 0;

	for (size_t n = 0; n < tab->nr; n++) {
		if (to[account_site(&tab->account[n])] == UINT32_MAX ||
		    (!tab->account[n].allocs && !tab->account[n].failures))
			continue;
		tab->account[nr] = tab->account[n];
		tab->account[nr].who =
			to[account_site(&tab->account[n])] | tab->account[n].who >> 32 << 32;
		copy_doubt(&tab->doubt[nr++], &tab->doubt[n]);
	}
	tab->nr = nr;
}
