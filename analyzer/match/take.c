// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/take.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decode/clues.h"
#include "match/plain.h"
#include "match/plainpage.h"

/*
 * Long enough for memory to answer, short enough for the caches to keep it: of events, which
 * another CPU wrote, and of what they ask for.
 */
enum { FETCH = 16, AHEAD = 6 };

static_assert(FETCH <= (int)MERGE_BEHIND && AHEAD <= (int)FETCH,
	      "items that far ahead may be read");

static uint32_t stack_site(struct match *m, enum site_kind kind, const struct event *ev)
{
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);

	return sitetab_get(&m->sites, kind, 0, stack);
}

/*
 * A return address, and with it a stack where one was asked for. Of pages the stack, since
 * only a probe knows a return address, which will do if the stack went missing.
 */
static inline uint32_t site_of(struct match *m, enum site_kind kind, const struct event *ev)
{
	struct sitetab_hint *hint = m->sites.hint;

	if (hint && hint->site != SITETAB_NONE && hint->weight == m->sites.weight)
		return hint->site;
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);
	bool by_stack = kind == SITE_PAGE && stack != SITE_NO_STACK;
	uint32_t site = sitetab_get(&m->sites, kind, by_stack ? 0 : ev->call_site, stack);

	if (hint)
		*hint = (struct sitetab_hint){ site, SITETAB_NONE, m->sites.weight,
					       SITETAB_NONE };
	return site;
}

static void page_alloc_event(struct match *m, const struct event *ev)
{
	uint32_t site, account;
	struct sitetab_hint *hint = m->sites.hint;

	if (plainpage_alloc(m, ev))
		return;
	if (ev->addr == EVENT_PFN_NONE) {
		site = site_of(m, SITE_PAGE, ev);
		sitetab_failure(&m->sites, sitetab_account(&m->sites, site, ev), ev->ts_ns);
		return;
	}
	if (!page_plausible(ev->addr, ev->order)) {
		m->totals.implausible++;
		return;
	}
	uint64_t bytes;

	oldpage_touch(&m->old_pages, ev->addr, ev->order);
	slab_page_alloc(&m->slab, ev);
	if (!(hint && hint->plain != SITETAB_NONE) && vmalloc_may_take(&m->vmalloc, ev)) {
		uint64_t pages = page_nr_sampled(&m->pages, ev->addr, ev->order);
		uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);

		if (vmalloc_page_alloc(&m->vmalloc, ev, pages, stack, &account)) {
			/* They were booked with the area, one by one, as they are freed. */
			for (uint64_t i = 0; i < UINT64_C(1) << ev->order; i++)
				if (ev->order <= SAMPLE_ORDER ||
				    page_sampled(&m->pages, ev->addr + i))
					page_alloc(&m->pages, ev->addr + i, 0, account,
						   m->sites.now);
			return;
		}
	}
	site = site_of(m, SITE_PAGE, ev);
	account = sitetab_account(&m->sites, site, ev);
	if (hint && vmalloc_is_outside(&m->vmalloc, m->sites.site[site].stack))
		hint->plain = account;
	bytes = page_alloc(&m->pages, ev->addr, ev->order, account, m->sites.now);
	if (!bytes) {
		m->totals.implausible++;
		return;
	}
	sitetab_alloc(&m->sites, account, bytes, bytes, ev->ts_ns);
	if (m->sites.weight > 1)
		sample_alloc(&m->sample, &m->sites, account, ev, (double)bytes);
}

