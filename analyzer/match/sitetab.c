// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/sitetab.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void sitetab_init(struct sitetab *tab)
{
	*tab = (struct sitetab){ .cap = 1024, .nr_slots = 2048, .secret = hash_secret() };
	tab->site = xlines(tab->cap, sizeof(*tab->site));
	tab->nowhere = xlines(1, sizeof(*tab->nowhere));
	*tab->nowhere = (struct site){ 0 };
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	for (size_t i = 0; i < SITETAB_FREERS; i++)
		tab->freer[i].site = SITETAB_NONE;
	tab->burst = 1;
	tab->weight = 1;
	account_init(&tab->accounts);
	series_init(&tab->series);
	life_init(&tab->lives);
}

void sitetab_self(struct sitetab *tab, const int32_t *pid, size_t nr)
{
	struct sitetab_tasks *self = &tab->self;

	*self = (struct sitetab_tasks){ .pid = xcalloc(nr + 1, sizeof(*pid)), .nr = nr };
	for (size_t i = 0; i < nr; i++) {
		self->pid[i] = pid[i];
		self->bits |= UINT64_C(1) << (pid[i] & 63);
	}
}

void sitetab_deinit(struct sitetab *tab)
{
	free(tab->self.pid);
	account_deinit(&tab->accounts);
	free(tab->site);
	free(tab->nowhere);
	free(tab->age);
	free(tab->age_sum);
	series_deinit(&tab->series);
	life_deinit(&tab->lives);
	free(tab->slot);
	*tab = (struct sitetab){ 0 };
}

/* An interrupt works for anyone. */
static bool is_self(const struct sitetab *tab)
{
	const struct sitetab_tasks *self = &tab->self;
	const struct event *ev = tab->ev;

	if (ev->context || !sitetab_may_be_self(tab))
		return false;
	for (size_t i = 0; i < self->nr; i++)
		if (self->pid[i] == ev->pid)
			return true;
	return false;
}

static size_t home(const struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		   uint32_t stack, bool self, uint32_t weight)
{
	uint64_t rest = stack ^ (uint64_t)kind << 60 ^ (uint64_t)self << 59 ^
			(uint64_t)(weight - 1) << 32;

	return hash_word(tab->secret, hash_of(tab->secret, call_site) ^ rest) &
	       (tab->nr_slots - 1);
}

static void grow(struct sitetab *tab)
{
	tab->site = xlines_grow(tab->site, tab->nr, tab->cap * 2, sizeof(*tab->site));
	tab->cap *= 2;

	free(tab->slot);
	tab->nr_slots *= 2;
	tab->slot = xcalloc(tab->nr_slots, sizeof(*tab->slot));
	for (size_t n = 0; n < tab->nr; n++) {
		const struct site *s = &tab->site[n];
		size_t i = home(tab, s->kind, s->call_site, s->stack, s->self, s->weight);

		while (tab->slot[i])
			i = (i + 1) & (tab->nr_slots - 1);
		tab->slot[i] = (uint32_t)n + 1;
	}
}

uint32_t sitetab_get(struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		     uint32_t stack)
{
	bool self = is_self(tab);
	size_t i = home(tab, kind, call_site, stack, self, tab->weight);

	for (; tab->slot[i]; i = (i + 1) & (tab->nr_slots - 1)) {
		const struct site *s = &tab->site[tab->slot[i] - 1];

		if (s->call_site == call_site && s->stack == stack && s->kind == kind &&
		    s->self == self && s->weight == tab->weight)
			return tab->slot[i] - 1;
	}
	uint32_t ret = (uint32_t)tab->nr++;

	tab->slot[i] = ret + 1;
	tab->site[ret] = (struct site){
		.kind = kind,
		.call_site = call_site,
		.stack = stack,
		.self = self,
		.weight = tab->weight,
		.series.bucket = tab->series.bucket,
	};
	if (tab->nr == tab->cap)
		grow(tab);
	return ret;
}

uint32_t sitetab_find_freer(struct sitetab *tab, uint64_t call_site,
			    struct sitetab_freer *freer)
{
	uint32_t site = sitetab_get(tab, SITE_SLAB, call_site, SITE_NO_STACK);

	if (tab->weight == 1 && !sitetab_may_be_self(tab))
		*freer = (struct sitetab_freer){ call_site, site };
	return site;
}

void sitetab_close_bucket(struct sitetab *tab, uint32_t i)
{
	struct site *s = &tab->site[i];

	/* A site that was only ever seen to fail or to free has nothing to tell. */
	if (s->allocs || s->series.entry)
		series_close(&tab->series, &s->series,
			     (struct series_entry){ .site = i,
						    .live = s->live + s->pieces,
						    .live_bytes = s->live_bytes,
						    .allocs = s->allocs,
						    .alloc_bytes = s->alloc_bytes });
	s->series.bucket = tab->series.bucket;
}

static void new_stamps(struct sitetab *tab)
{
	for (int kind = 0; kind < NR_SITE_KINDS; kind++)
		tab->stamp[kind]++;
}

