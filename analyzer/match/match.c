// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/match.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decode/places.h"
#include "match/area.h"
#include "match/bounds.h"
#include "match/bulk.h"
#include "match/charge.h"
#include "match/oldpage.h"
#include "match/page.h"
#include "match/sample.h"
#include "match/slab.h"
#include "match/vmalloc.h"

/* Long enough for memory to answer, short enough for the caches to keep it. */
enum { AHEAD = 6 };

/* Of pages, where nothing tells: that many of them lost leave nothing to judge by. */
#define MOST_LOST 0.99

/* Bytes that a site takes when the books are closed, and then by the database. */
enum { SITE_REST = 1000 };

/* A few pids; most others are told apart by the bit for their low bits. */
struct tasks {
	int32_t *pid;
	size_t nr;
	uint64_t bits;
};

struct match {
	struct match_opts opts;
	struct match_totals totals;
	struct sitetab sites;
	struct stacks *stacks;
	struct slab slab;
	struct page_map pages;
	struct oldpage_map old_pages;
	struct area percpu;
	struct area vmap;
	struct vmalloc vmalloc;
	struct tasks self;
	struct bulk bulk;
	struct sample sample;
	struct spill *spill; /* NULL: all memory there is */
	bool started;
	uint64_t base_ns; /* of the first event; live.h has times since then */
	uint64_t turn_ns; /* where the window begins, or ends */
	uint64_t heed_ns; /* events before it need no look at turn_ns or the series */
	bool chosen;	  /* not all events count, or not all the same */
	bool in_window;
	uint64_t window_ns;	       /* where it began */
	uint64_t gap_end_ns;	       /* of the last gap; 0: none */
	uint64_t gap_ns, uncounted_ns; /* length of all gaps, and of those without a count */
	unsigned int burst_left;       /* events of the burst that goes on */
	uint32_t nr_cpus;	       /* as far as events came from them */
	struct sitetab_hint **hints;   /* by source, then by place; made as needed */
	size_t nr_hints;
};

static void tasks_init(struct tasks *tasks, const int32_t *pid, size_t nr)
{
	*tasks = (struct tasks){ .pid = xcalloc(nr + 1, sizeof(*pid)), .nr = nr };
	for (size_t i = 0; i < nr; i++) {
		tasks->pid[i] = pid[i];
		tasks->bits |= UINT64_C(1) << (pid[i] & 63);
	}
}

static bool tasks_have(const struct tasks *tasks, int32_t pid)
{
	if (!(tasks->bits >> (pid & 63) & 1))
		return false;
	for (size_t i = 0; i < tasks->nr; i++)
		if (tasks->pid[i] == pid)
			return true;
	return false;
}

struct match *match_new(const struct match_opts *opts)
{
	assert(opts->page_size && !(opts->page_size & (opts->page_size - 1)));

	struct match *m = xcalloc(1, sizeof(*m));