static void page_free_event(struct match *m, const struct event *ev)
{
	if (plainpage_free(m, ev))
		return;
	if (!page_plausible(ev->addr, ev->order)) {
		m->totals.implausible++;
		return;
	}
	bool slab = slab_page_free(&m->slab, ev);
	bool old = oldpage_touch(&m->old_pages, ev->addr, ev->order);

	if (bulk_moved(&m->bulk, ev))
		return;
	if (slab)
		slab_block_free(&m->slab, ev);

	struct page_met met = page_free(&m->pages, ev->addr, ev->order);
	uint64_t pages = page_nr_sampled(&m->pages, ev->addr, ev->order);
	uint64_t unknown = pages > met.pages ? pages - met.pages : 0;

	m->totals.partial_page_frees += met.partial;
	if (!unknown || vmalloc_page_free(&m->vmalloc, ev))
		return;
	/* After a gap it may have been allocated in it. */
	if (old && !slab && !met.pages && !m->slab.lossy && !m->opts.filtered)
		oldpage_freed(&m->old_pages, ev->addr, ev->order);
	m->totals.unknown_frees[SITE_PAGE]++;
	m->totals.unknown_free_bytes[SITE_PAGE] += unknown * m->opts.page_size;
	if (ev->stack && ev->nr_stack && !m->opts.filtered)
		sitetab_unknown_free(&m->sites, stack_site(m, SITE_PAGE, ev),
				     unknown * m->opts.page_size, ev->ts_ns);
}

static void lost_event(struct match *m, const struct event *ev)
{
	m->totals.lost_gaps++;
	if (ev->bytes_req == EVENT_LOST_UNKNOWN)
		m->totals.lost_uncounted_gaps++;
	else
		m->totals.lost_counted += ev->bytes_req;
	if (ev->addr && ev->addr < ev->ts_ns) {
		m->gap_ns += ev->ts_ns - ev->addr;
		if (ev->bytes_req == EVENT_LOST_UNKNOWN)
			m->uncounted_ns += ev->ts_ns - ev->addr;
	}
	m->totals.damaged_bytes += ev->bytes_alloc;
	if (ev->ts_ns > m->gap_end_ns)
		m->gap_end_ns = ev->ts_ns;
	slab_forget(&m->slab);
	vmalloc_forget(&m->vmalloc);
}

static void vmap_alloc_event(struct match *m, const struct event *ev)
{
	uint32_t site = stack_site(m, SITE_VMALLOC, ev), stack = m->sites.site[site].stack;

	if (area_alloc(&m->vmap, ev, site, m->sites.now))
		vmalloc_area_alloc(&m->vmalloc, ev, stack);
}

enum {
	SLAB_KINDS = 1 << EVENT_KMALLOC | 1 << EVENT_CACHE_ALLOC | 1 << EVENT_KFREE |
		     1 << EVENT_CACHE_FREE | 1 << EVENT_BULK_ALLOC | 1 << EVENT_BULK_FREE |
		     1 << EVENT_RCU_FREE,
	PAGE_KINDS = 1 << EVENT_PAGE_ALLOC | 1 << EVENT_PAGE_FREE | 1 << EVENT_PAGE_BULK,
};

/* Starts to fetch what match_event() of @ev, some events from now, will read. */
static inline void prefetch(const struct match *m, const struct event *ev)
{
	if (__builtin_expect(m->spill != NULL, 0) && m->slab.live.mem.mapped)
		table_touch(&m->slab.live, &live_ops, ev->addr);
	if (SLAB_KINDS >> ev->kind & 1) {
		slab_prefetch(&m->slab, ev);
	} else if (PAGE_KINDS >> ev->kind & 1) {
		page_prefetch(&m->pages, ev->addr);
		slab_page_prefetch(&m->slab, ev);
	}
}

void take_begin_window(struct match *m)
{
	const struct match_totals *t = &m->totals;

	m->totals = (struct match_totals){ .first_ns = t->first_ns, .last_ns = t->last_ns };
	m->gap_ns = m->uncounted_ns = 0;
	m->window_ns = m->opts.from_ns > m->base_ns ? m->opts.from_ns : m->base_ns;
	m->in_window = true;
	m->turn_ns = m->opts.until_ns ? m->opts.until_ns : UINT64_MAX;
	sitetab_window(&m->sites, m->window_ns);
	slab_window(&m->slab);
	oldpage_forget(&m->old_pages);
	sample_deinit(&m->sample);
	sample_init(&m->sample, &m->opts.sample, m->opts.page_size);
	for (size_t i = 0; i < m->nr_hints; i++)
		for (size_t h = 0; m->hints[i] && h < CLUE_PLACES; h++)
			m->hints[i][h].account = m->hints[i][h].plain = SITETAB_NONE;
}

