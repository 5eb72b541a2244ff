/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/tournament.h - which of many CPUs is next, by the time of its head
 *
 * A tree of losers: each inner node keeps who lost there, and the node on top who won
 * all. The next head of the winner meets those on its way up only, one a level, without a
 * branch that is as good as random (Knuth, The Art of Computer Programming, 5.4.1).
 *
 * In:     times of heads; UINT64_MAX for who has none
 * Out:    the winner, and how long it stays that
 * Rules:  (1) of equal times, whom the caller's function says
 *         (2) tournament_hold() once, then tournament_replay() for the winner only
 */
#ifndef DECODE_TOURNAMENT_H
#define DECODE_TOURNAMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tournament_head {
	uint64_t ts_ns;
	uint64_t who; /* below the number of competitors */
};

struct tournament {
	struct tournament_head *node; /* the winner, then the losers from top to bottom */
	struct tournament_head *round;
	size_t cap; /* a power of two */
};

/* Does @a come before @b, at equal times? */
typedef bool tournament_tie(const void *arg, uint64_t a, uint64_t b);

void tournament_init(struct tournament *t, size_t nr);
void tournament_deinit(struct tournament *t);

/* All anew, @ts_ns of @nr. */
void tournament_hold(struct tournament *t, const uint64_t *ts_ns, size_t nr,
		     tournament_tie *tie, const void *arg);

/* The winner has a new head, of time @ts_ns; @tie is to be a constant. */
static inline void tournament_replay(struct tournament *t, uint64_t ts_ns, tournament_tie *tie,
				     const void *arg)
{
	uint64_t who = t->node[0].who;

	for (size_t i = (t->cap + who) / 2; i; i /= 2) {
		struct tournament_head *other = &t->node[i];
		uint64_t other_ns = other->ts_ns, other_who = other->who;
		uint64_t wins = other_ns < ts_ns;

		if (__builtin_expect(other_ns == ts_ns, 0))
			wins = tie(arg, other_who, who);
		/* All ones, or none. */
		wins = -wins;
		uint64_t ns = (other_ns ^ ts_ns) & wins, ids = (other_who ^ who) & wins;

		other->ts_ns = other_ns ^ ns;
		other->who = other_who ^ ids;
		ts_ns ^= ns;
		who ^= ids;
	}
	t->node[0] = (struct tournament_head){ ts_ns, who };
}

/* The least time of all others. */
static inline uint64_t tournament_runner_up(const struct tournament *t)
{
	uint64_t ns = UINT64_MAX;

	for (size_t i = (t->cap + t->node[0].who) / 2; i; i /= 2)
		ns = t->node[i].ts_ns < ns ? t->node[i].ts_ns : ns;
	return ns;
}

#endif