	m->opts = *opts;
	m->chosen = opts->sample.one_in > 1 || opts->wanted;
	m->in_window = !opts->from_ns;
	m->turn_ns = opts->from_ns    ? opts->from_ns
		     : opts->until_ns ? opts->until_ns
				      : UINT64_MAX;
	tasks_init(&m->self, opts->self, opts->nr_self);
	m->stacks = stacks_new();
	sitetab_init(&m->sites);
	m->burst_left = SITETAB_BURST + 1;
	m->sites.cpu_node = opts->cpu_node;
	m->sites.nr_cpu_node = opts->nr_cpu_node;
	page_init(&m->pages, opts->page_size, &opts->sample, &m->sites);
	sample_init(&m->sample, &opts->sample, opts->page_size);
	slab_init(&m->slab, &m->opts, &m->pages, &m->vmalloc, &m->sites, &m->sample,
		  &m->totals);
	vmalloc_init(&m->vmalloc, &m->opts, m->stacks, &m->slab.flows, &m->sites, &m->totals);
	area_init(&m->percpu, SITE_PERCPU, &m->sites, &m->totals);
	area_init(&m->vmap, SITE_VMALLOC, &m->sites, &m->totals);
	bulk_init(&m->bulk, &m->pages, &m->slab, &m->sites, &m->totals);
	if (opts->memory_limit) {
		m->spill = spill_new(opts->spill_dir, opts->memory_limit);
		spill_add(m->spill, &m->slab.live.mem);
		spill_add(m->spill, &m->slab.pages.table.mem);
		spill_add(m->spill, &m->pages.table.mem);
	}
	return m;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	vmalloc_deinit(&m->vmalloc);
	bulk_deinit(&m->bulk);
	area_deinit(&m->vmap);
	area_deinit(&m->percpu);
	slab_deinit(&m->slab);
	page_deinit(&m->pages);
	oldpage_deinit(&m->old_pages);
	spill_free(m->spill);
	sitetab_deinit(&m->sites);
	sample_deinit(&m->sample);
	stacks_free(m->stacks);
	for (size_t i = 0; i < m->nr_hints; i++)
		free(m->hints[i]);
	free(m->hints);
	free(m->self.pid);
	free(m);
}

/* As live.h has it: since the first event. */
static uint64_t relative_time(const struct match *m, uint64_t ts_ns)
{
	uint64_t time = ts_ns > m->base_ns ? ts_ns - m->base_ns : 0;

	return time < LIVE_MAX_TIME ? time : LIVE_MAX_TIME;
}

static uint32_t stack_site(struct match *m, enum site_kind kind, const struct event *ev)
{
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);

	return sitetab_get(&m->sites, kind, 0, stack);
}

/* A return address, and with it a stack where the recorder knew the address too little. */
static inline uint32_t slab_site(struct match *m, const struct event *ev)
{
	struct sitetab_hint *hint = m->sites.hint;

	if (hint && hint->site != SITETAB_NONE && hint->weight == m->sites.weight)
		return hint->site;
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);
	uint32_t site = sitetab_get(&m->sites, SITE_SLAB, ev->call_site, stack);

	if (hint)
		*hint = (struct sitetab_hint){ site, SITETAB_NONE, m->sites.weight };
	return site;
}

/* A return address, and with it a stack where one was asked for. */
static uint32_t percpu_site(struct match *m, const struct event *ev)
{
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);

	return sitetab_get(&m->sites, SITE_PERCPU, ev->call_site, stack);
}

/* A probe knows a return address, which will do if the stack went missing. */
static inline uint32_t page_site(struct match *m, const struct event *ev)
{
	struct sitetab_hint *hint = m->sites.hint;

	if (hint && hint->site != SITETAB_NONE && hint->weight == m->sites.weight)
		return hint->site;
	uint32_t stack = stacks_id(m->stacks, ev->stack, ev->stack ? ev->nr_stack : 0);
	uint32_t site = sitetab_get(&m->sites, SITE_PAGE,
				    stack == SITE_NO_STACK ? ev->call_site : 0, stack);

	if (hint)
		*hint = (struct sitetab_hint){ site, SITETAB_NONE, m->sites.weight };
	return site;
}