/* At an event from turn_ns on; false when it is behind the window. */
static bool turn(struct match *m, const struct event *ev)
{
	if (!m->in_window)
		take_begin_window(m);
	if (ev->ts_ns < m->turn_ns)
		return true;
	if (ev->ts_ns > m->totals.last_ns)
		m->totals.last_ns = ev->ts_ns;
	return false;
}

/* At an event from heed_ns on; false when it is behind the window. */
static __attribute__((noinline)) bool heed(struct match *m, const struct event *ev)
{
	if (ev->ts_ns >= m->turn_ns && !turn(m, ev))
		return false;
	if (ev->ts_ns >= m->sites.series.end_ns)
		sitetab_next_bucket(&m->sites, ev->ts_ns);
	m->heed_ns = m->turn_ns < m->sites.series.end_ns ? m->turn_ns : m->sites.series.end_ns;
	return true;
}

/* Whether, and how often, an event counts. */
static __attribute__((noinline)) bool choose(struct match *m, const struct event *ev)
{
	if (m->sample.rate.one_in > 1) {
		if (!sample_has(&m->sample, ev))
			return false;
		m->sites.weight = sample_weight(&m->sample, ev);
	}
	if (m->opts.wanted) {
		m->sites.hint = NULL;
		if (m->sample.rate.one_in <= 1)
			m->sites.weight = 1;
		if (!m->opts.wanted(m->opts.wanted_arg, ev))
			m->sites.weight = 0;
	}
	return true;
}

/* Events have been taken, none of them later than the clock. */
static void note_last(struct match *m)
{
	if (m->sites.clock_ns > m->totals.last_ns)
		m->totals.last_ns = m->sites.clock_ns;
}

