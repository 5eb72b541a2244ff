// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules 1 to 7, 10 and 11 of Documentation/design/matching.md. */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x1000a, B = 0x1000b, C = 0x1000c, ENTRY = 0xe000 };

#define PTR UINT64_C(0xffff888012345600)
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

static uint64_t virt(uint64_t pfn)
{
	return FEED_BASE + pfn * 4096;
}

TEST(a_freed_object_leaves_nothing_live)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kfree(&f, B, PTR);
	feed_finish(&f);

	const struct site *s = feed_slab_site(&f, A);

	CHECK_EQ(s->allocs, 1);
	CHECK_EQ(s->alloc_bytes, 64);
	CHECK_EQ(s->frees, 1);
	CHECK_EQ(s->free_bytes, 64);
	CHECK_EQ(s->live, 0);
	CHECK_EQ(s->live_bytes, 0);
	CHECK_EQ(s->peak_bytes, 64);
	CHECK_EQ(s->peak_ns, 1000000);

	size_t nr;

	match_sites(f.match, &nr);
	CHECK_EQ(nr, 1); /* the free's own call site saw nothing unusual */
}

TEST(a_live_object_is_live_at_its_own_site_only)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, B, PTR + 64, 32);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 64);
	CHECK_EQ(feed_slab_site(&f, B)->live_bytes, 32);
	CHECK_EQ(feed_slab_site(&f, B)->first_ns, 1001000);
	CHECK_EQ(match_totals(f.match)->first_ns, 1000000);
	CHECK_EQ(match_totals(f.match)->last_ns, 1001000);
	CHECK_EQ(match_totals(f.match)->events[EVENT_KMALLOC], 2);
}

TEST(the_peak_is_the_first_time_of_the_highest_level)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, A, PTR + 64, 64);
	feed_kfree(&f, B, PTR);
	feed_kmalloc(&f, A, PTR, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->peak_bytes, 128);
	CHECK_EQ(feed_slab_site(&f, A)->peak_ns, 1001000);
	CHECK_EQ(feed_slab_site(&f, A)->last_ns, 1003000);
}

TEST(rule_1_frees_of_nothing_are_counted_and_otherwise_ignored)
{
	FEED(f);
	feed_kfree(&f, A, 0);
	feed_kfree(&f, A, 16);
	feed_cache_free(&f, A, 0);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->null_frees, 3);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 0);
	CHECK_EQ(feed_slab_site(&f, A)->unknown_frees, 0);
}

TEST(rule_1_a_failed_allocation_is_counted_at_its_site_and_is_no_object)
{
	FEED(f);
	feed_kmalloc(&f, A, 0, 64);
	feed_cache_alloc(&f, A, 0, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->failures, 2);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, A)->alloc_bytes, 0);
	CHECK_EQ(feed_slab_site(&f, A)->first_ns, 1000000);
}

TEST(rule_2_a_free_of_an_unknown_object_counts_where_it_was_made)
{
	FEED(f);
	feed_kfree(&f, A, PTR);
	feed_cache_free(&f, A, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->unknown_frees, 2);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, A)->first_ns, 1000000);
	CHECK_EQ(feed_slab_site(&f, A)->last_ns, 1001000);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 2);
}

TEST(rule_2_a_second_free_is_unknown_and_takes_nothing_below_zero)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kfree(&f, B, PTR);
	feed_kfree(&f, B, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 0);
	CHECK_EQ(feed_slab_site(&f, B)->unknown_frees, 1);
}

TEST(rule_3_alloc_on_a_live_address_ends_the_earlier_object)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, B, PTR, 32);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_bytes[END_REUSE], 64);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 0);
	CHECK_EQ(feed_slab_site(&f, B)->live_bytes, 32);
}

TEST(rule_3_the_second_event_of_a_large_kmalloc_moves_the_object_to_its_caller)
{
	FEED(f);
	feed_kmalloc(&f, ENTRY, PTR, 16384);
	feed_kmalloc(&f, B, PTR, 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 1);
	CHECK_EQ(feed_slab_site(&f, B)->allocs, 1);
	CHECK_EQ(feed_slab_site(&f, B)->alloc_bytes, 16384);
	CHECK_EQ(feed_slab_site(&f, B)->bytes_req, 16384);
	CHECK_EQ(feed_slab_site(&f, B)->live, 1);
	CHECK_EQ(feed_slab_site(&f, B)->inferred_frees[END_REUSE], 0);

	size_t nr;

	match_sites(f.match, &nr);
	CHECK_EQ(nr, 1); /* nothing is left to say about the entry function */
}

TEST(rule_3_a_duplicate_leaves_no_peak_where_it_was_first_seen)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 9000);
	feed_kmalloc(&f, A, PTR + 0x10000, 16384);
	feed_kmalloc(&f, B, PTR + 0x10000, 16384);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->peak_bytes, 9000);
	CHECK_EQ(feed_slab_site(&f, A)->peak_ns, 1000000);
	CHECK_EQ(feed_slab_site(&f, B)->peak_bytes, 16384);
}

