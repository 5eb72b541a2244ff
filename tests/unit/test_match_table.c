// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/xalloc.h"
#include "match/live.h"
#include "tests/lib/test.h"

enum { NR_KEYS = 1200000 };

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 11) % n;
}

static void begin(struct table *t, uint8_t *live, uint64_t key)
{
	struct live_obj *o = live_put(t, key);

	CHECK_EQ(o->key, key);
	CHECK_EQ(o->flags & LIVE_YES, live[key]);
	o->flags = LIVE_YES;
	o->bytes = key;
	live[key] = LIVE_YES;
}

static void end(struct table *t, uint8_t *live, uint64_t key)
{
	struct live_obj *o = live_find(t, key);

	CHECK_EQ(o != NULL, live[key]);
	if (o)
		live_end(o);
	live[key] = 0;
}

static void check_all(struct table *t, const uint8_t *live)
{
	size_t nr = 0, nr_listed = 0;

	for (uint64_t key = 1; key < NR_KEYS; key++) {
		struct live_obj *o = live_find(t, key);

		CHECK_EQ(o != NULL, live[key]);
		CHECK(!o || o->bytes == key);
		nr += live[key];
	}
	for (size_t i = 0; table_next(t, &live_ops, &i);)
		nr_listed++;
	CHECK_EQ(nr_listed, nr);
}

/* @keys in use at a time, so that tables of several sizes fill with the dead. */
static void churn(uint64_t keys, uint64_t steps)
{
	struct table t;
	uint64_t random = keys;
	auto_free uint8_t *live = xcalloc(NR_KEYS, 1);

	table_init(&t, &live_ops);
	for (uint64_t i = 0; i < steps; i++) {
		uint64_t key = 1 + (i / 4 + below(&random, keys)) % (NR_KEYS - 1);

		if (below(&random, 2))
			begin(&t, live, key);
		else
			end(&t, live, key);
	}
	check_all(&t, live);
	CHECK(t.nr <= t.limit);
	table_deinit(&t);
}

TEST(entries_are_found_while_the_dead_make_room)
{
	churn(500, 300000);
	churn(20000, 1000000);
}

TEST(entries_are_found_while_the_table_grows)
{
	struct table t;
	auto_free uint8_t *live = xcalloc(NR_KEYS, 1);

	table_init(&t, &live_ops);
	for (uint64_t key = 1; key < NR_KEYS; key++) {
		begin(&t, live, key);
		if (key % 3 == 0)
			end(&t, live, key / 3 * 2);
		if (key % 100000 == 1)
			check_all(&t, live);
	}
	check_all(&t, live);
	CHECK(t.cap > live_ops.small);
	CHECK(t.cap < 4 * NR_KEYS);
	table_deinit(&t);
}

TEST(a_table_of_steady_use_does_not_grow)
{
	struct table t;
	auto_free uint8_t *live = xcalloc(NR_KEYS, 1);

	table_init(&t, &live_ops);
	for (uint64_t i = 0; i < 2 * NR_KEYS; i++) {
		begin(&t, live, 1 + i % (NR_KEYS - 1));
		if (i >= 100)
			end(&t, live, 1 + (i - 100) % (NR_KEYS - 1));
	}
	CHECK(t.cap <= 2048);
	table_deinit(&t);
}