static void page_alloc_event(struct match *m, const struct event *ev)
{
	uint32_t site, account;

	if (ev->addr == EVENT_PFN_NONE) {
		site = page_site(m, ev);
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
	if (vmalloc_may_take(&m->vmalloc, ev)) {
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
	site = page_site(m, ev);
	account = sitetab_account(&m->sites, site, ev);
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

static void begin_window(struct match *m)
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
		for (size_t h = 0; m->hints[i] && h < PLACES_SLOTS; h++)
			m->hints[i][h].account = SITETAB_NONE;
}

static uint64_t end_of_window(const struct match *m)
{
	return m->opts.until_ns && m->opts.until_ns < m->totals.last_ns ? m->opts.until_ns
									: m->totals.last_ns;
}

/* At an event from turn_ns on; false when it is behind the window. */
static bool turn(struct match *m, const struct event *ev)
{
	if (!m->in_window)
		begin_window(m);
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

static inline __attribute__((always_inline)) void take(struct match *m, const struct event *ev)
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
	/* An interrupt works for anyone. */
	m->sites.self = !ev->context && tasks_have(&m->self, ev->pid);

	switch ((enum event_kind)ev->kind) {
	case EVENT_LOST:
		lost_event(m, ev);
		break;
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_BULK_ALLOC:
		slab_alloc(&m->slab, ev, slab_site(m, ev), m->sites.now);
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
		area_alloc(&m->percpu, ev, percpu_site(m, ev), m->sites.now);
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

/* Before events of @cpu, the first of which comes at @ts_ns. */
static void begin(struct match *m, uint16_t cpu, uint64_t ts_ns)
{
	if (cpu >= m->nr_cpus)
		m->nr_cpus = cpu + UINT32_C(1);
	if (m->started)
		return;
	m->started = true;
	m->totals.first_ns = m->base_ns = m->window_ns = ts_ns;
	sitetab_start(&m->sites, ts_ns);
}

void match_event(struct match *m, const struct event *ev)
{
	assert(ev->kind < NR_EVENT_KINDS);
	begin(m, ev->cpu, ev->ts_ns);
	m->sites.hint = NULL;
	take(m, ev);
	note_last(m);
}

static struct sitetab_hint *hints_of(struct match *m, uint32_t source)
{
	if (source >= m->nr_hints) {
		size_t nr = source + (size_t)16;

		m->hints = xreallocarray(m->hints, nr, sizeof(*m->hints));
		memset(m->hints + m->nr_hints, 0, (nr - m->nr_hints) * sizeof(*m->hints));
		m->nr_hints = nr;
	}
	if (!m->hints[source]) {
		/* SITETAB_NONE: the event that says a place is fresh may be left out. */
		m->hints[source] = xcalloc(PLACES_SLOTS, sizeof(**m->hints));
		memset(m->hints[source], 0xff, PLACES_SLOTS * sizeof(**m->hints));
	}
	return m->hints[source];
}

void match_batch(struct match *m, const struct merge_batch *batch)
{
	const struct event *ev = batch->event;
	size_t ahead = batch->nr + batch->ahead;
	struct sitetab_hint *hints = hints_of(m, batch->source);

	begin(m, ev->cpu, ev->ts_ns);
	for (size_t i = 0; i < batch->nr; i++, ev++) {
		uint16_t place = batch->place[i];
		struct sitetab_hint *hint = NULL;

		if (i + AHEAD < ahead)
			prefetch(m, ev + AHEAD);
		if (place != PLACES_NONE) {
			hint = &hints[place & (PLACES_SLOTS - 1)];
			if (place & PLACES_FRESH)
				*hint = (struct sitetab_hint){ SITETAB_NONE, SITETAB_NONE, 0 };
		}
		m->sites.hint = hint;
		take(m, ev);
	}
	note_last(m);
}

struct err *match_check_memory(struct match *m, uint64_t limit)
{
	uint64_t own, most = limit - limit / 16; /* the next call comes some events later */

	if (!m->spill)
		return NULL;
	if (spill_resident(&own) > limit - limit / 4) {
		spill_trim(m->spill);
		TRY(spill_check(spill_resident(&own), most));
	}
	TRY(spill_check(own + m->sites.nr * SITE_REST, most));
	return spill_error(m->spill);
}

static void mark_uncertain(struct match *m, const struct table *live, uint64_t time)
{
	const struct live_obj *o;

	for (size_t i = 0; (o = table_next(live, &live_ops, &i));)
		if (live_time(o) < time && !(o->flags & LIVE_TWIN))
			sitetab_uncertain(&m->sites, o->account, 1, o->bytes);
}

/* Objects allocated before @time whose page holds no slab: rule 18. */
static void audit_objects(struct match *m, uint64_t time)
{
	uint64_t base = m->slab.offset.base;
	struct live_obj *o;

	if (!base)
		return;
	for (size_t i = 0; (o = table_next(&m->slab.live, &live_ops, &i));) {
		/* A large kmalloc has pages of its own. */
		if (live_time(o) >= time || o->flags & LIVE_TWIN || o->key < base ||
		    (!(o->flags & LIVE_CACHE) && o->bytes > 2 * m->opts.page_size) ||
		    audit_is_slab(m->opts.audit, (o->key - base) / m->opts.page_size))
			continue;
		sitetab_infer(&m->sites, o->account, END_SLAB_PAGE, 1, o->bytes);
		live_end(o);
		m->totals.audited_objects++;
	}
}

/* Older blocks of which no object was seen, and which the kernel said were slabs. */
static void count_old_slabs(struct match *m)
{
	uint64_t pfn;
	unsigned int order;

	for (size_t i = 0;
	     m->opts.audit_start && oldpage_next(&m->old_pages, &i, &pfn, &order);)
		if (audit_is_slab(m->opts.audit_start, pfn))
			slab_old_block(&m->slab, order);
}

static void book_ages(struct match *m, const struct table *live)
{
	const struct live_obj *o;

	for (size_t i = 0; (o = table_next(live, &live_ops, &i));)
		if (!(o->flags & (LIVE_TWIN | LIVE_RCU)))
			sitetab_aged(&m->sites, o->account, live_time(o));
}

static void count_missing_stacks(struct match *m)
{
	for (size_t i = 0; i < m->sites.nr; i++) {
		struct site *s = &m->sites.site[i];

		if ((s->kind == SITE_PAGE || s->kind == SITE_VMALLOC) && !s->call_site &&
		    s->stack == SITE_NO_STACK)
			s->missing_stacks = s->allocs + s->failures;
	}
}

void match_finish(struct match *m)
{
	if (m->totals.lost_gaps) {
		uint64_t time = relative_time(m, m->gap_end_ns);

		/* Later times are all stored as the same. */
		if (time == LIVE_MAX_TIME)
			time++;
		if (m->opts.audit && audit_known(m->opts.audit)) {
			audit_objects(m, time);
			m->totals.audited_pages += page_audit(&m->pages, m->opts.audit, time);
		}
		mark_uncertain(m, &m->slab.live, time);
		mark_uncertain(m, &m->percpu.live, time);
		mark_uncertain(m, &m->vmap.live, time);
		page_mark_uncertain(&m->pages, time);
		vmalloc_mark_uncertain(&m->vmalloc, &m->vmap.live, time);
	}
	if (!m->in_window)
		begin_window(m);
	uint64_t end = relative_time(m, end_of_window(m));

	bulk_finish(&m->bulk, m->opts.rcu_silent, end > MATCH_RCU_NS ? end - MATCH_RCU_NS : 0);
	m->totals.page_offset_base = m->slab.offset.base;
	m->totals.page_offset_votes = offset_leader_votes(&m->slab.offset);
	m->totals.page_offset_dissent = m->slab.offset.votes - m->totals.page_offset_votes;
	count_missing_stacks(m);
	for (size_t i = 0; i < m->sites.accounts.nr; i++)
		if (account_merged(&m->sites.accounts.account[i]) != ACCOUNT_WHOLE)
			m->totals.merged_allocs += m->sites.accounts.account[i].allocs;
	page_count_pieces(&m->pages);
	sitetab_end_of_time(&m->sites);
	m->sites.now = end;
	book_ages(m, &m->slab.live);
	book_ages(m, &m->percpu.live);
	book_ages(m, &m->vmap.live);
	page_age(&m->pages);
	slab_count_blocks(&m->slab);
	count_old_slabs(m);
	vmalloc_finish(&m->vmalloc);

	sample_live(&m->sample, &m->sites, &m->slab.live, &m->pages);

	auto_free uint32_t *to = xcalloc(m->sites.nr + 1, sizeof(*to));

	sitetab_close(&m->sites, to);
	sample_renumber(&m->sample, to);
	flow_renumber(&m->slab.flows, to);
	/* Nobody asks for what lives any more. */
	table_clear(&m->slab.live, &live_ops);
	table_clear(&m->percpu.live, &live_ops);
	table_clear(&m->vmap.live, &live_ops);
	slabpage_clear(&m->slab.pages);
	page_clear(&m->pages);
}

/*
 * At least a page of events was lost in each of @gaps. Where a page was lost in
 * front of nearly every page that was not, there were more to a gap: when pages
 * are lost with a probability of p each, a gap is 1 / (1 - p) pages long, and has
 * p of the other pages behind it.
 */
static double least_lost(double gaps, double seen)
{
	double pages = seen / SITETAB_BURST + 1;
	double p = gaps < pages ? gaps / pages : 1;

	p += 2 * sqrt(p * (1 - p) / pages);
	return gaps * SITETAB_BURST / (1 - (p < MOST_LOST ? p : MOST_LOST));
}

/*
 * What gaps without a count lost: at least that, and else as many in their time as
 * all CPUs had on average when nothing was lost.
 */
static uint64_t estimate_lost(const struct match *m)
{
	double time = (double)(end_of_window(m) - m->window_ns) * m->nr_cpus;
	double gaps = (double)m->gap_ns, seen = 0;

	for (int kind = 0; kind < NR_EVENT_KINDS; kind++)
		seen += kind == EVENT_LOST ? 0 : (double)m->totals.events[kind];

	/* Gaps of several buffers may add up to more than there was. */
	double rate = time > gaps ? seen / (time - gaps) : time > 0 ? seen / time : 0;
	double lost = rate * (double)m->uncounted_ns;
	double least = least_lost((double)m->totals.lost_uncounted_gaps, seen);

	lost = lost > least ? lost : least;
	return lost < 1e18 ? m->totals.lost_counted + (uint64_t)lost
			   : UINT64_C(1000000000000000000);
}

void match_judge(struct match *m, const uint32_t *group, uint64_t lost)
{
	m->totals.lost_estimate = estimate_lost(m);
	if (lost > m->totals.lost_estimate)
		m->totals.lost_estimate = lost;
	bounds_set(&m->sites, group, &m->totals);
	charge_sites(m->sites.site, m->sites.nr, group, &m->slab.flows, &m->totals,
		     m->opts.page_size);
	sample_scale(&m->sample, &m->sites, group);
}

const struct site *match_sites(const struct match *m, size_t *ret_nr)
{
	*ret_nr = m->sites.nr;
	return m->sites.site;
}

const struct account *match_accounts(const struct match *m, size_t *ret_nr)
{
	*ret_nr = m->sites.accounts.nr;
	return m->sites.accounts.account;
}

const struct account_doubt *match_account_doubts(const struct match *m)
{
	return m->sites.accounts.doubt;
}

const struct series *match_series(const struct match *m)
{
	return &m->sites.series;
}

const struct site_peak *match_peak(const struct match *m, enum site_kind kind)
{
	return &m->sites.kind[kind];
}

uint64_t match_lived(const struct match *m, size_t site, unsigned int bin)
{
	return life_count(&m->sites.lives, &m->sites.life[site], bin) *
	       m->sites.site[site].weight;
}

uint64_t match_aged(const struct match *m, size_t site, unsigned int bin)
{
	return life_count(&m->sites.lives, &m->sites.age[site], bin) *
	       m->sites.site[site].weight;
}

const struct flow_table *match_flows(const struct match *m)
{
	return &m->slab.flows;
}

const struct stacks *match_stacks(const struct match *m)
{
	return m->stacks;
}

const struct match_totals *match_totals(const struct match *m)
{
	return &m->totals;
}
