// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/clues.h"

#include "base/cleanup.h"
#include "tests/lib/test.h"

DEFINE_CLEANUP(struct clues *, clues, clues_free)

static const struct hash_secret secret = { 5, 7 };

#define CLUES(p) CLEANUP(clues_cleanup) struct clues *p = clues_new(64, secret)

static struct clue clue_of(struct clues *p, struct event ev)
{
	struct clue ret[1];

	clues_find(p, &ev, 1, ret);
	return ret[0];
}

static uint16_t number(struct clues *p, struct event ev)
{
	return clue_of(p, ev).place;
}

TEST(an_allocation_of_the_same_place_has_the_same_slot_and_only_the_first_is_fresh)
{
	CLUES(p);
	struct event ev = { .kind = EVENT_KMALLOC, .call_site = 1, .pid = 2, .gfp_flags = 3 };
	uint16_t first = number(p, ev);

	CHECK(first & CLUE_FRESH);
	ev.addr = 100;
	ev.ts_ns = 200;
	ev.bytes_alloc = 300;
	CHECK_EQ(number(p, ev), first & ~CLUE_FRESH);
}

TEST(frees_and_gaps_have_no_place)
{
	CLUES(p);

	CHECK_EQ(number(p, (struct event){ .kind = EVENT_KFREE, .call_site = 1 }),
		 CLUE_NO_PLACE);
	CHECK_EQ(number(p, (struct event){ .kind = EVENT_LOST }), CLUE_NO_PLACE);
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
		CLUES(p);
		uint16_t first = number(p, base);
		uint16_t second = number(p, ev[i]);

		CHECK(second & CLUE_FRESH || second != (first & ~CLUE_FRESH));
		/* Nor is it taken for the first one later. */
		if ((second & ~CLUE_FRESH) == (first & ~CLUE_FRESH))
			CHECK(number(p, base) & CLUE_FRESH);
	}
}

TEST(two_places_that_want_one_slot_do_not_drive_each_other_out)
{
	CLEANUP(clues_cleanup) struct clues *p = clues_new(2, secret);
	const struct event a = { .kind = EVENT_KMALLOC, .call_site = 1 };
	const struct event b = { .kind = EVENT_KMALLOC, .call_site = 2 };

	CHECK(number(p, a) & CLUE_FRESH);
	CHECK(number(p, b) & CLUE_FRESH);
	for (int i = 0; i < 10; i++) {
		CHECK(!(number(p, a) & CLUE_FRESH));
		CHECK(!(number(p, b) & CLUE_FRESH));
	}
}

TEST(a_stack_too_deep_has_no_place)
{
	CLUES(p);
	uint64_t frames[64] = { 1 };
	struct event ev = { .kind = EVENT_PAGE_ALLOC, .stack = frames, .nr_stack = 64 };

	CHECK_EQ(number(p, ev), CLUE_NO_PLACE);
}

TEST(plain_objects_have_a_class_and_the_hash_of_their_address)
{
	CLUES(p);
	struct event alloc = {
		.kind = EVENT_CACHE_ALLOC, .addr = 1000, .bytes_req = 60, .bytes_alloc = 64
	};
	struct event free = { .kind = EVENT_KFREE, .addr = 1000 };

	CHECK_EQ(clue_of(p, alloc).class, CLUE_ALLOC);
	CHECK_EQ(clue_of(p, alloc).hash, hash_word(secret, 1000));
	CHECK_EQ(clue_of(p, free).class, CLUE_FREE);
	CHECK_EQ(clue_of(p, free).hash, hash_word(secret, 1000));
}

TEST(what_asks_for_more_than_a_look_at_its_address_is_of_no_class)
{
	CLUES(p);
	uint64_t frames[64] = { 1 };
	const struct event base = {
		.kind = EVENT_KMALLOC, .addr = 1000, .bytes_req = 64, .bytes_alloc = 64
	};
	struct event ev[8];

	for (int i = 0; i < 8; i++)
		ev[i] = base;
	ev[0].addr = CLUE_ZERO_PTR;
	ev[1].bytes_alloc = CLUE_SMALL + 1;
	ev[2].bytes_alloc = 0;
	ev[3].bytes_req = 65;
	ev[4].stack = frames;
	ev[4].nr_stack = 64;
	ev[5].kind = EVENT_BULK_ALLOC;
	ev[6].kind = EVENT_PAGE_ALLOC;
	ev[7] = (struct event){ .kind = EVENT_KFREE, .addr = CLUE_ZERO_PTR };
	for (int i = 0; i < 8; i++)
		CHECK_EQ(clue_of(p, ev[i]).class, CLUE_OTHER);
}

TEST(a_survey_tells_kinds_and_whether_time_steps_back)
{
	CLUES(p);
	const struct event ev[] = {
		{ .kind = EVENT_KFREE, .ts_ns = 5, .cache = 1 },
		{ .kind = EVENT_PAGE_FREE, .ts_ns = 9 },
		{ .kind = EVENT_KFREE, .ts_ns = 7, .cache = 3 },
	};
	struct clue clue[3];
	struct clues_survey survey = clues_find(p, ev, 3, clue);

	CHECK_EQ(survey.kinds, 1 << EVENT_KFREE | 1 << EVENT_PAGE_FREE);
	CHECK(survey.steps_back);
	CHECK(!clues_find(p, ev, 2, clue).steps_back);
}
