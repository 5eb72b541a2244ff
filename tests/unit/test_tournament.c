// SPDX-License-Identifier: GPL-2.0-or-later
/* The winner is always who a plain search over all heads finds. */
#include "decode/tournament.h"

#include "tests/lib/test.h"

enum { MOST = 70, ROUNDS = 20000 };

/* Who comes first at equal times: the higher number, of those that go on. */
struct heads {
	uint64_t ts_ns[MOST];
	size_t nr;
	uint64_t random;
};

static uint64_t any(struct heads *h, uint64_t below)
{
	h->random = h->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (h->random >> 33) % below;
}

static bool higher(const void *arg, uint64_t a, uint64_t b)
{
	const struct heads *h = arg;

	return a < h->nr && (b >= h->nr || a > b);
}

static size_t search(const struct heads *h)
{
	size_t first = 0;

	for (size_t i = 1; i < h->nr; i++)
		if (h->ts_ns[i] <= h->ts_ns[first])
			first = i;
	return first;
}

static uint64_t least_other(const struct heads *h, size_t winner)
{
	uint64_t ns = UINT64_MAX;

	for (size_t i = 0; i < h->nr; i++)
		if (i != winner && h->ts_ns[i] < ns)
			ns = h->ts_ns[i];
	return ns;
}

static void check_winner(const struct heads *h, const struct tournament *t)
{
	size_t winner = search(h);

	CHECK_EQ(t->node[0].who, winner);
	CHECK_EQ(t->node[0].ts_ns, h->ts_ns[winner]);
	CHECK_EQ(tournament_runner_up(t), least_other(h, winner));
}

TEST(the_first_of_all_heads_wins_whatever_their_number)
{
	for (size_t nr = 1; nr <= MOST; nr = nr < 10 ? nr + 1 : nr * 3 / 2) {
		struct heads h = { .nr = nr, .random = nr };
		struct tournament t;

		for (size_t i = 0; i < nr; i++)
			h.ts_ns[i] = any(&h, 30);
		tournament_init(&t, nr);
		tournament_hold(&t, h.ts_ns, nr, higher, &h);
		for (int i = 0; i < ROUNDS; i++) {
			uint64_t who = t.node[0].who;

			check_winner(&h, &t);
			/* Mostly on, at times back, at times there are no more. */
			h.ts_ns[who] = any(&h, 5000)
					       ? h.ts_ns[who] + any(&h, 40) - any(&h, 5) / 4
					       : UINT64_MAX;
			if (h.ts_ns[who] > UINT64_MAX / 2)
				h.ts_ns[who] = UINT64_MAX;
			tournament_replay(&t, h.ts_ns[who], higher, &h);
		}
		tournament_deinit(&t);
	}
}

TEST(nobody_wins_where_nobody_is)
{
	struct heads h = { .nr = 0 };
	struct tournament t;

	tournament_init(&t, 0);
	tournament_hold(&t, h.ts_ns, 0, higher, &h);
	CHECK_EQ(t.node[0].ts_ns, UINT64_MAX);
	CHECK_EQ(tournament_runner_up(&t), UINT64_MAX);
	tournament_deinit(&t);
}
