// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/match.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "match/bounds.h"
#include "match/charge.h"
#include "match/state.h"
#include "match/take.h"

/* Of pages, where nothing tells: that many of them lost leave nothing to judge by. */
#define MOST_LOST 0.99

/* Bytes that a site takes when the books are closed, and then by the database. */
enum { SITE_REST = 1000 };

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
	m->stacks = stacks_new();
	sitetab_init(&m->sites);
	sitetab_self(&m->sites, opts->self, opts->nr_self);
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
		page_spill(&m->pages, m->spill);
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
	free(m);
}

/* As live.h has it: since the first event. */
static uint64_t relative_time(const struct match *m, uint64_t ts_ns)
{
	uint64_t time = ts_ns > m->base_ns ? ts_ns - m->base_ns : 0;

	return time < LIVE_MAX_TIME ? time : LIVE_MAX_TIME;
}

static uint64_t end_of_window(const struct match *m)
{
	return m->opts.until_ns && m->opts.until_ns < m->totals.last_ns ? m->opts.until_ns
									: m->totals.last_ns;
}

void match_event(struct match *m, const struct event *ev)
{
	take_event(m, ev);
}

void match_run(struct match *m, const struct merge_run *run)
{
	take_run(m, run);
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

struct err *match_error(const struct match *m)
{
	return page_error(&m->pages);
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
		take_begin_window(m);
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
	return life_count(&m->sites.lives, &m->sites.site[site].life, bin) *
	       m->sites.site[site].weight;
}

uint64_t match_aged(const struct match *m, size_t site, unsigned int bin)
{
	return life_count(&m->sites.lives, &m->sites.age[site], bin) *
	       m->sites.site[site].weight;
}

bool match_has_lives(const struct match *m, size_t site, unsigned int bin)
{
	unsigned int row = bin / LIFE_ROW;

	return m->sites.site[site].life.row[row] || m->sites.age[site].row[row];
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
