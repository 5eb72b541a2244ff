// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/places.h"

#include "base/cleanup.h"
#include "tests/lib/test.h"

DEFINE_CLEANUP(struct places *, places, places_free)

#define PLACES(p) CLEANUP(places_cleanup) struct places *p = places_new(64)

static uint16_t number(struct places *p, struct event ev)
{
	uint16_t ret;

	places_number(p, &ev, 1, &ret);
	return ret;
}

TEST(an_allocation_of_the_same_place_has_the_same_slot_and_only_the_first_is_fresh)
{
	PLACES(p);
	struct event ev = { .kind = EVENT_KMALLOC, .call_site = 1, .pid = 2, .gfp_flags = 3 };
	uint16_t first = number(p, ev);

	CHECK(first & PLACES_FRESH);
	ev.addr = 100;
	ev.ts_ns = 200;
	ev.bytes_alloc = 300;
	CHECK_EQ(number(p, ev), first & ~PLACES_FRESH);
}

TEST(frees_and_gaps_have_no_place)
{
	PLACES(p);

	CHECK_EQ(number(p, (struct event){ .kind = EVENT_KFREE, .call_site = 1 }), PLACES_NONE);
	CHECK_EQ(number(p, (struct event){ .kind = EVENT_LOST }), PLACES_NONE);
}

/* Whatever differs: the event before is of another place, fresh or in another slot. */
TEST(allocations_that_differ_in_anything_but_object_and_size_differ_in_place)
{
	uint64_t frames[] = { 10, 20, 30 }, others[] = { 10, 20, 31 };
	struct event base = { .kind = EVENT_PAGE_ALLOC, .stack = frames, .nr_stack = 3 };
	struct event ev[9];

	for (int i = 0; i < 9; i++)
		ev[i] = base;
	ev[0].call_site = 1;
	ev[1].pid = 1;
	ev[2].gfp_flags = 1;
	ev[3].cache = 1;
	ev[4].order = 1;
	ev[5].migratetype = 1;
	ev[6].context = EVENT_SOFTIRQ;
	ev[7].stack = others;
	ev[8].nr_stack = 2;
	for (int i = 0; i < 9; i++) {
		PLACES(p);
		uint16_t first = number(p, base);
		uint16_t second = number(p, ev[i]);

		CHECK(second & PLACES_FRESH || second != (first & ~PLACES_FRESH));
		/* Nor is it taken for the first one later. */
		if ((second & ~PLACES_FRESH) == (first & ~PLACES_FRESH))
			CHECK(number(p, base) & PLACES_FRESH);
	}
}

TEST(a_stack_too_deep_has_no_place)
{
	PLACES(p);
	uint64_t frames[64] = { 1 };
	struct event ev = { .kind = EVENT_PAGE_ALLOC, .stack = frames, .nr_stack = 64 };

	CHECK_EQ(number(p, ev), PLACES_NONE);
}
