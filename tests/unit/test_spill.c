// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/spill.h"

#include "match/live.h"
#include "tests/lib/test.h"

DEFINE_CLEANUP(struct spill *, spill, spill_free)

enum { MANY = 100000 };

static void fill(struct table *t)
{
	for (uint64_t key = 1; key <= MANY; key++) {
		struct live_obj *o = live_put(t, key * 64);

		o->flags = LIVE_YES;
		o->bytes = key;
	}
}

static void check(const struct table *t)
{
	for (uint64_t key = 1; key <= MANY; key++) {
		const struct live_obj *o = live_find(t, key * 64);

		CHECK(o && o->bytes == key);
	}
	CHECK(!live_find(t, 32));
}

TEST(a_table_past_its_limit_holds_the_same_in_a_file)
{
	CLEANUP(spill_cleanup) struct spill *spill = spill_new(test_dir(), 1 << 20);
	struct table t;

	table_init(&t, &live_ops);
	spill_add(spill, &t.mem);
	fill(&t);
	CHECK(t.mem.mapped);
	spill_trim(spill);
	check(&t);
	CHECK_OK(spill_error(spill));
	table_deinit(&t);
}

TEST(a_table_below_its_limit_stays_in_memory)
{
	CLEANUP(spill_cleanup) struct spill *spill = spill_new(test_dir(), 1 << 30);
	struct table t;

	table_init(&t, &live_ops);
	spill_add(spill, &t.mem);
	fill(&t);
	CHECK(!t.mem.mapped);
	check(&t);
	table_deinit(&t);
}

TEST(where_no_file_can_be_made_an_error_says_so_and_nothing_is_lost)
{
	CLEANUP(spill_cleanup) struct spill *spill = spill_new("/nonexistent", 1 << 20);
	struct table t;

	table_init(&t, &live_ops);
	spill_add(spill, &t.mem);
	fill(&t);
	CHECK(!t.mem.mapped);
	check(&t);
	CHECK_ERR(spill_error(spill), "/nonexistent: cannot keep there");
	table_deinit(&t);
}
