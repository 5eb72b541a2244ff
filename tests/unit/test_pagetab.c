// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/pagetab.h"

#include <stdio.h>

#include "tests/lib/test.h"

DEFINE_CLEANUP(struct spill *, spill, spill_free)

enum { FRAMES = 1 << 19, MANY = 3000000 / 32 * 32 };

/* How the frames of a test lie: one of @part in blocks of @block; 0: anywhere. */
struct shape {
	uint64_t block, part;
};

static const struct shape shapes[] = {
	{ 1, 1 }, { 1, 2 }, { 1, 5 }, { 1, 64 }, { 8, 3 }, { 64, 2 }, { 1, 0 },
};

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 11) % n;
}

/* Of frame number @i of a test; different ones have different pfns. */
static uint64_t pfn_of(const struct shape *s, uint64_t i)
{
	if (!s->part)
		return i * UINT64_C(0x9e3779b97f4a7c15) & (PAGETAB_MAX_PFN - 1);
	return 12345 + i / s->block * s->block * s->part + i % s->block;
}

/* Of a frame with that owner. */
static unsigned int order_of(uint32_t owner)
{
	return owner % 5 ? 0 : 3;
}

/* What should be there: owner + 1 of each live frame. */
struct naive {
	const struct shape *shape;
	uint32_t *owner;
	size_t nr, live;
};

static void put(struct pagetab *tab, struct naive *n, uint64_t i, uint32_t owner)
{
	struct page_entry *e = pagetab_put(tab, pfn_of(n->shape, i));

	CHECK_EQ(e->order != PAGETAB_ENDED, n->owner[i] != 0);
	*e = (struct page_entry){ .owner = owner & PAGETAB_MAX_OWNER,
				  .time_low = (uint32_t)i,
				  .order = order_of(owner) & 0xf };
	if (n->owner[i] && order_of(n->owner[i] - 1))
		pagetab_count_larger(tab, pfn_of(n->shape, i), -1);
	if (order_of(owner))
		pagetab_count_larger(tab, pfn_of(n->shape, i), 1);
	n->live += !n->owner[i];
	n->owner[i] = owner + 1;
}

static void end(struct pagetab *tab, struct naive *n, uint64_t i)
{
	struct page_entry *e = pagetab_find(tab, pfn_of(n->shape, i));

	CHECK_EQ(e != NULL, n->owner[i] != 0);
	if (!e)
		return;
	if (e->order)
		pagetab_count_larger(tab, pfn_of(n->shape, i), -1);
	pagetab_end(tab, e);
	n->owner[i] = 0;
	n->live--;
}

static void check_entry(const struct naive *n, const struct page_entry *e, uint64_t i)
{
	CHECK_EQ(e->owner + 1, n->owner[i]);
	CHECK_EQ(e->time_low, (uint32_t)i);
	CHECK_EQ(e->order, order_of(e->owner));
}

static void check_mixed(const struct pagetab *tab, const struct naive *n)
{
	const struct pagetab_group *g;
	size_t nr = 0;

	for (size_t i = 0; i < n->nr; i++) {
		if (!n->owner[i] || !order_of(n->owner[i] - 1))
			continue;
		nr++;
		g = pagetab_group(tab, pfn_of(n->shape, i) / PAGETAB_FRAMES);
		CHECK(pagetab_is_mixed(g));
	}
	for (size_t i = 0; (g = table_next(&tab->groups, &pagetab_ops, &i));) {
		unsigned int larger = pagetab_run(tab, g)->larger;

		CHECK_EQ(pagetab_is_mixed(g), larger != 0);
		nr -= larger;
	}
	CHECK_EQ(nr, 0);
}

static void check_all(const struct pagetab *tab, const struct naive *n)
{
	uint64_t pfn, sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < n->nr; i++) {
		pfn = pfn_of(n->shape, i);

		const struct page_entry *e = pagetab_find(tab, pfn);

		CHECK_EQ(e != NULL, n->owner[i] != 0);
		if (!e)
			continue;
		check_entry(n, e, i);
		CHECK(pagetab_from(tab, &pfn, pfn + 1) == e);
		sum += pfn;
	}
	for (size_t pos = 0; pagetab_next(tab, &pos, &pfn); nr++)
		sum -= pfn;
	CHECK_EQ(nr, n->live);
	CHECK_EQ(sum, 0);
	CHECK_EQ(tab->nr_entries - tab->nr_dead, n->live);
	check_mixed(tab, n);
}

