// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/runs.h"

#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "tests/lib/test.h"

DEFINE_CLEANUP(struct runs *, runs, runs_free)

/* Makes runs of numbers instead of events, as many as somebody helped to count. */
struct maker {
	uint64_t next, most; /* numbers */
	size_t length;	     /* of a run */
	bool fails;	     /* at the end */
	bool needs_help;
	_Atomic uint64_t helped, calls;
};

static void make(void *arg, struct runs_slot *slot)
{
	struct maker *m = arg;
	struct merge_run *run = &slot->run;

	*run = (struct merge_run){ .item = slot->item };
	atomic_fetch_add(&m->calls, 1);
	while (m->needs_help && m->next < m->most && atomic_load(&m->helped) < m->next)
		;
	for (; run->nr < m->length && m->next < m->most; run->nr++)
		run->item[run->nr].clue.hash = (uint32_t)m->next++;
	memset(&run->item[run->nr], 0xff, MERGE_BEHIND * sizeof(*run->item));
	if (!run->nr && m->fails)
		slot->err = err_new(ERR_FORMAT, "the end is missing");
	slot->bytes = m->next;
}

static bool help(void *arg)
{
	struct maker *m = arg;

	atomic_fetch_add(&m->helped, m->length);
	return m->needs_help;
}

static const struct runs_ops ops = { .make = make, .help = help };

/* All numbers come, in order, and behind each run those of the next one. */
static void check(struct maker *m, bool threaded)
{
	CLEANUP(runs_cleanup) struct runs *runs = runs_new(&ops, m);
	uint64_t nr = 0;
	struct runs_slot *slot;

	if (threaded)
		runs_start(runs);
	for (; (slot = runs_next(runs))->run.nr; nr += slot->run.nr) {
		uint64_t behind = m->most - nr - slot->run.nr;

		if (behind > MERGE_BEHIND)
			behind = MERGE_BEHIND;
		if (behind > m->length)
			behind = m->length;
		for (size_t i = 0; i < slot->run.nr + (threaded ? behind : 0); i++)
			CHECK_EQ(slot->item[i].clue.hash, nr + i);
		CHECK_EQ(slot->bytes, nr + slot->run.nr);
	}
	CHECK_EQ(nr, m->most);
	if (m->fails) {
		CHECK_ERR(take_ptr(slot->err), "the end is missing");
	}
	if (threaded) {
		uint64_t calls = atomic_load(&m->calls);

		/* The end stays the end. */
		for (int i = 0; i < 3; i++) {
			CHECK(!runs_next(runs)->run.nr);
			CHECK(!runs_next(runs)->err);
		}
		CHECK_EQ(atomic_load(&m->calls), calls);
	}
}

TEST(runs_come_in_order_with_what_follows_behind_them)
{
	for (int threaded = 0; threaded < 2; threaded++)
		for (size_t length = 1; length <= RUNS_MOST; length = length * 3 + 1)
			for (uint64_t most = 0; most < 40000; most = most * 7 + 1) {
				struct maker m = { .most = most, .length = length };

				check(&m, threaded);
			}
}

TEST(an_error_comes_once_and_then_the_end)
{
	for (int threaded = 0; threaded < 2; threaded++) {
		struct maker m = { .most = 1000, .length = 100, .fails = true };

		check(&m, threaded);
	}
}

TEST(who_waits_for_a_run_does_a_part_of_the_work)
{
	struct maker m = { .most = 20000, .length = RUNS_MOST, .needs_help = true };

	check(&m, true);
	CHECK(atomic_load(&m.helped) >= 20000 - RUNS_MOST);
}

TEST(the_thread_ends_with_its_ring)
{
	for (size_t taken = 0; taken < 300; taken += 60) {
		struct maker m = { .most = UINT64_MAX, .length = 1 };
		CLEANUP(runs_cleanup) struct runs *runs = runs_new(&ops, &m);

		runs_start(runs);
		for (size_t i = 0; i < taken; i++)
			CHECK_EQ(runs_next(runs)->item->clue.hash, i);
	}
}