void sitetab_next_bucket(struct sitetab *tab, uint64_t ts_ns)
{
	series_advance(&tab->series, ts_ns, &tab->site->series, sizeof(*tab->site), tab->nr);
	new_stamps(tab);
}

void sitetab_start(struct sitetab *tab, uint64_t ts_ns)
{
	tab->clock_ns = ts_ns;
	series_start(&tab->series, ts_ns);
	new_stamps(tab);
}

void sitetab_window(struct sitetab *tab, uint64_t ts_ns)
{
	for (size_t i = 0; i < tab->nr; i++) {
		const struct site *s = &tab->site[i];

		tab->site[i] = (struct site){
			.kind = s->kind,
			.stack = s->stack,
			.call_site = s->call_site,
			.cache = s->cache,
			.self = s->self,
			.weight = s->weight,
			.flags = s->flags & (uint8_t)~SITETAB_ALLOCATED,
			.account = SITETAB_NONE,
		};
	}
	life_deinit(&tab->lives);
	life_init(&tab->lives);
	memset(tab->kind, 0, sizeof(tab->kind));
	memset(tab->peak, 0, sizeof(tab->peak));
	account_window(&tab->accounts);
	sitetab_start(tab, ts_ns);
}

void sitetab_end_of_time(struct sitetab *tab)
{
	tab->age = xcalloc(tab->nr + 1, sizeof(*tab->age));
	tab->age_sum = xcalloc(tab->nr + 1, sizeof(*tab->age_sum));
	for (uint32_t i = 0; i < tab->nr; i++) {
		struct site *s = &tab->site[i];

		if (s->stamp < tab->peak[s->kind]) {
			s->at_peak = s->live;
			s->at_peak_bytes = s->live_bytes;
		}
		sitetab_close_bucket(tab, i);
		s->frees = s->allocs - s->live;
		s->free_bytes = s->alloc_bytes - s->live_bytes;
		for (int r = 0; r < NR_END_RULES; r++) {
			s->frees -= s->inferred_frees[r];
			s->free_bytes -= s->inferred_bytes[r];
		}
	}
	for (size_t i = 0; i < tab->accounts.nr; i++)
		tab->site[account_site(&tab->accounts.account[i])].bytes_req +=
			tab->accounts.account[i].bytes_req;
}

void sitetab_close(struct sitetab *tab, uint32_t *to)
{
	size_t nr = 0, kept = 0;

	for (size_t n = 0; n < tab->nr; n++) {
		struct site *s = &tab->site[n];

		s->age_sum_ns = (double)tab->age_sum[n];
		to[n] = UINT32_MAX;
		if (!s->weight || (!s->allocs && !s->failures && !s->unknown_frees &&
				   !s->preexisting_frees && !s->preexisting_bytes))
			continue;
		to[n] = (uint32_t)nr;
		tab->age[nr] = tab->age[n];
		tab->site[nr++] = *s;
	}
	tab->nr = nr;
	account_close(&tab->accounts, to);
	for (size_t i = 0; i < tab->series.nr; i++) {
		struct series_entry e = tab->series.entry[i];

		e.site = to[e.site];
		e.before = 0; /* nobody asks any more */
		if (e.site != UINT32_MAX)
			tab->series.entry[kept++] = e;
	}
	tab->series.nr = kept;
}

bool sitetab_unalloc(struct sitetab *tab, uint32_t account, uint64_t bytes, uint64_t bytes_req,
		     const struct sitetab_point *before)
{
	struct account *a = &tab->accounts.account[account];
	struct site *s = &tab->site[account_site(a)];
	struct site_peak *k = &tab->kind[s->kind];
	bool at_peak = tab->peak[s->kind] != before->peak;

	if (sitetab_is_older(tab, account))
		return false;

	sitetab_before(tab, account_site(a), s->kind);
	series_take_back(&tab->series, &s->series, before->clock_ns, bytes);
	k->live -= s->weight;
	k->live_bytes -= bytes * s->weight;
	if (at_peak) {
		s->at_peak--;
		s->at_peak_bytes -= bytes;
	}
	a->allocs--;
	a->alloc_bytes -= bytes;
	a->bytes_req -= bytes_req;
	s->allocs--;
	s->alloc_bytes -= bytes;
	s->live--;
	s->live_bytes -= bytes;
	if (s->peak_ns < before->ts_ns)
		return at_peak;
	/* The highest point since then was @bytes too high, but is still the highest. */
	if (s->peak_bytes - bytes > before->peak_bytes) {
		s->peak_bytes -= bytes;
	} else {
		s->peak_bytes = before->peak_bytes;
		s->peak_ns = before->peak_ns;
	}
	return at_peak;
}

void sitetab_at_peak(struct sitetab *tab, uint32_t account, uint64_t bytes)
{
	struct site *s = &tab->site[account_site(&tab->accounts.account[account])];

	s->at_peak++;
	s->at_peak_bytes += bytes;
}