/* All frames from 0 to the last, by asking for the next one. */
static void check_order(const struct pagetab *tab, const struct naive *n)
{
	const struct page_entry *e;
	uint64_t pfn = 0;

	for (size_t i = 0; i < n->nr; i++) {
		if (!n->owner[i])
			continue;
		e = pagetab_from(tab, &pfn, UINT64_MAX);
		CHECK(e && pfn == pfn_of(n->shape, i));
		check_entry(n, e, i);
		pfn++;
	}
	CHECK(!pagetab_from(tab, &pfn, pfn_of(n->shape, n->nr)));
}

static size_t bytes_of(const struct pagetab *tab)
{
	return tab->groups.mem.bytes + tab->nr_chunks * ((size_t)PAGETAB_CHUNK * PAGETAB_UNIT) +
	       tab->cap_chunks * sizeof(*tab->chunk);
}

/* The live come and go in a window that moves over the frames, so that all sizes occur. */
static void churn(const struct shape *shape, size_t max_dead, size_t frames, size_t steps)
{
	auto_free uint32_t *owner = xcalloc(frames, sizeof(*owner));
	struct naive n = { shape, owner, frames, 0 };
	uint64_t random = frames + max_dead + 1;
	struct pagetab tab;

	pagetab_init(&tab);
	tab.max_dead = max_dead;
	for (size_t step = 0; step < steps; step++) {
		uint64_t i = (step / 8 + below(&random, frames / 4)) % frames;

		/* More of them live in every other tenth. */
		if (below(&random, 4) < 1 + 2 * (step * 10 / steps % 2))
			put(&tab, &n, i, (uint32_t)below(&random, PAGETAB_MAX_OWNER));
		else
			end(&tab, &n, i);
		if (step % (steps / 4) == 0)
			check_all(&tab, &n);
	}
	check_all(&tab, &n);
	if (shape->part)
		check_order(&tab, &n);
	for (size_t i = 0; i < frames; i++)
		if (owner[i])
			end(&tab, &n, i);
	check_all(&tab, &n);
	CHECK(!tab.full);
	pagetab_deinit(&tab);
}

TEST(it_holds_what_a_naive_map_holds)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		churn(&shapes[i], 0, 3000, 30000);
		churn(&shapes[i], 300, 3000, 30000);
		churn(&shapes[i], 5000, 40000, 400000);
		churn(&shapes[i], PAGETAB_DEAD, 40000, 200000);
	}
}

TEST(frames_at_both_ends_of_what_there_is)
{
	static const uint64_t pfn[] = {
		0, 1, 63, 64, PAGETAB_MAX_PFN - 64, PAGETAB_MAX_PFN - 1
	};
	enum { NR = sizeof(pfn) / sizeof(*pfn) };
	struct pagetab tab;
	uint64_t at = 0;
	size_t pos = 0, nr = 0;

	pagetab_init(&tab);
	tab.max_dead = 0;
	CHECK(!pagetab_find(&tab, 0));
	for (uint32_t i = 0; i < NR; i++)
		*pagetab_put(&tab, pfn[i]) = (struct page_entry){ .owner = i };
	for (uint32_t i = 0; i < NR; i++)
		CHECK_EQ(pagetab_find(&tab, pfn[i])->owner, i);
	CHECK(!pagetab_find(&tab, 2) && !pagetab_find(&tab, PAGETAB_MAX_PFN));
	while (pagetab_next(&tab, &pos, &at))
		nr++;
	CHECK_EQ(nr, NR);
	pagetab_deinit(&tab);
}

/* What the table takes for each of so many live frames, of a shape. */
static double bytes_each(const struct shape *shape, size_t frames)
{
	struct pagetab tab;

	pagetab_init(&tab);
	for (size_t i = 0; i < frames; i++) {
		/* Blocks come in no order, but each frame once. */
		uint64_t block = i / 32 * 7919 % (frames / 32);

		*pagetab_put(&tab, pfn_of(shape, block * 32 + i % 32)) =
			(struct page_entry){ 0 };
	}
	size_t bytes = bytes_of(&tab);

	CHECK_EQ(tab.nr_entries - tab.nr_dead, frames);
	pagetab_deinit(&tab);
	return (double)bytes / (double)frames;
}

