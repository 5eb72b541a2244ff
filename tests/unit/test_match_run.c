// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run does is what its events do one by one. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decode/clues.h"
#include "match/match.h"
#include "tests/lib/test.h"

DEFINE_CLEANUP(struct clues *, clues, clues_free)

enum {
	NR_CPUS = 2,
	NR_EVENTS = 60000,
	MOST_RUN = 60,
	NR_PAGES = 64,
	NR_VOTES = 1100,
	PAGE = 4096
};

#define DIRECT_MAP UINT64_C(0xffff888000000000)

static const struct hash_secret secret = { 11, 13 };
static const uint64_t frames[3] = { 100, 200, 300 }, area_frames[2] = { 51, 60 };
static const uint64_t area_page_frames[3] = { 52, 51, 60 };

struct history {
	struct event event[NR_EVENTS];
	uint64_t random, ns;
	size_t nr;
};

static unsigned int any(struct history *h, unsigned int below)
{
	h->random = h->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned int)(h->random >> 33) % below;
}

/* Some of them at the same time, some a little back. */
static void push(struct history *h, struct event ev)
{
	unsigned int step = any(h, 40);

	if (h->nr == NR_EVENTS)
		return;
	h->ns += step == 1 ? 200000 : step;
	ev.ts_ns = h->ns - (any(h, 50) ? 0 : any(h, 3));
	h->event[h->nr++] = ev;
}

/* A slab page and its first object, which tell where the direct map starts. */
static void push_vote(struct history *h, uint64_t pfn)
{
	struct event page = { .kind = EVENT_PAGE_ALLOC,
			      .addr = pfn,
			      .bytes_req = PAGE,
			      .bytes_alloc = PAGE,
			      .pid = 7 };
	struct event object = { .kind = EVENT_CACHE_ALLOC,
				.addr = DIRECT_MAP + pfn * PAGE,
				.call_site = 40,
				.bytes_req = 64,
				.bytes_alloc = 64,
				.pid = 7 };

	push(h, page);
	push(h, object);
}

