// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/sitetab.h"

#include <stdlib.h>

#include "base/xalloc.h"

void sitetab_init(struct sitetab *tab)
{
	*tab = (struct sitetab){ .cap = 1024, .nr_slots = 2048, .secret = table_secret() };
	tab->site = xcalloc(tab->cap, sizeof(*tab->site));
	tab->flags = xcalloc(tab->cap, sizeof(*tab->flags));
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	tab->last_burst = xcalloc(tab->cap, sizeof(*tab->last_burst));
	tab->burst = 1;
	account_init(&tab->accounts);
}

void sitetab_deinit(struct sitetab *tab)
{
	account_deinit(&tab->accounts);
	free(tab->site);
	free(tab->flags);
	free(tab->last_burst);
	free(tab->slot);
	*tab = (struct sitetab){ 0 };
}

static size_t home(const struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		   uint32_t stack, bool self)
{
	uint64_t h =
		table_hash(tab->secret, call_site ^ (uint64_t)stack << 32 ^
						(uint64_t)kind << 60 ^ (uint64_t)self << 59);

	return (size_t)(h >> 32) & (tab->nr_slots - 1);
}

static void grow(struct sitetab *tab)
{
	tab->site = xreallocarray(tab->site, tab->cap * 2, sizeof(*tab->site));
	tab->flags = xreallocarray(tab->flags, tab->cap * 2, sizeof(*tab->flags));
	tab->last_burst =
		xreallocarray(tab->last_burst, tab->cap * 2, sizeof(*tab->last_burst));
	tab->cap *= 2;

	free(tab->slot);
	tab->nr_slots *= 2;
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	for (size_t n = 0; n < tab->nr; n++) {
		const struct site *s = &tab->site[n];
		size_t i = home(tab, s->kind, s->call_site, s->stack, s->self);

		while (tab->slot[i])
			i = (i + 1) & (tab->nr_slots - 1);
		tab->slot[i] = (uint32_t)n + 1;
	}
}

uint32_t sitetab_get(struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		     uint32_t stack)
{
	size_t i = home(tab, kind, call_site, stack, tab->self);

	for (; tab->slot[i]; i = (i + 1) & (tab->nr_slots - 1)) {
		const struct site *s = &tab->site[tab->slot[i] - 1];

		if (s->call_site == call_site && s->stack == stack && s->kind == kind &&
		    s->self == tab->self)
			return tab->slot[i] - 1;
	}
	uint32_t ret = (uint32_t)tab->nr++;

	tab->slot[i] = ret + 1;
	tab->site[ret] = (struct site){
		.kind = kind,
		.call_site = call_site,
		.stack = stack,
		.self = tab->self,
	};
	tab->flags[ret] = 0;
	tab->last_burst[ret] = 0;
	if (tab->nr == tab->cap)
		grow(tab);
	return ret;
}

void sitetab_close(struct sitetab *tab, uint32_t *to)
{
	size_t nr = 0;

	for (size_t n = 0; n < tab->nr; n++) {
		const struct site *s = &tab->site[n];

		if (!s->allocs && !s->failures && !s->unknown_frees)
			continue;
		to[n] = (uint32_t)nr;
		tab->site[nr++] = *s;
	}
	tab->nr = nr;
	account_close(&tab->accounts, to);
}

void sitetab_unalloc(struct sitetab *tab, uint32_t account, uint64_t bytes, uint64_t bytes_req,
		     uint64_t since_ns, uint64_t peak_bytes, uint64_t peak_ns)
{
	struct account *a = &tab->accounts.account[account];
	struct site *s = &tab->site[a->site];

	a->allocs--;
	a->alloc_bytes -= bytes;
	a->bytes_req -= bytes_req;
	s->allocs--;
	s->alloc_bytes -= bytes;
	s->bytes_req -= bytes_req;
	s->live--;
	s->live_bytes -= bytes;
	if (s->peak_ns < since_ns)
		return;
	/* The highest point since then was @bytes too high, but is still the highest. */
	if (s->peak_bytes - bytes > peak_bytes) {
		s->peak_bytes -= bytes;
	} else {
		s->peak_bytes = peak_bytes;
		s->peak_ns = peak_ns;
	}
}
