// SPDX-License-Identifier: GPL-2.0-or-later
/* Percpu and vmap areas, loss (rules 13, 14), the vote for the direct map. */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x3000a, B = 0x3000b, C = 0x3000c };

#define COOKIE UINT64_C(0x60795baff178)
#define AREA   UINT64_C(0xffffc90000004000)
#define PTR    UINT64_C(0xffff888012345600)
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

TEST(a_percpu_area_is_paired_by_its_cookie)
{
	FEED(f);
	feed_percpu_alloc(&f, A, COOKIE, 64);
	feed_percpu_alloc(&f, A, COOKIE + 16, 128);
	feed_percpu_free(&f, COOKIE);
	feed_percpu_free(&f, COOKIE);
	feed_percpu_alloc(&f, B, 0, 64);
	feed_finish(&f);
	CHECK_EQ(feed_percpu_site(&f, A)->live_bytes, 128);
	CHECK_EQ(feed_percpu_site(&f, A)->frees, 1);
	CHECK_EQ(feed_percpu_site(&f, B)->failures, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PERCPU], 1);
}

TEST(a_vmap_area_is_paired_by_its_start)
{
	FEED(f);
	feed_vmap_alloc(&f, A, AREA, 16384);
	feed_vmap_alloc(&f, A, 0, 16384);
	feed_vmap_alloc(&f, B, AREA + 0x10000, 4096);
	feed_vmap_free(&f, AREA);
	feed_vmap_free(&f, AREA + 0x20000);
	feed_finish(&f);
	CHECK_EQ(feed_vmap_site(&f, A)->frees, 1);
	CHECK_EQ(feed_vmap_site(&f, A)->failures, 1);
	CHECK_EQ(feed_vmap_site(&f, A)->peak_bytes, 16384);
	CHECK_EQ(feed_vmap_site(&f, B)->live_bytes, 4096);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_VMALLOC], 1);
}

TEST(key_spaces_do_not_meet)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_percpu_alloc(&f, A, PTR, 64);
	feed_vmap_alloc(&f, A, PTR, 64);
	feed_percpu_free(&f, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live, 1);
	CHECK_EQ(feed_percpu_site(&f, A)->live, 0);
	CHECK_EQ(feed_vmap_site(&f, A)->live, 1);
}

TEST(rule_3_an_area_at_a_live_address_ends_the_earlier_one)
{
	FEED(f);
	feed_vmap_alloc(&f, A, AREA, 16384);
	feed_vmap_alloc(&f, B, AREA, 8192);
	feed_percpu_alloc(&f, A, COOKIE, 64);
	feed_percpu_alloc(&f, A, COOKIE, 64);
	feed_finish(&f);
	CHECK_EQ(feed_vmap_site(&f, A)->inferred_bytes[END_REUSE], 16384);
	CHECK_EQ(feed_vmap_site(&f, B)->live, 1);
	CHECK_EQ(feed_percpu_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK_EQ(feed_percpu_site(&f, A)->live, 1);
}

TEST(rule_13_a_late_free_counts_when_it_comes)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	f.now_ns += UINT64_C(6000000000);
	feed_kfree(&f, B, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
}

TEST(rule_14_what_lives_across_a_gap_is_uncertain)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, A, PTR + 64, 64);
	feed_page_alloc(&f, A, 0x4000, 2);
	feed_page_free(&f, 0x4000, 0);
	feed_percpu_alloc(&f, A, COOKIE, 64);
	feed_vmap_alloc(&f, A, AREA, 8192);
	feed_lost(&f, f.now_ns - 500, 12);
	feed_kmalloc(&f, A, PTR + 128, 64);
	feed_page_alloc(&f, A, 0x5000, 0);
	feed_kfree(&f, B, PTR + 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live, 2);
	CHECK_EQ(feed_slab_site(&f, A)->uncertain, 1);
	CHECK_EQ(feed_slab_site(&f, A)->uncertain_bytes, 64);
	CHECK_EQ(feed_page_site(&f, A)->live, 2);
	CHECK_EQ(feed_page_site(&f, A)->uncertain, 1);
	CHECK_EQ(feed_page_site(&f, A)->uncertain_bytes, 3 * 4096);
	CHECK_EQ(feed_percpu_site(&f, A)->uncertain, 1);
	CHECK_EQ(feed_vmap_site(&f, A)->uncertain_bytes, 8192);
}

TEST(rule_14_gaps_are_counted_with_what_they_tell)
{
	FEED(f);
	feed_lost(&f, 0, 12);
	feed_lost(&f, 0, 30);
	feed_lost(&f, 0, EVENT_LOST_UNKNOWN);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->lost_gaps, 3);
	CHECK_EQ(match_totals(f.match)->lost_counted, 42);
	CHECK_EQ(match_totals(f.match)->lost_uncounted_gaps, 1);
}

TEST(without_a_gap_nothing_is_uncertain)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_page_alloc(&f, A, 0x4000, 0);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->uncertain, 0);
	CHECK_EQ(feed_page_site(&f, A)->uncertain, 0);
}

TEST(the_base_of_the_direct_map_is_voted_by_objects_in_fresh_pages)
{
	FEED(f);
	feed_page_alloc(&f, C, 0x123450, 3);
	feed_kmalloc(&f, A, FEED_BASE + 0x999990000, 64); /* of another slab */
	feed_kmalloc(&f, A, FEED_BASE + 0x123453000 + 192, 64);
	feed_page_alloc(&f, C, 0x8000, 0);
	f.pid = 200;
	feed_kmalloc(&f, A, FEED_BASE + 0x8000000, 64); /* not the task of the page */
	f.pid = 100;
	feed_kmalloc(&f, A, FEED_BASE + 0x8000040, 64);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->page_offset_base, FEED_BASE);
	CHECK_EQ(match_totals(f.match)->page_offset_votes, 2);
	CHECK_EQ(match_totals(f.match)->page_offset_dissent, 0);
}

TEST(votes_that_disagree_elect_no_base)
{
	FEED(f);
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t base = FEED_BASE + (i % 2 << 30);

		feed_page_alloc(&f, C, 0x8000 + i, 0);
		feed_kmalloc(&f, A, base + (0x8000 + i) * 4096, 64);
	}
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->page_offset_base, 0);
	CHECK_EQ(match_totals(f.match)->page_offset_votes, 2);
	CHECK_EQ(match_totals(f.match)->page_offset_dissent, 2);
}

TEST(equal_stacks_have_equal_ids_and_keep_their_frames)
{
	struct stacks *s = stacks_new();
	uint64_t frames[] = { 1, 2, 3 };
	uint32_t id = stacks_id(s, frames, 3);
	size_t nr;

	CHECK_EQ(id, 1);
	CHECK_EQ(stacks_id(s, frames, 2), 2);
	for (uint64_t i = 10; i < 100000; i++) {
		frames[0] = i;
		stacks_id(s, frames, 3);
	}
	frames[0] = 1;
	CHECK_EQ(stacks_id(s, frames, 3), id);
	CHECK_EQ(stacks_id(s, NULL, 0), SITE_NO_STACK);
	CHECK_EQ(stacks_count(s), 99992);

	const uint64_t *have = stacks_frames(s, 50000, &nr);

	CHECK_EQ(nr, 3);
	CHECK_EQ(have[0], 50007);
	CHECK(!stacks_frames(s, SITE_NO_STACK, &nr));
	CHECK(!stacks_frames(s, 99993, &nr));
	stacks_free(s);
}