static void push_any(struct history *h)
{
	static const uint8_t kinds[] = {
		EVENT_KMALLOC,	  EVENT_KMALLOC,    EVENT_CACHE_ALLOC, EVENT_CACHE_ALLOC,
		EVENT_KFREE,	  EVENT_KFREE,	    EVENT_CACHE_FREE,  EVENT_CACHE_FREE,
		EVENT_PAGE_ALLOC, EVENT_PAGE_FREE,  EVENT_RCU_FREE,    EVENT_BULK_ALLOC,
		EVENT_BULK_FREE,  EVENT_VMAP_ALLOC, EVENT_VMAP_FREE,   EVENT_LOST,
	};
	bool lost = h->nr > NR_EVENTS / 2 && !any(h, 60);
	uint8_t kind = kinds[any(h, any(h, 20) ? 10 : lost ? 16 : 15)];
	uint64_t size = UINT64_C(32) << any(h, 3);
	uint64_t pfn = 16 + any(h, NR_PAGES);
	struct event ev = {
		.kind = kind & 31,
		.addr = DIRECT_MAP + pfn * PAGE + any(h, 4) * 512,
		.pid = (int32_t)any(h, 4),
		.cpu = (uint16_t)any(h, NR_CPUS),
		.context = any(h, 9) ? 0 : EVENT_SOFTIRQ,
		.cache = (uint16_t)any(h, 3),
		.call_site = 50 + any(h, 5),
	};

	switch ((enum event_kind)kind) {
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_BULK_ALLOC:
		ev.bytes_req = size - any(h, 9);
		ev.bytes_alloc = any(h, 60) ? size : any(h, 2) ? 0 : 4 * PAGE;
		ev.gfp_flags = any(h, 2);
		ev.stack = any(h, 6) ? NULL : frames;
		ev.nr_stack = ev.stack ? 2 + any(h, 2) : 0;
		break;
	case EVENT_PAGE_ALLOC:
	case EVENT_PAGE_FREE:
		ev.order = any(h, 4) ? 0 : (any(h, 9) ? any(h, 6) : 7 + any(h, 2)) & 31;
		ev.addr = pfn >> ev.order << ev.order;
		ev.bytes_req = ev.bytes_alloc = (uint64_t)PAGE << ev.order;
		ev.call_site = 0;
		ev.stack = any(h, 4) ? frames : area_page_frames;
		ev.nr_stack = ev.stack == frames ? 1 + any(h, 3) : 3;
		break;
	case EVENT_VMAP_ALLOC:
		ev.bytes_req = ev.bytes_alloc = 4 * PAGE;
		ev.stack = area_frames;
		ev.nr_stack = 2;
		break;
	case EVENT_LOST:
		ev.addr = h->ns;
		break;
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
	case EVENT_BULK_FREE:
	case EVENT_RCU_FREE:
	case EVENT_VMAP_FREE:
	case EVENT_PERCPU_ALLOC:
	case EVENT_PERCPU_FREE:
	case EVENT_PAGE_BULK:
	case EVENT_PAGE_MOVE:
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
	if (!any(h, 200))
		ev.addr = any(h, 2) ? 0 : CLUE_ZERO_PTR;
	push(h, ev);
}

static struct history *history(uint64_t seed)
{
	struct history *h = xcalloc(1, sizeof(*h));

	*h = (struct history){ .random = seed, .ns = 1000000 };
	for (uint64_t i = 0; i < NR_VOTES; i++)
		push_vote(h, 1000 + i);
	while (h->nr < NR_EVENTS)
		push_any(h);
	return h;
}

/* As a merge would hand them out. */
static void feed_runs(struct match *m, const struct history *h)
{
	struct clues *clues[NR_CPUS] = { clues_new(16, secret), clues_new(16, secret) };
	struct merge_item item[MOST_RUN + MERGE_BEHIND];
	uint64_t random = h->random;

	for (size_t i = 0; i < h->nr;) {
		struct merge_run run = { .item = item,
					 .nr_cpus = NR_CPUS,
					 .in_order = true,
					 .earliest_ns = UINT64_MAX,
					 .secret = secret };
		size_t most = 1 + (size_t)(random >> 33) % MOST_RUN;

		random = random * UINT64_C(6364136223846793005) + 1;
		for (; i < h->nr && run.nr < most; i++) {
			const struct event *ev = &h->event[i];
			struct clue clue[1];
			struct clues_survey survey = clues_find(clues[ev->cpu], ev, 1, clue);

			run.kinds |= survey.kinds;
			run.in_order &= ev->ts_ns >= run.latest_ns;
			if (ev->ts_ns > run.latest_ns)
				run.latest_ns = ev->ts_ns;
			if (ev->ts_ns < run.earliest_ns)
				run.earliest_ns = ev->ts_ns;
			item[run.nr++] = (struct merge_item){ ev, *clue, ev->cpu };
		}
		for (size_t k = 0; k < MERGE_BEHIND; k++)
			item[run.nr + k] = (struct merge_item){ .clue.class = CLUE_FREE };
		match_run(m, &run);
	}
	for (int i = 0; i < NR_CPUS; i++)
		clues_free(clues[i]);
}

static bool same_bytes(const struct site *a, const struct site *b, size_t from, size_t to)
{
	return !memcmp((const char *)a + from, (const char *)b + from, to - from);
}

/* But for what only the next event would ask for. */
static void check_sites(const struct match *a, const struct match *b)
{
	size_t nr_a, nr_b;
	const struct site *x = match_sites(a, &nr_a), *y = match_sites(b, &nr_b);

	CHECK_EQ(nr_a, nr_b);
	CHECK(nr_a > 10);
	for (size_t i = 0; i < nr_a && i < nr_b; i++, x++, y++) {
		CHECK_EQ(x->call_site, y->call_site);
		CHECK_EQ(x->cache, y->cache);
		CHECK_EQ(x->self, y->self);
		CHECK(same_bytes(x, y, offsetof(struct site, live),
				 offsetof(struct site, stamp)));
		CHECK(same_bytes(x, y, offsetof(struct site, max_bytes),
				 offsetof(struct site, burst)));
		CHECK(same_bytes(x, y, offsetof(struct site, lived),
				 offsetof(struct site, age_sum_ns) + sizeof(x->age_sum_ns)));
		for (unsigned int bin = 0; bin < LIFE_BINS; bin++) {
			CHECK_EQ(match_lived(a, i, bin), match_lived(b, i, bin));
			CHECK_EQ(match_aged(a, i, bin), match_aged(b, i, bin));
		}
	}
}

static void check_accounts(const struct match *a, const struct match *b)
{
	size_t nr_a, nr_b;
	const struct account *x = match_accounts(a, &nr_a), *y = match_accounts(b, &nr_b);

	CHECK_EQ(nr_a, nr_b);
	CHECK(!memcmp(x, y, (nr_a < nr_b ? nr_a : nr_b) * sizeof(*x)));
}

static void check_rest(const struct match *a, const struct match *b)
{
	const struct series *s = match_series(a), *t = match_series(b);
	const struct flow_table *f = match_flows(a), *g = match_flows(b);

	CHECK(!memcmp(match_totals(a), match_totals(b), sizeof(struct match_totals)));
	CHECK(!memcmp(match_peak(a, SITE_SLAB), match_peak(b, SITE_SLAB),
		      sizeof(struct site_peak)));
	CHECK_EQ(s->nr, t->nr);
	for (size_t i = 0; i < s->nr && i < t->nr; i++) {
		CHECK_EQ(s->entry[i].site, t->entry[i].site);
		CHECK_EQ(s->entry[i].bucket, t->entry[i].bucket);
		CHECK_EQ(s->entry[i].live_bytes, t->entry[i].live_bytes);
		CHECK_EQ(s->entry[i].alloc_bytes, t->entry[i].alloc_bytes);
	}
	CHECK_EQ(f->nr, g->nr);
	CHECK(!f->full);
	for (size_t i = 0; i < f->nr && i < g->nr; i++) {
		CHECK_EQ(f->flow[i].call_site, g->flow[i].call_site);
		CHECK_EQ(f->flow[i].site, g->flow[i].site);
		CHECK_EQ(f->flow[i].nr, g->flow[i].nr);
	}
}

static enum code_class classify(void *arg, uint64_t addr)
{
	(void)arg;
	return addr == 51 ? CODE_VMALLOC : addr == 52 ? CODE_ALLOCATOR : CODE_OTHER;
}

static void check_same(const struct match_opts *opts)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		auto_free struct history *h = history(seed);
		CLEANUP(match_cleanup) struct match *a = match_new(opts);
		CLEANUP(match_cleanup) struct match *b = match_new(opts);

		for (size_t i = 0; i < h->nr; i++)
			match_event(a, &h->event[i]);
		feed_runs(b, h);
		match_finish(a);
		match_finish(b);
		CHECK(match_totals(b)->page_offset_base == DIRECT_MAP);
		CHECK(match_totals(b)->unknown_frees[SITE_SLAB] > 100);
		check_sites(a, b);
		check_accounts(a, b);
		check_rest(a, b);
	}
}

TEST(a_run_does_what_its_events_do_one_by_one)
{
	static const int32_t self[] = { 3 };

	check_same(&(struct match_opts){
		.page_size = PAGE, .classify = classify, .self = self, .nr_self = 1 });
}

TEST(a_run_that_a_window_begins_or_ends_in_does_too)
{
	check_same(&(struct match_opts){
		.page_size = PAGE, .from_ns = 60000000, .until_ns = 150000000 });
}