/* What an event does; all that comes before is done. */
static __attribute__((noinline)) void dispatch(struct match *m, const struct event *ev)
{
	switch ((enum event_kind)ev->kind) {
	case EVENT_LOST:
		lost_event(m, ev);
		break;
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_BULK_ALLOC:
		slab_alloc(&m->slab, ev, site_of(m, SITE_SLAB, ev), m->sites.now);
		break;
	case EVENT_KFREE:
		vmalloc_kfree(&m->vmalloc, ev);
		slab_free(&m->slab, ev);
		break;
	case EVENT_CACHE_FREE:
	case EVENT_BULK_FREE:
		slab_free(&m->slab, ev);
		break;
	case EVENT_PAGE_ALLOC:
		page_alloc_event(m, ev);
		break;
	case EVENT_PAGE_FREE:
		page_free_event(m, ev);
		break;
	case EVENT_PERCPU_ALLOC:
		area_alloc(&m->percpu, ev, site_of(m, SITE_PERCPU, ev), m->sites.now);
		break;
	case EVENT_PERCPU_FREE:
		area_free(&m->percpu, ev);
		break;
	case EVENT_VMAP_ALLOC:
		vmap_alloc_event(m, ev);
		break;
	case EVENT_VMAP_FREE:
		vmalloc_area_free(&m->vmalloc, ev, area_free(&m->vmap, ev));
		break;
	case EVENT_RCU_FREE:
		bulk_rcu_free(&m->bulk, ev, m->sites.now);
		break;
	case EVENT_PAGE_BULK:
		if (!bulk_page_known(&m->bulk, ev))
			page_alloc_event(m, ev);
		break;
	case EVENT_PAGE_MOVE:
		bulk_move(&m->bulk, ev, m->sites.now);
		break;
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
}

static void take(struct match *m, const struct event *ev)
{
	if (__builtin_expect(ev->ts_ns >= m->heed_ns, 0) && !heed(m, ev))
		return;
	m->totals.events[ev->kind]++;
	if (!--m->burst_left) {
		m->burst_left = SITETAB_BURST;
		m->sites.burst++;
	}
	sitetab_tick(&m->sites, ev);
	m->sites.now = ev->ts_ns > m->base_ns ? ev->ts_ns - m->base_ns : 0;
	if (__builtin_expect(m->sites.now > LIVE_MAX_TIME, 0))
		m->sites.now = LIVE_MAX_TIME;
	if (__builtin_expect(m->chosen, 0) && !choose(m, ev))
		return;
	dispatch(m, ev);
}

/* Before the first event, which comes at @ts_ns. */
static void begin(struct match *m, uint64_t ts_ns)
{
	m->started = true;
	m->totals.first_ns = m->base_ns = m->window_ns = ts_ns;
	sitetab_start(&m->sites, ts_ns);
}

static void count_cpu(struct match *m, uint16_t cpu)
{
	if (cpu >= m->nr_cpus)
		m->nr_cpus = cpu + UINT32_C(1);
}

void take_event(struct match *m, const struct event *ev)
{
	assert(ev->kind < NR_EVENT_KINDS);
	if (!m->started)
		begin(m, ev->ts_ns);
	count_cpu(m, ev->cpu);
	m->sites.hint = NULL;
	take(m, ev);
	note_last(m);
}

static __attribute__((noinline)) struct sitetab_hint *new_hints(struct match *m,
								uint32_t source)
{
	if (source >= m->nr_hints) {
		size_t nr = source + (size_t)16;

		m->hints = xreallocarray(m->hints, nr, sizeof(*m->hints));
		memset(m->hints + m->nr_hints, 0, (nr - m->nr_hints) * sizeof(*m->hints));
		m->nr_hints = nr;
	}
	if (!m->hints[source]) {
		/* SITETAB_NONE: the event that says a place is fresh may be left out. */
		m->hints[source] = xcalloc(CLUE_PLACES, sizeof(**m->hints));
		memset(m->hints[source], 0xff, CLUE_PLACES * sizeof(**m->hints));
	}
	return m->hints[source];
}

/* Of an item without a place, or of a place that has a new tenant or is the first of its CPU. */
static __attribute__((noinline)) struct sitetab_hint *rare_hint(struct match *m,
								const struct merge_item *item)
{
	uint16_t place = item->clue.place;

	if (place == CLUE_NO_PLACE)
		return NULL;
	struct sitetab_hint *hints = item->source < m->nr_hints ? m->hints[item->source] : NULL;

	if (!hints)
		hints = new_hints(m, item->source);
	struct sitetab_hint *hint = &hints[place & (CLUE_PLACES - 1)];

	if (place & CLUE_FRESH)
		*hint = (struct sitetab_hint){ SITETAB_NONE, SITETAB_NONE, 0, SITETAB_NONE };
	return hint;
}

static inline struct sitetab_hint *hint_of(struct match *m, const struct merge_item *item)
{
	if (__builtin_expect(item->clue.place >= CLUE_PLACES || item->source >= m->nr_hints ||
				     !m->hints[item->source],
			     0))
		return rare_hint(m, item);
	return &m->hints[item->source][item->clue.place];
}

/*
 * True when the events of a run need no look at the clock, and none of them is to be
 * left out, and plain.h may take what is plain. Others are as good, and slower.
 */
static bool is_calm(struct match *m, const struct merge_run *run)
{
	struct table *live = &m->slab.live;

	/* The first run finds the table empty. */
	if (!live->nr)
		live->secret = run->secret;
	return !m->chosen && !m->spill && m->slab.offset.closed && m->opts.page_size >= 4096 &&
	       run->latest_ns < m->heed_ns && run->latest_ns - m->base_ns < LIVE_MAX_TIME &&
	       live->secret.add == run->secret.add && live->secret.mul == run->secret.mul;
}

/* Starts to fetch what plain.h or dispatch() will read of @item, some events from now. */
static inline void prefetch_calm(const struct match *m, const struct merge_item *item)
{
	if (__builtin_expect(item->clue.class != CLUE_OTHER, 1))
		table_prefetch_at(&m->slab.live, &live_ops, item->clue.hash);
	else
		prefetch(m, item->event);
}

/* What is plain is done here. @in_order: no event before it was later. */
TABLE_INLINE void take_one(struct match *m, struct sitetab *tab, const struct merge_item *item,
			   uint64_t base_ns, uint64_t *clock_ns, bool in_order)
{
	const struct event *ev = item->event;
	uint64_t ts_ns = ev->ts_ns, now = in_order || ts_ns > base_ns ? ts_ns - base_ns : 0;
	struct sitetab_hint *hint = NULL;

	__builtin_prefetch(item[FETCH].event);
	prefetch_calm(m, item + AHEAD);
	m->totals.events[ev->kind]++;
	*clock_ns = in_order || ts_ns > *clock_ns ? ts_ns : *clock_ns;
	if (item->clue.class == CLUE_FREE) {
		if (plain_free(&m->slab, ev, item->clue.hash, now))
			return;
	} else {
		hint = hint_of(m, item);
		if (item->clue.class == CLUE_ALLOC &&
		    plain_alloc(&m->slab, ev, hint->plain, item->clue.hash, now, *clock_ns))
			return;
	}
	tab->clock_ns = *clock_ns;
	tab->now = now;
	tab->ev = ev;
	tab->hint = hint;
	dispatch(m, ev);
}

/* What is the same in all of the loop is in locals. */
TABLE_INLINE void take_calm(struct match *m, const struct merge_run *run, bool in_order)
{
	const struct merge_item *item = run->item, *const end = item + run->nr;
	struct sitetab *tab = &m->sites;
	const uint64_t base_ns = m->base_ns;
	uint64_t clock_ns = tab->clock_ns;

	for (int i = 0; i < FETCH; i++)
		__builtin_prefetch(item[i].event);
	for (int i = 0; i < AHEAD; i++)
		prefetch_calm(m, item + i);
	while (item != end) {
		/* The event at which it comes to 0 is the first of the next burst. */
		if (m->burst_left == 1) {
			m->burst_left += SITETAB_BURST;
			tab->burst++;
		}
		size_t nr = (size_t)(end - item);

		nr = nr < m->burst_left - 1 ? nr : m->burst_left - 1;
		m->burst_left -= (unsigned int)nr;
		for (const struct merge_item *stop = item + nr; item != stop; item++)
			take_one(m, tab, item, base_ns, &clock_ns, in_order);
	}
	tab->clock_ns = clock_ns;
}

/* Nearly all are, and ask for no clock. */
static __attribute__((noinline)) void take_in_order(struct match *m,
						    const struct merge_run *run)
{
	take_calm(m, run, true);
}

static __attribute__((noinline)) void take_any_order(struct match *m,
						     const struct merge_run *run)
{
	take_calm(m, run, false);
}

static void take_each(struct match *m, const struct merge_run *run)
{
	const struct merge_item *item = run->item;

	for (size_t i = 0; i < run->nr; i++, item++) {
		if (i + AHEAD < run->nr)
			prefetch(m, item[AHEAD].event);
		m->sites.hint = hint_of(m, item);
		take(m, item->event);
	}
}

void take_run(struct match *m, const struct merge_run *run)
{
	if (!m->started)
		begin(m, run->item->event->ts_ns);
	for (size_t i = 0; run->nr_cpus > m->nr_cpus && i < run->nr; i++)
		count_cpu(m, run->item[i].event->cpu);
	if (!is_calm(m, run))
		take_each(m, run);
	else if (run->in_order && run->earliest_ns >= m->sites.clock_ns)
		take_in_order(m, run);
	else
		take_any_order(m, run);
	note_last(m);
}