TEST(a_live_page_takes_twelve_bytes_at_most)
{
	/* Of the dead a small table may have many, too. */
	double rest = (double)PAGETAB_DEAD / 2 * sizeof(struct page_entry) / MANY;
	double dense = bytes_each(&(struct shape){ 1, 1 }, MANY);
	double half = bytes_each(&(struct shape){ 1, 2 }, MANY);
	double blocks = bytes_each(&(struct shape){ 8, 2 }, MANY);

	printf("# %.2f bytes, of every second frame %.2f, of half the blocks %.2f\n", dense,
	       half, blocks);
	CHECK(dense < 11.5);
	CHECK(half < 12 + rest);
	CHECK(blocks < 12 + rest);
}

TEST(frames_that_have_no_neighbours_take_more_but_not_much_more)
{
	double alone = bytes_each(&(struct shape){ 1, 0 }, FRAMES);

	printf("# %.1f bytes\n", alone);
	CHECK(alone < 64);
}

TEST(what_ended_makes_room_for_what_comes)
{
	static const struct shape dense = { 1, 1 };
	auto_free uint32_t *owner = xcalloc(4 * FRAMES, sizeof(*owner));
	struct naive n = { &dense, owner, (size_t)4 * FRAMES, 0 };
	struct pagetab tab;
	size_t most;

	pagetab_init(&tab);
	for (size_t i = 0; i < FRAMES; i++)
		put(&tab, &n, i, 1);
	most = bytes_of(&tab) + PAGETAB_DEAD * sizeof(struct page_entry) * 3 / 2;
	/* As many live all the time, of other frames. */
	for (size_t i = FRAMES; i < n.nr; i++) {
		end(&tab, &n, i - FRAMES);
		put(&tab, &n, i, 1);
		CHECK(tab.nr_dead <= PAGETAB_DEAD + FRAMES / 32 + PAGETAB_FRAMES);
	}
	CHECK(bytes_of(&tab) <= most);
	check_all(&tab, &n);
	pagetab_deinit(&tab);
}

/* As put() of a frame that does not live; false when there is no room. */
static bool try_put(struct pagetab *tab, struct naive *n, uint64_t i)
{
	struct page_entry *e = pagetab_put(tab, pfn_of(n->shape, i));

	CHECK_EQ(e->order, PAGETAB_ENDED);
	*e = (struct page_entry){ .owner = 7, .time_low = (uint32_t)i };
	if (e == &tab->nowhere)
		return false;
	n->owner[i] = 8;
	n->live++;
	return true;
}

TEST(one_too_many_is_nowhere_and_harms_no_other)
{
	static const struct shape dense = { 1, 1 };
	auto_free uint32_t *owner = xcalloc(FRAMES, sizeof(*owner));
	struct naive n = { &dense, owner, FRAMES, 0 };
	struct pagetab tab;
	size_t refused = 0;

	pagetab_init(&tab);
	tab.max_dead = 0;
	tab.max_chunks = 60;
	for (size_t i = 0; i < FRAMES; i++)
		refused += !try_put(&tab, &n, i);
	CHECK(tab.full && refused > 0 && refused < FRAMES);
	check_all(&tab, &n);
	/* Where not even a smaller run has room, some of the dead stay. */
	for (size_t i = 0; i < FRAMES; i += 2)
		end(&tab, &n, i);
	refused = 0;
	for (size_t i = 0; i < FRAMES; i++)
		refused += !owner[i] && !try_put(&tab, &n, i);
	CHECK(refused > 0 && refused < FRAMES);
	check_all(&tab, &n);
	pagetab_deinit(&tab);
}

TEST(it_holds_the_same_in_files)
{
	static const struct shape half = { 1, 2 };
	CLEANUP(spill_cleanup) struct spill *spill = spill_new(test_dir(), 1 << 20);
	auto_free uint32_t *owner = xcalloc(FRAMES, sizeof(*owner));
	struct naive n = { &half, owner, FRAMES, 0 };
	struct pagetab tab;

	pagetab_init(&tab);
	pagetab_spill(&tab, spill);
	tab.max_dead = 1000;
	for (size_t i = 0; i < FRAMES; i++) {
		put(&tab, &n, i, 5);
		if (i % 3 == 0)
			end(&tab, &n, i / 2);
	}
	CHECK(tab.runs.mapped);
	spill_trim(spill);
	check_all(&tab, &n);
	CHECK_OK(spill_error(spill));
	pagetab_clear(&tab);
	CHECK(!pagetab_find(&tab, pfn_of(&half, 1)));
	pagetab_deinit(&tab);
}
