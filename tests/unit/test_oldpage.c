// SPDX-License-Identifier: GPL-2.0-or-later
/* Which pages no event told of, against an array that remembers each. */
#include <stdlib.h>

#include "match/oldpage.h"
#include "tests/lib/test.h"

TEST(a_block_is_untouched_until_an_event_told_of_one_of_its_pages)
{
	enum { PAGES = 20000, EVENTS = 3000 };
	static bool touched[PAGES + (1 << 13)];
	struct oldpage_map map = {};
	unsigned int wrong = 0, old = 0;

	srand(7);
	for (int i = 0; i < EVENTS; i++) {
		unsigned int order = (unsigned int)rand() % (i % 100 ? 4 : 14);
		uint64_t pfn = (uint64_t)rand() % PAGES;
		bool want = true;

		for (uint64_t p = pfn; p < pfn + (UINT64_C(1) << order); p++) {
			want &= !touched[p];
			touched[p] = true;
		}
		wrong += oldpage_touch(&map, pfn, order) != want;
		old += want;
	}
	CHECK_EQ(wrong, 0);
	CHECK(old > 100);
	oldpage_deinit(&map);
}

TEST(what_no_machine_has_costs_no_memory)
{
	struct oldpage_map map = {};

	CHECK(!oldpage_touch(&map, OLDPAGE_MAX_PFN, 0));
	CHECK(!oldpage_touch(&map, OLDPAGE_MAX_PFN - 1, 1));
	CHECK(!oldpage_touch(&map, UINT64_MAX, 13));
	CHECK_EQ(map.nr_pages, 0);
	CHECK(oldpage_touch(&map, OLDPAGE_MAX_PFN - 1, 0));
	CHECK(map.nr_pages <= OLDPAGE_MAX_PFN);
	oldpage_deinit(&map);
}

TEST(blocks_come_back_in_order_until_they_are_forgotten)
{
	struct oldpage_map map = {};
	unsigned int order;
	uint64_t pfn;
	size_t i = 0;

	oldpage_freed(&map, 0x123456, 3);
	oldpage_freed(&map, 1, 0);
	CHECK(oldpage_next(&map, &i, &pfn, &order));
	CHECK_EQ(pfn, 0x123456);
	CHECK_EQ(order, 3);
	CHECK(oldpage_next(&map, &i, &pfn, &order));
	CHECK_EQ(pfn, 1);
	CHECK(!oldpage_next(&map, &i, &pfn, &order));
	oldpage_forget(&map);
	i = 0;
	CHECK(!oldpage_next(&map, &i, &pfn, &order));
	oldpage_deinit(&map);
}