TEST(rule_3_a_third_event_at_the_address_is_a_reuse)
{
	FEED(f);
	for (int i = 0; i < 3; i++)
		feed_kmalloc(&f, A, PTR, 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 1);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 2);
}

TEST(rule_3_no_duplicate_from_another_task_context_size_or_below_the_limit)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 16384);
	f.pid = 101;
	feed_kmalloc(&f, A, PTR, 16384);
	f.context = EVENT_SOFTIRQ;
	feed_kmalloc(&f, A, PTR, 16384);
	feed_kmalloc(&f, A, PTR, 32768);
	feed_kmalloc(&f, A, PTR + 0x10000, 8192);
	feed_kmalloc(&f, A, PTR + 0x10000, 8192);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 0);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 4);
}

static enum code_class in_entry(void *arg, uint64_t addr)
{
	(void)arg;
	return addr == ENTRY ? CODE_ALLOCATOR : CODE_OTHER;
}

TEST(rule_3_where_entry_functions_are_known_only_they_have_duplicates)
{
	CLEANUP(feed_deinit) struct feed f;

	feed_init_classify(&f, in_entry);
	feed_kmalloc(&f, A, PTR, 16384);
	feed_kmalloc(&f, B, PTR, 16384);
	feed_kmalloc(&f, ENTRY, PTR + 0x10000, 16384);
	feed_kmalloc(&f, B, PTR + 0x10000, 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 1);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK_EQ(feed_slab_site(&f, ENTRY)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, B)->allocs, 2);
}

TEST(rule_3_page_allocation_by_the_task_means_the_next_kmalloc_is_its_own)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 16384);
	feed_page_alloc(&f, A, 0x55554, 2);
	feed_kmalloc(&f, A, PTR, 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 0);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
}

TEST(rule_3_a_free_stamped_just_after_the_reuse_is_of_the_earlier_object)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, B, PTR, 64);
	f.now_ns -= 700; /* 300 ns after the reuse */
	f.cpu = 1;
	feed_kfree(&f, C, PTR);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->skewed_frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 0);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_bytes[END_REUSE], 0);
	CHECK_EQ(feed_slab_site(&f, B)->live, 1);
}

TEST(rule_3_a_later_free_or_one_of_the_same_cpu_is_of_the_newer_object)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, B, PTR, 64);
	f.cpu = 1;
	feed_kfree(&f, C, PTR); /* 1000 ns after */
	feed_kmalloc(&f, A, PTR, 64);
	feed_kmalloc(&f, B, PTR, 64);
	f.now_ns -= 900;
	feed_kfree(&f, C, PTR);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->skewed_frees, 0);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 2);
	CHECK_EQ(feed_slab_site(&f, B)->frees, 2);
}

TEST(rule_5_objects_of_a_silent_allocation_are_unknown_frees_only)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kfree(&f, B, PTR + 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 1);
}

TEST(rule_6_a_page_free_ends_the_objects_in_its_pages)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, C, 0x5000, 1);
	feed_kmalloc(&f, A, virt(0x5000), 96);
	feed_kmalloc(&f, A, virt(0x5000) + 96, 96);
	feed_kmalloc(&f, A, virt(0x5001) + 96, 96);
	feed_kmalloc(&f, B, virt(0x5002), 96);
	feed_page_free(&f, 0x5000, 1);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->page_offset_base, FEED_BASE);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_SLAB_PAGE], 3);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_bytes[END_SLAB_PAGE], 288);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, B)->live, 1);
}

TEST(rule_6_holds_for_pages_allocated_before_the_recording)
{
	FEED(f);
	feed_prime_base(&f);
	feed_kmalloc(&f, A, virt(0x5000) + 8, 8);
	feed_kmalloc(&f, A, virt(0x5000) + 4088, 8);
	feed_page_free(&f, 0x5000, 0);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_SLAB_PAGE], 2);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
}

TEST(rule_6_a_page_allocation_ends_them_too)
{
	FEED(f);
	feed_prime_base(&f);
	feed_kmalloc(&f, A, virt(0x5001) + 64, 64);
	feed_page_alloc(&f, C, 0x5000, 2);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_SLAB_PAGE], 1);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
}

TEST(rule_6_finds_objects_at_odd_addresses)
{
	FEED(f);
	feed_prime_base(&f);
	feed_kmalloc(&f, A, virt(0x5000) + 1, 1);
	feed_kmalloc(&f, A, virt(0x5000) + 4095, 1);
	feed_kmalloc(&f, B, virt(0x5001), 1);
	feed_page_free(&f, 0x5000, 0);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, B)->live, 1);
}

