// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/account.h"

#include <stdlib.h>

#include "base/xalloc.h"

void account_init(struct account_table *tab)
{
	*tab = (struct account_table){ .cap = 1024,
				       .nr_slots = 4096,
				       .secret = table_secret() };
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

static size_t home(const struct account_table *tab, const struct account *a)
{
	uint64_t who = (uint64_t)a->site << 32 | (uint32_t)a->pid;
	uint64_t how =
		(uint64_t)a->gfp_flags | (uint64_t)a->cpu << 32 | (uint64_t)a->cache << 48;
	uint64_t rest = (uint64_t)a->order | (uint64_t)a->migratetype << 8 |
			(uint64_t)a->context << 16 | (uint64_t)a->merged << 24;

	/* Odd factors: what differs in one of the three differs in the sum. */
	return (size_t)(table_hash(tab->secret, who ^ (how + rest * 0x9fb21c651e98df25) *
								0xd6e8feb86659fd93) >>
			32) &
	       (tab->nr_slots - 1);
}

static bool equal(const struct account *a, const struct account *b)
{
	return a->site == b->site && a->pid == b->pid && a->gfp_flags == b->gfp_flags &&
	       a->cpu == b->cpu && a->cache == b->cache && a->order == b->order &&
	       a->migratetype == b->migratetype && a->context == b->context &&
	       a->merged == b->merged;
}

static size_t seek(const struct account_table *tab, const struct account *a)
{
	size_t i = home(tab, a);

	while (tab->slot[i] && !equal(&tab->account[tab->slot[i] - 1], a))
		i = (i + 1) & (tab->nr_slots - 1);
	return i;
}

static void grow(struct account_table *tab)
{
	tab->account = xreallocarray(tab->account, tab->cap * 2, sizeof(*tab->account));
	tab->doubt = xreallocarray(tab->doubt, tab->cap * 2, sizeof(*tab->doubt));
	tab->cap *= 2;

	free(tab->slot);
	tab->nr_slots *= 2;
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	for (size_t n = 0; n < tab->nr; n++)
		tab->slot[seek(tab, &tab->account[n])] = (uint32_t)n + 1;
}

static uint32_t add(struct account_table *tab, size_t slot, const struct account *key)
{
	uint32_t ret = (uint32_t)tab->nr++;

	tab->slot[slot] = ret + 1;
	tab->account[ret] = *key;
	tab->doubt[ret] = (struct account_doubt){ 0 };
	tab->nr_merged[key->merged]++;
	if (tab->nr == tab->cap)
		grow(tab);
	return ret;
}

uint32_t account_get(struct account_table *tab, uint32_t site, const struct event *ev)
{
	struct account key = {
		.site = site,
		.pid = ev->pid,
		.gfp_flags = ev->gfp_flags,
		.cpu = ev->cpu,
		.cache = ev->cache,
		.order = ev->order,
		.migratetype = ev->migratetype,
		.context = ev->context,
	};
	size_t i = seek(tab, &key);

	if (tab->slot[i])
		return tab->slot[i] - 1;
	if (tab->nr_merged[ACCOUNT_WHOLE] < ACCOUNT_MAX)
		return add(tab, i, &key);
	key.pid = 0;
	key.merged = ACCOUNT_TASKS;
	i = seek(tab, &key);
	if (!tab->slot[i] && tab->nr_merged[ACCOUNT_TASKS] >= ACCOUNT_MAX) {
		key = (struct account){ .site = site, .merged = ACCOUNT_ALL };
		i = seek(tab, &key);
	}
	return tab->slot[i] ? tab->slot[i] - 1 : add(tab, i, &key);
}

void account_close(struct account_table *tab, const uint32_t *to)
{
	size_t nr = 0;

	for (size_t n = 0; n < tab->nr; n++) {
		if (!tab->account[n].allocs && !tab->account[n].failures)
			continue;
		tab->account[nr] = tab->account[n];
		tab->account[nr].site = to[tab->account[n].site];
		tab->doubt[nr++] = tab->doubt[n];
	}
	tab->nr = nr;
}
