// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules 1, 2, 8 and 9 of Documentation/design/matching.md, for pages. */
#include "match/page.h"
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x2000a, B = 0x2000b, C = 0x2000c, PFN = 0x4000 };

#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

TEST(a_block_is_freed_whole)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 3);
	feed_page_free(&f, PFN, 3);
	feed_finish(&f);

	const struct site *s = feed_page_site(&f, A);

	CHECK_EQ(s->allocs, 1);
	CHECK_EQ(s->alloc_bytes, 8 * 4096);
	CHECK_EQ(s->bytes_req, 8 * 4096);
	CHECK_EQ(s->frees, 1);
	CHECK_EQ(s->free_bytes, 8 * 4096);
	CHECK_EQ(s->live, 0);
	CHECK_EQ(match_totals(f.match)->partial_page_frees, 0);
}

TEST(blocks_without_a_stack_are_one_site)
{
	FEED(f);
	feed_page_alloc(&f, 0, PFN, 0);
	feed_page_alloc(&f, 0, PFN + 1, 0);
	feed_page_alloc(&f, 0, EVENT_PFN_NONE, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, 0)->allocs, 2);
	CHECK_EQ(feed_page_site(&f, 0)->missing_stacks, 3);
}

TEST(rule_1_a_failed_page_allocation_is_counted_at_its_site)
{
	FEED(f);
	feed_page_alloc(&f, A, EVENT_PFN_NONE, 9);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->failures, 1);
	CHECK_EQ(feed_page_site(&f, A)->allocs, 0);
}

TEST(rule_2_a_free_of_pages_never_seen_is_counted_with_its_bytes)
{
	FEED(f);
	feed_page_free(&f, PFN, 2);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
	CHECK_EQ(match_totals(f.match)->unknown_free_bytes[SITE_PAGE], 4 * 4096);
}

TEST(rule_8_a_block_shrinks_page_by_page_and_ends_with_the_last)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 2);
	feed_page_free(&f, PFN + 1, 0);
	feed_page_free(&f, PFN + 3, 0);
	feed_page_free(&f, PFN, 0);
	feed_page_alloc(&f, B, PFN + 8, 2);
	feed_page_free(&f, PFN + 8, 1);
	feed_page_free(&f, PFN + 10, 1);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live, 1);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 4096);
	CHECK_EQ(feed_page_site(&f, A)->frees, 0);
	CHECK_EQ(feed_page_site(&f, A)->free_bytes, 3 * 4096);
	CHECK_EQ(feed_page_site(&f, B)->live, 0);
	CHECK_EQ(feed_page_site(&f, B)->frees, 1);
	CHECK_EQ(feed_page_site(&f, B)->free_bytes, 4 * 4096);
	CHECK_EQ(match_totals(f.match)->partial_page_frees, 5);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 0);
}

TEST(rule_8_a_huge_block_freed_page_by_page_ends_once)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 9);
	for (uint64_t i = 0; i < 512; i++)
		feed_page_free(&f, PFN + (i * 37 & 511), 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, A)->free_bytes, 512 * 4096);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 0);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 0);
}

TEST(rule_8_a_page_freed_twice_is_unknown_the_second_time)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 1);
	feed_page_free(&f, PFN, 0);
	feed_page_free(&f, PFN, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 4096);
	CHECK_EQ(match_totals(f.match)->unknown_free_bytes[SITE_PAGE], 4096);
}

TEST(rule_8_a_free_larger_than_known_ends_what_is_known_in_it)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 0);
	feed_page_alloc(&f, B, PFN + 2, 1);
	feed_page_free(&f, PFN, 2);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, B)->frees, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
	CHECK_EQ(match_totals(f.match)->unknown_free_bytes[SITE_PAGE], 4096);
}

TEST(rule_9_allocating_a_live_block_again_ends_it)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 1);
	feed_page_alloc(&f, B, PFN, 1);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->inferred_frees[END_OVERLAP], 1);
	CHECK_EQ(feed_page_site(&f, A)->inferred_bytes[END_OVERLAP], 2 * 4096);
	CHECK_EQ(feed_page_site(&f, A)->live, 0);
	CHECK_EQ(feed_page_site(&f, B)->live_bytes, 2 * 4096);
}

TEST(rule_9_an_overlap_takes_only_the_pages_it_covers)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 2);
	feed_page_alloc(&f, B, PFN + 1, 0);
	feed_page_free(&f, PFN, 0);
	feed_page_free(&f, PFN + 2, 1);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->inferred_bytes[END_OVERLAP], 4096);
	CHECK_EQ(feed_page_site(&f, A)->inferred_frees[END_OVERLAP], 0);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, A)->free_bytes, 3 * 4096);
	CHECK_EQ(feed_page_site(&f, B)->live_bytes, 4096);
}

TEST(rule_9_a_larger_block_takes_over_all_smaller_ones_in_it)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 0);
	feed_page_alloc(&f, A, PFN + 5, 0);
	feed_page_alloc(&f, C, PFN + 8, 0);
	feed_page_alloc(&f, B, PFN, 3);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->inferred_frees[END_OVERLAP], 2);
	CHECK_EQ(feed_page_site(&f, B)->live_bytes, 8 * 4096);
	CHECK_EQ(feed_page_site(&f, C)->live, 1);
}

