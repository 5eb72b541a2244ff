/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/runs.h - runs of events, merged before they are asked for
 *
 * Who matches has more to do than who decodes, so that merging is better done by the
 * latter, too: a ring of runs lies between the two.
 *
 * In:     a function that makes the next run, and one that does some of what comes before it
 * Out:    the runs, in order
 * Use:    runs_start() for a thread that makes them; without it runs_next() does
 * Rules:  (1) the functions are called by one thread at a time, but help(), which
 *             whoever waits calls while the other one makes a run
 *         (2) after the end, or an error, nothing more is made
 */
#ifndef DECODE_RUNS_H
#define DECODE_RUNS_H

#include "decode/merge.h"

/* Events of a run: they, and what is known of them, are to stay in the first cache. */
enum { RUNS_MOST = 128 };

/* A run, and what is to be done once nobody reads it any more. */
struct runs_slot {
	struct merge_item item[RUNS_MOST + MERGE_BEHIND];
	struct merge_run run;
	struct err *err;
	size_t spent;	/* 1 + the source whose block ends with it; 0: none */
	uint64_t bytes; /* stored ones, taken up to here */
};

struct runs_ops {
	/* Makes the next run; run.nr is 0 at the end, and with an error. */
	void (*make)(void *arg, struct runs_slot *slot);
	/* Does a part of the work that make() needs; false when there is nothing to do. */
	bool (*help)(void *arg);
};

struct runs;

struct runs *runs_new(const struct runs_ops *ops, void *arg);
/* Ends the thread first, once make() returns. */
void runs_free(struct runs *runs);

/* From now on a thread makes them, if the system has one more. */
void runs_start(struct runs *runs);

/* The next one, until the next call. */
struct runs_slot *runs_next(struct runs *runs);

#endif
