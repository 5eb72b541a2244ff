// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules 4, 5, 12 and 13 of Documentation/design/matching.md: what only probes tell. */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

enum { A = 0x2000a, B = 0x2000b, PFN = 0x4000 };
static const uint64_t P = FEED_BASE + 0x123000;

static void probe(struct feed *f, enum event_kind kind, uint64_t site, uint64_t addr,
		  uint64_t bytes)
{
	struct event ev = {
		.kind = kind,
		.call_site = site,
		.addr = addr,
		.bytes_req = bytes,
		.bytes_alloc = bytes,
		.ts_ns = f->now_ns,
		.pid = f->pid,
	};

	match_event(f->match, &ev);
	f->now_ns += 1000;
}

TEST(rule_4_an_object_of_a_bulk_free_is_freed)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	probe(&f, EVENT_BULK_FREE, B, P, 0);
	probe(&f, EVENT_BULK_FREE, B, P, 0);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, B)->unknown_frees, 1);
	CHECK_EQ(match_totals(f.match)->cross_type_frees, 0);
}

TEST(rule_5_an_object_of_a_bulk_allocation_is_one)
{
	FEED(f);
	probe(&f, EVENT_BULK_ALLOC, A, P, 256);
	probe(&f, EVENT_BULK_ALLOC, A, P + 256, 0);
	feed_cache_free(&f, B, P);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 2);
	CHECK_EQ(feed_slab_site(&f, A)->alloc_bytes, 256);
	CHECK_EQ(feed_slab_site(&f, A)->live, 1);
	CHECK_EQ(match_totals(f.match)->unsized, 1);
	CHECK_EQ(match_totals(f.match)->cross_type_frees, 0);
}

TEST(rule_5_a_page_of_a_bulk_allocation_counts_once)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 0);
	probe(&f, EVENT_PAGE_BULK, B, PFN, 4096);
	probe(&f, EVENT_PAGE_BULK, B, PFN + 1, 4096);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live, 1);
	CHECK_EQ(match_totals(f.match)->bulk_pages_known, 1);

	size_t nr;
	const struct site *s = match_sites(f.match, &nr);

	CHECK_EQ(nr, 2);
	CHECK_EQ(s[1].kind, SITE_PAGE);
	CHECK_EQ(s[1].call_site, B);
	CHECK_EQ(s[1].live_bytes, 4096);
	CHECK_EQ(s[1].missing_stacks, 0);
}

static void move(struct feed *f, uint64_t from, uint64_t to)
{
	probe(f, EVENT_PAGE_MOVE, 0, from, to);
}

TEST(rule_12_a_page_that_moves_keeps_its_site)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 0);
	move(&f, PFN, PFN + 7);
	feed_page_free(&f, PFN, 0);
	feed_page_alloc(&f, B, PFN, 0);
	feed_page_free(&f, PFN + 7, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, B)->live, 1);
	CHECK_EQ(match_totals(f.match)->moved_pages, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 0);
}

TEST(rule_12_what_the_mover_allocated_ends)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 2);
	feed_page_alloc(&f, B, PFN + 8, 2);
	move(&f, PFN, PFN + 8);
	feed_page_free(&f, PFN, 2);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 4 * 4096);
	CHECK_EQ(feed_page_site(&f, B)->live, 0);
	CHECK_EQ(feed_page_site(&f, B)->frees, 1);
}

TEST(rule_12_a_part_of_a_block_moves_alone)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 3);
	move(&f, PFN + 2, PFN + 0x100);
	feed_page_free(&f, PFN + 2, 0);
	feed_page_free(&f, PFN, 3); /* 7 of its pages */
	CHECK_EQ(match_totals(f.match)->unknown_free_bytes[SITE_PAGE], 4096);
	feed_page_free(&f, PFN + 0x100, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, A)->free_bytes, 8 * 4096);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 0);
}

TEST(rule_12_a_page_taken_anew_before_the_old_one_goes_is_left_alone)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 0);
	move(&f, PFN, PFN + 1);
	feed_page_alloc(&f, B, PFN + 1, 0);
	feed_page_free(&f, PFN, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, B)->live, 1);
}