TEST(a_block_that_is_no_multiple_of_its_size_is_still_kept_page_by_page)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN + 1, 2);
	feed_page_free(&f, PFN + 4, 0);
	feed_page_free(&f, PFN + 5, 0);
	feed_page_alloc(&f, B, PFN + 3, 3);
	feed_page_free(&f, PFN + 3, 3);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->allocs, 1);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 2 * 4096);
	CHECK_EQ(feed_page_site(&f, A)->inferred_bytes[END_OVERLAP], 4096);
	CHECK_EQ(feed_page_site(&f, B)->frees, 1);
	CHECK_EQ(feed_page_site(&f, B)->live_bytes, 0);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
}

TEST(orders_and_pfns_that_cannot_be_are_left_out_and_counted)
{
	FEED(f);
	feed_page_alloc(&f, A, PFN, 14);
	feed_page_alloc(&f, A, PFN, 255);
	feed_page_alloc(&f, A, EVENT_PFN_NONE - 1, 0);
	feed_page_alloc(&f, A, UINT64_C(1) << 40, 0);
	feed_page_free(&f, EVENT_PFN_NONE, 0);
	feed_page_free(&f, (UINT64_C(1) << 40) - 1, 1);
	feed_page_alloc(&f, B, (UINT64_C(1) << 40) - 1, 0);
	feed_page_alloc(&f, B, 0, 13);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->implausible, 6);
	CHECK_EQ(feed_page_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_page_site(&f, B)->live, 2);
}

TEST(rule_8_a_block_that_loses_single_pages_was_split)
{
	FEED(f);
	feed_page_alloc(&f, A, 0x4000, 2); /* as alloc_pages_exact() does it */
	feed_page_free(&f, 0x4003, 0);
	feed_page_alloc(&f, A, 0x5000, 9); /* as vmalloc does it */
	for (uint64_t pfn = 0x5000; pfn < 0x5100; pfn++)
		feed_page_free(&f, pfn, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live, 2);
	CHECK_EQ(feed_page_site(&f, A)->pieces, 2 + 255);
}

TEST(rule_8_a_block_whose_first_page_stays_was_not)
{
	FEED(f);
	feed_page_alloc(&f, A, 0x4000, 2); /* __free_pages() frees the halves of its tail */
	feed_page_free(&f, 0x4002, 1);
	feed_page_free(&f, 0x4001, 0);
	feed_page_alloc(&f, A, 0x5000, 1);
	feed_page_free(&f, 0x5001, 0);
	feed_finish(&f);
	CHECK_EQ(feed_page_site(&f, A)->live, 2);
	CHECK_EQ(feed_page_site(&f, A)->pieces, 0);
}

/* A map on its own, and an account to book on. */
static uint32_t begin_map(struct page_map *map, struct sitetab *sites)
{
	sitetab_init(sites);
	page_init(map, 4096, &(struct sample_rate){ .one_in = 1 }, sites);

	static const struct event ev = { .kind = EVENT_PAGE_ALLOC, .ts_ns = 1 };

	sitetab_start(sites, 1);
	sitetab_tick(sites, &ev);
	return sitetab_account(sites, sitetab_get(sites, SITE_PAGE, 0, SITE_NO_STACK), &ev);
}

static void end_map(struct page_map *map, struct sitetab *sites)
{
	page_deinit(map);
	sitetab_deinit(sites);
}

TEST(an_account_that_no_entry_can_name_is_an_error)
{
	struct sitetab sites;
	struct page_map map;
	uint32_t account = begin_map(&map, &sites);

	page_alloc(&map, PFN, 0, account, 1);
	page_alloc(&map, PFN + 2, 1, account, 1);
	CHECK_OK(page_error(&map));
	page_alloc(&map, PFN + 4, 0, PAGETAB_MAX_OWNER + 1, 1);
	CHECK_ERR(page_error(&map), "too many call sites");
	end_map(&map, &sites);
}

TEST(more_blocks_freed_in_part_than_entries_can_name_are_an_error)
{
	struct sitetab sites;
	struct page_map map;
	uint32_t account = begin_map(&map, &sites);

	map.max_owner = 9;
	for (uint64_t i = 0; i < 11; i++) {
		CHECK_OK(page_error(&map));
		page_alloc(&map, PFN + i * 4, 2, account, 1);
		sitetab_alloc(&sites, account, 4 * 4096, 4 * 4096, 1);
		page_free(&map, PFN + i * 4, 0);
	}
	CHECK_ERR(page_error(&map), "freed in part");
	page_free(&map, PFN, 6);
	end_map(&map, &sites);
}

TEST(more_live_pages_than_there_is_room_for_are_an_error)
{
	struct sitetab sites;
	struct page_map map;
	uint32_t account = begin_map(&map, &sites);

	map.table.max_chunks = 4;
	map.table.max_dead = 0;
	for (uint64_t i = 0; i < 10000; i++)
		page_alloc(&map, PFN + i, 0, account, 1);
	CHECK_OK(page_error(&map));
	for (uint64_t i = 0; i < 30000; i++)
		page_alloc(&map, PFN + i, 0, account, 1);
	CHECK_ERR(page_error(&map), "more live pages");
	page_mark_uncertain(&map, 2);
	end_map(&map, &sites);
}