TEST(rule_6_waits_until_the_base_is_known)
{
	FEED(f);
	feed_kmalloc(&f, A, virt(0x5000), 64);
	feed_page_free(&f, 0x5000, 0);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->page_offset_base, 0);
	CHECK_EQ(feed_slab_site(&f, A)->live, 1);
}

TEST(rule_7_kfree_of_a_cache_object_is_a_free_like_any)
{
	FEED(f);
	feed_cache_alloc(&f, A, PTR, 64);
	feed_kfree(&f, B, PTR);
	feed_kmalloc(&f, A, PTR, 64);
	feed_cache_free(&f, B, PTR);
	feed_kmalloc(&f, A, PTR, 64);
	feed_kfree(&f, B, PTR);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->cross_type_frees, 2);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 3);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
}

TEST(rule_10_a_large_kmalloc_and_its_page_block_are_one_account)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, C, 0x5000, 2);
	feed_kmalloc(&f, A, virt(0x5000), 16384);
	feed_kmalloc(&f, B, virt(0x5000), 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->large_kmalloc_blocks, 1);
	CHECK_EQ(match_totals(f.match)->duplicate_kmallocs, 1);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, B)->allocs, 0);
	CHECK_EQ(feed_page_site(&f, C)->live_bytes, 16384);
}

TEST(rule_10_the_kfree_of_the_twin_is_a_known_free)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, C, 0x5000, 2);
	feed_kmalloc(&f, A, virt(0x5000), 16384);
	feed_kfree(&f, B, virt(0x5000));
	feed_page_free(&f, 0x5000, 2);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 0);
	CHECK_EQ(feed_slab_site(&f, B)->unknown_frees, 0);
	CHECK_EQ(feed_page_site(&f, C)->frees, 1);
	CHECK_EQ(feed_page_site(&f, C)->live, 0);
}

TEST(rule_10_needs_no_base_when_the_block_was_allocated_just_before)
{
	FEED(f);
	feed_page_alloc(&f, C, 0x5000, 2);
	feed_kmalloc(&f, A, virt(0x5000), 16384);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->page_offset_votes, 1);
	CHECK_EQ(match_totals(f.match)->large_kmalloc_blocks, 1);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
}

TEST(rule_10_without_a_block_of_its_size_it_stays_a_slab_object)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, C, 0x5000, 3);
	feed_kmalloc(&f, A, virt(0x5000), 16384);
	feed_kmalloc(&f, A, virt(0x6000), 16384);
	feed_kmalloc(&f, A, virt(0x5800), 12288);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->large_kmalloc_blocks, 0);
	CHECK_EQ(feed_slab_site(&f, A)->live, 3);
	CHECK_EQ(feed_page_site(&f, C)->live, 1);
}

TEST(rule_11_a_slab_page_and_the_objects_in_it_are_both_counted)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, C, 0x5000, 0);
	feed_kmalloc(&f, A, virt(0x5000), 64);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, C)->live_bytes, 4096);
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 64);
}

TEST(the_cache_of_a_site_comes_from_its_allocations)
{
	FEED(f);
	f.cache = 5;
	feed_cache_alloc(&f, A, PTR, 64);
	f.cache = 5;
	feed_cache_alloc(&f, A, PTR + 64, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->cache, 5);
}

TEST(the_cache_of_a_site_is_learned_from_frees_and_lost_when_they_disagree)
{
	FEED(f);
	for (uint16_t i = 0; i < 2; i++) {
		feed_cache_alloc(&f, A, PTR, 64);
		f.cache = 5;
		feed_cache_free(&f, C, PTR);
		feed_cache_alloc(&f, B, PTR, 64);
		f.cache = 5 + i;
		feed_cache_free(&f, C, PTR);
	}
	feed_cache_alloc(&f, B, PTR, 64);
	f.cache = 6;
	feed_cache_free(&f, C, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->cache, 5);
	CHECK_EQ(feed_slab_site(&f, B)->cache, 0);
}

TEST(a_size_that_cannot_be_is_left_out_and_counted)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, UINT64_MAX);
	feed_kfree(&f, B, PTR);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->implausible, 1);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, B)->unknown_frees, 1);
}

TEST(a_million_objects_come_and_go)
{
	FEED(f);
	for (uint64_t i = 0; i < 1000000; i++)
		feed_kmalloc(&f, A + i % 1000, PTR + i * 64, 64);
	for (uint64_t i = 0; i < 1000000; i += 2)
		feed_kfree(&f, B, PTR + i * 64);
	feed_finish(&f);

	size_t nr;
	uint64_t live = 0;
	const struct site *s = match_sites(f.match, &nr);

	CHECK_EQ(nr, 1000);
	for (size_t i = 0; i < nr; i++)
		live += s[i].live;
	CHECK_EQ(live, 500000);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 0);
}
