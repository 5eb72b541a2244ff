// SPDX-License-Identifier: GPL-2.0-or-later
/* Between which numbers net usage lies (rule 17). */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x3000a, B = 0x3000b, FREE = 0x4000a };

#define PTR UINT64_C(0xffff888012345000)
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

static void judge(struct feed *f, uint64_t lost)
{
	uint32_t group[64];

	for (uint32_t i = 0; i < 64; i++)
		group[i] = i;
	feed_finish(f);
	match_judge(f->match, group, lost);
}

TEST(rule_17_pairs_leave_no_doubt)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, A, PTR + 64, 96);
	feed_kfree(&f, FREE, PTR);
	judge(&f, 0);
	CHECK_EQ(feed_slab_site(&f, A)->lower, 1);
	CHECK_EQ(feed_slab_site(&f, A)->lower_bytes, 96);
	CHECK_EQ(feed_slab_site(&f, A)->upper, 1);
	CHECK_EQ(feed_slab_site(&f, A)->upper_bytes, 96);
	CHECK_EQ(match_totals(f.match)->missed_calls, 0);
}

TEST(rule_17_where_no_free_is_ever_seen_nothing_need_live)
{
	FEED(f);
	for (int i = 0; i < 10; i++)
		feed_kmalloc(&f, A, PTR, 64);
	for (uint64_t i = 1; i < 6; i++)
		feed_kmalloc(&f, A, PTR + 64 * i, 64);
	judge(&f, 0);
	CHECK_EQ(feed_slab_site(&f, A)->live, 6);
	CHECK_EQ(feed_slab_site(&f, A)->lower, 0);
	CHECK_EQ(feed_slab_site(&f, A)->lower_bytes, 0);
	CHECK_EQ(feed_slab_site(&f, A)->upper, 6);
}

TEST(rule_17_few_silent_frees_cast_little_doubt)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	for (int i = 0; i < 1000; i++) {
		feed_kmalloc(&f, A, PTR, 64);
		feed_kfree(&f, FREE, PTR);
	}
	for (uint64_t i = 0; i < 100; i++)
		feed_kmalloc(&f, A, PTR + 64 * i, 64);
	judge(&f, 0);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK(feed_slab_site(&f, A)->lower >= 98 && feed_slab_site(&f, A)->lower < 100);
}

TEST(rule_17_what_lived_across_a_gap_may_be_gone)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_lost(&f, f.now_ns - 500, 1);
	feed_kmalloc(&f, A, PTR + 64, 64);
	judge(&f, 0);
	CHECK_EQ(feed_slab_site(&f, A)->lower, 1);
	CHECK_EQ(feed_slab_site(&f, A)->lower_bytes, 64);
}

TEST(rule_17_no_more_was_missed_than_was_lost)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kfree(&f, FREE, PTR);
	feed_kfree(&f, FREE, PTR + 4096);
	feed_lost(&f, f.now_ns - 500, 3);
	judge(&f, 0);
	CHECK_EQ(match_totals(f.match)->lost_estimate, 3);
	CHECK_EQ(feed_slab_site(&f, A)->upper, 3);
	CHECK_EQ(feed_slab_site(&f, A)->upper_bytes, 3 * 64);
	CHECK_EQ(feed_slab_site(&f, FREE)->upper, 0);
	CHECK_EQ(match_totals(f.match)->missed_calls, 3);
	CHECK_EQ(match_totals(f.match)->missed_bytes, 3 * 64);
}

TEST(rule_17_the_kernels_own_count_of_lost_events_counts)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	judge(&f, 2);
	CHECK_EQ(match_totals(f.match)->lost_estimate, 2);
	CHECK_EQ(feed_slab_site(&f, A)->upper, 3);
}

TEST(rule_17_more_loss_widens_the_bounds)
{
	uint64_t upper[3];

	for (uint64_t i = 0; i < 3; i++) {
		FEED(f);
		for (uint64_t n = 0; n < 500; n++)
			feed_kmalloc(&f, n % 5 ? B : A, PTR + 64 * n, 64);
		judge(&f, 200 << 2 * i);
		upper[i] = feed_slab_site(&f, A)->upper;
	}
	CHECK(upper[0] > 100 + 20);
	CHECK(upper[1] > upper[0]);
	CHECK(upper[2] > upper[1] && upper[2] < 100 + 3200);
}

TEST(rule_17_a_gap_without_a_count_is_measured_by_its_length)
{
	FEED(f);
	for (uint64_t n = 0; n < 1000; n++)
		feed_kmalloc(&f, A, PTR + 64 * n, 64);
	f.now_ns += 500000; /* as long as 500 events */
	feed_lost(&f, f.now_ns - 500000, EVENT_LOST_UNKNOWN);
	judge(&f, 0);
	CHECK(match_totals(f.match)->lost_estimate > 450 &&
	      match_totals(f.match)->lost_estimate < 550);
}
