/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/ahead.h - blocks of events, decoded before they are asked for
 *
 * In:     cursors, and the readers behind them
 * Out:    of each cursor its blocks, in its order, with names as ids that do not
 *         depend on who decoded first
 * Use:    ahead_add() for each cursor; ahead_start() for threads; ahead_next()
 *         from one thread, ahead_release() from the same or one other
 * Rules:  (1) what comes out is the same for any number of threads, none
 *             included: whoever needs a block that nobody is at decodes it
 *             himself
 *         (2) a cursor is in one thread at a time
 *         (3) of each cursor at most AHEAD_BLOCKS blocks are in memory; fewer and
 *             smaller ones where there are many cursors; none from its end on
 */
#ifndef DECODE_AHEAD_H
#define DECODE_AHEAD_H

#include "decode/clues.h"
#include "decode/cursor.h"
#include "decode/page_reader.h"

enum { AHEAD_BLOCKS = 32 };

struct ahead;

/* A block that was handed out, and how far its cursor had come. */
struct ahead_block {
	const struct event *event;
	const struct clue *clue; /* of each event */
	size_t nr;		 /* 0: the end */
	struct clues_survey survey;
	struct merge_stats stats;
	uint64_t bytes;	     /* stored ones, taken */
	uint64_t pending_ns; /* of the oldest event behind it; UINT64_MAX for none */
};

/* @raw is the table that the cursors use, @names the one of the ids handed out;
 * @secret is that of the clues. */
struct ahead *ahead_new(size_t nr_cursors, struct names *raw, struct names *names,
			struct hash_secret secret);
void ahead_free(struct ahead *ahead);

/* Takes both over. The i-th call is for cursor i. */
void ahead_add(struct ahead *ahead, struct cursor *cursor, struct page_reader *reader);

/* Decodes in @nr_threads more threads from now on, if any; fewer when the system has no more. */
void ahead_start(struct ahead *ahead, size_t nr_threads);

/*
 * The next block of cursor @i, good until it is released. Waits when all of them are
 * handed out. At the end, with nr 0, there is nothing to release.
 */
struct err *ahead_next(struct ahead *ahead, size_t i, struct ahead_block *ret) MUST_CHECK;

/* Nobody will read the oldest block of cursor @i any more. */
void ahead_release(struct ahead *ahead, size_t i);

/* Decodes a block that will be asked for, after ahead_start(); false when there is none. */
bool ahead_help(struct ahead *ahead);

/* What ahead_next() has to wait for it takes for the end from now on; threads end. */
void ahead_stop(struct ahead *ahead);

/*
 * Of a live cursor @i that came to its end, without threads: reads what there is by
 * now. @last: after this there will be no more. @old: what it still has back is too
 * old to get a stack.
 */
struct err *ahead_resume(struct ahead *ahead, size_t i, bool last, bool old) MUST_CHECK;

#endif
