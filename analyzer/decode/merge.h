/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/merge.h - all CPUs of a trace file as one stream of events by time
 *
 * In:     an open trace file
 * Out:    struct event, oldest first, with its stack attached and gaps in place
 * Rules:  (1) the events of one CPU keep their order, whatever their times say
 *         (2) across CPUs the earlier time comes first; at equal times frees
 *             come before allocations, then the lower CPU number
 *         (3) every gap (lost-event mark, page that would not decode, chunk that
 *             would not inflate) is an EVENT_LOST at its end time
 *         (4) an event without a needed field in its format is an error of
 *             merge_open; an event type nobody asked for is skipped
 */
#ifndef DECODE_MERGE_H
#define DECODE_MERGE_H

#include "decode/clues.h"
#include "decode/event.h"
#include "decode/names.h"
#include "decode/tracefile.h"

struct merge;

struct merge_stats {
	uint64_t events;	 /* data events of all types, known or not */
	uint64_t skipped;	 /* of types that allocprof does not use */
	uint64_t pages;		 /* sub-buffers */
	uint64_t damaged_pages;	 /* sub-buffers that would not decode, wholly or from
				  * some byte on */
	uint64_t malformed;	 /* events shorter than their format */
	uint64_t stacks;	 /* kernel_stack records */
	uint64_t orphan_stacks;	 /* without a parent to tie them to */
	uint64_t backward_steps; /* times of one CPU stepping back */
};

/* @file and @names must outlive the merge. */
struct err *merge_open(const struct tracefile *file, struct names *names,
		       struct merge **ret) MUST_CHECK;
void merge_close(struct merge *merge);
DEFINE_CLEANUP(struct merge *, merge, merge_close)

/*
 * Of a recording at work, FILE.part/: nothing is known to be complete until
 * merge_extend() says so.
 */
struct err *merge_open_live(const struct tracefile *file, struct names *names,
			    struct merge **ret) MUST_CHECK;

/*
 * All events before @until_ns are in the files by now: merge_next() goes on up to
 * there. UINT64_MAX: the recording is over, and there will be no more.
 */
struct err *merge_extend(struct merge *merge, uint64_t until_ns) MUST_CHECK;

/*
 * Without threads: stored bytes of the i-th source that no one will read again; false past
 * the last.
 */
bool merge_consumed(const struct merge *merge, size_t i, unsigned int *ret_cpu,
		    uint64_t *ret_bytes);

/*
 * Decodes and merges in @nr threads more from now on, if any; once. What comes out does
 * not depend on them.
 */
void merge_threads(struct merge *merge, size_t nr);

/* An event, borrowed until the next call, and what is known of it. */
struct merge_item {
	const struct event *event;
	struct clue clue;
	uint32_t source; /* number of its CPU in all buffers: whose place the clue has */
};

/* Items behind the last that may be read: those that follow, or of no event. */
enum { MERGE_BEHIND = 16 };

/* Events that follow each other in time, of any CPU. */
struct merge_run {
	struct merge_item *item;
	size_t nr;	  /* 0: the end */
	uint32_t kinds;	  /* of these and some more: a bit for each enum event_kind */
	uint32_t nr_cpus; /* none is of that CPU or one above */
	uint64_t earliest_ns, latest_ns; /* of these */
	bool in_order;			 /* none of them is earlier than one before it */
	struct hash_secret secret;	 /* of the clues; that of all runs of a merge */
};

/* The next events, borrowed until the next call. */
struct err *merge_next_run(struct merge *merge, struct merge_run *ret) MUST_CHECK;

/* The same one by one, *ret is NULL at the end; not to be mixed with merge_next_run(). */
struct err *merge_next(struct merge *merge, const struct event **ret) MUST_CHECK;

/* At the end; without threads at any time. */
const struct merge_stats *merge_stats(const struct merge *merge);

/* Bytes of a page of the recorded machine's memory, as the events' sizes have it. */
uint32_t merge_page_size(const struct merge *merge);

/* Stored bytes taken so far, of tracefile_data_bytes(). */
uint64_t merge_bytes(const struct merge *merge);

#endif