static void rcu(struct feed *f, bool silent)
{
	feed_deinit(f);
	*f = (struct feed){ .match = match_new(&(struct match_opts){ .page_size = 4096,
								     .rcu_silent = silent }),
			    .now_ns = 1000000,
			    .pid = 1 };
	feed_kmalloc(f, A, P, 64);
	feed_kmalloc(f, A, P + 64, 64);
	feed_kmalloc(f, A, P + 128, 64);
	probe(f, EVENT_RCU_FREE, B, P, 0);
	probe(f, EVENT_RCU_FREE, B, P + 64, 0);
	f->now_ns += UINT64_C(3000000000);
	probe(f, EVENT_RCU_FREE, B, P + 128, 0);
	probe(f, EVENT_BULK_FREE, B, P + 64, 0);
	f->now_ns += UINT64_C(4000000000);
	feed_percpu_free(f, 1);
	feed_finish(f);
}

TEST(rule_13_what_rcu_has_is_pending_where_its_frees_are_seen)
{
	FEED(f);
	rcu(&f, false);
	CHECK_EQ(feed_slab_site(&f, A)->live, 2);
	CHECK_EQ(feed_slab_site(&f, A)->rcu_pending, 2);
	CHECK_EQ(feed_slab_site(&f, A)->rcu_pending_bytes, 128);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_RCU], 0);
}

TEST(rule_13_what_rcu_had_for_six_seconds_is_free_where_they_are_not)
{
	FEED(f);
	rcu(&f, true);
	CHECK_EQ(feed_slab_site(&f, A)->live, 1);
	CHECK_EQ(feed_slab_site(&f, A)->rcu_pending, 1);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_RCU], 1);
}

TEST(a_slab_event_with_a_stack_is_of_a_site_of_its_own)
{
	static const uint64_t stack[2] = { A, B };
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	match_event(f.match, &(struct event){ .kind = EVENT_KMALLOC,
					      .call_site = A,
					      .addr = P + 64,
					      .bytes_alloc = 64,
					      .ts_ns = f.now_ns,
					      .stack = stack,
					      .nr_stack = 2 });
	feed_finish(&f);

	size_t nr;
	const struct site *s = match_sites(f.match, &nr);

	CHECK_EQ(nr, 2);
	CHECK_EQ(s[0].stack, SITE_NO_STACK);
	CHECK(s[1].stack != SITE_NO_STACK);
	CHECK_EQ(s[1].call_site, A);
	CHECK_EQ(s[1].live, 1);
}

/* Until the poll is closed, which takes 1000 votes of two events each. */
static void close_poll(struct feed *f)
{
	for (int i = 0; i < 500; i++)
		feed_prime_base(f);
}

static void silent(struct feed *f, uint64_t addr, uint64_t sum)
{
	feed_kfree(f, B, addr);
	CHECK_EQ(match_totals(f->match)->silent_allocs, sum);
}

static const uint64_t OBJECT = FEED_BASE + PFN * UINT64_C(4096);

TEST(rule_5_whether_a_page_is_of_the_recording_holds_until_an_event_tells_of_it)
{
	FEED(f);
	close_poll(&f);
	silent(&f, OBJECT + 64, 0);
	silent(&f, OBJECT + 128, 0);
	feed_page_alloc(&f, A, PFN - 2, 1);
	silent(&f, OBJECT + 192, 0);
	feed_page_alloc(&f, A, PFN, 0);
	silent(&f, OBJECT + 256, 1);
	silent(&f, OBJECT + 320, 2);
	feed_page_free(&f, PFN, 0);
	silent(&f, OBJECT + 384, 2);
	silent(&f, OBJECT + 256, 3); /* a second time */
}

TEST(rule_12_a_page_that_moves_takes_its_age_along)
{
	FEED(f);
	close_poll(&f);
	feed_page_alloc(&f, A, PFN, 0);
	silent(&f, OBJECT + 64, 1);
	move(&f, PFN + 16, PFN); /* what was there before the recording */
	feed_page_free(&f, PFN + 16, 0);
	silent(&f, OBJECT + 128, 1);
}
