/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/cursor.h - one CPU's pages as blocks of events
 *
 * In:     sub-buffers, oldest first, and the damage between them
 * Out:    struct event in the CPU's own order, stacks tied to their parents,
 *         gaps (EVENT_LOST) in place
 * Not:    orders nothing. Keeps no state outside of itself but the names, which
 *         cursors in threads of their own share
 * Use:    cursor_fill() into blocks of the caller's, two of them at least, in
 *         turn; or cursor_next(), which has its own
 * Rules:  (1) an event is handed out when its stack has come, when none can come
 *             any more (an event of its context or of one that it interrupted
 *             follows), or when CURSOR_BLOCK events have come since
 *         (2) a stack belongs to the latest event of its context, if that has
 *             its pid; a context is common_flags & EVENT_CONTEXT_MASK
 *         (3) a gap ends all waiting for stacks
 *         (4) memory is bounded by CURSOR_BLOCK and CURSOR_POOL
 *         (5) an event shorter than its format, or of which decode/record.h makes
 *             none, is counted as malformed and dropped; one whose name lies outside of
 *             it is counted and loses the name only
 *         (6) the events of one record share the stack
 * Theory: Documentation/design/ring-buffer.md
 */
#ifndef DECODE_CURSOR_H
#define DECODE_CURSOR_H

#include "decode/event.h"
#include "decode/format.h"
#include "decode/merge.h" /* struct merge_stats */
#include "decode/names.h"
#include "decode/subbuf.h"

enum {
	CURSOR_FILL = 512,   /* events at a time where there are as many … */
	CURSOR_BLOCK = 4096, /* events, … */
	/* … and what one record and two gaps may add to them */
	CURSOR_MOST = CURSOR_BLOCK + FORMAT_MAX_LIST + 2,
	CURSOR_POOL = 32768,	  /* words of their stacks */
	CURSOR_MAX_FRAMES = 1024, /* of one stack; deeper frames are cut */
};

/* Where pages come from: as page_reader_next(). */
struct cursor_source {
	struct err *(*next)(void *arg, struct span *ret, uint64_t *ret_damaged);
	void *arg;
};

struct cursor_opts {
	const struct format *format; /* borrowed */
	struct names *names;	     /* borrowed */
	struct subbuf_layout layout;
	struct cursor_source source;
	uint32_t subbuf_size; /* to count damaged sub-buffers */
	uint64_t vmemmap;     /* address of the first struct page; 0: not known */
	uint32_t page_size;   /* of the recorded machine's memory */
	uint32_t nr_cpus;     /* for percpu areas of kernels that tell one CPU's size */
	uint16_t cpu;
	bool live; /* the end of the pages is only that of those there are by now */
};

/* Events and their stacks, and as much behind them as still waits for stacks. */
struct cursor_block {
	struct event *event; /* CURSOR_MOST of them */
	uint64_t *pool;	     /* frames */
};

/* Memory is taken from the system as it is used. */
struct cursor_block *cursor_block_new(void);
void cursor_block_free(struct cursor_block *block);

struct cursor;

struct cursor *cursor_new(const struct cursor_opts *opts);
void cursor_free(struct cursor *cursor);
DEFINE_CLEANUP(struct cursor *, cursor, cursor_free)

/* From now on @nr events at a time, 1 to CURSOR_FILL, or fewer with deep stacks. */
void cursor_portion(struct cursor *cursor, size_t nr);

/*
 * The next events into @to, which is not the block filled before; that one is
 * still whole, behind what was handed out. *ret_nr is 0 at the end. Some hundred
 * at a time where there are as many.
 */
struct err *cursor_fill(struct cursor *cursor, struct cursor_block *to,
			size_t *ret_nr) MUST_CHECK;

/*
 * The next events, borrowed until the next call; *ret_nr is 0 at the end. Some
 * hundred at a time where there are as many.
 */
struct err *cursor_next(struct cursor *cursor, const struct event **ret,
			size_t *ret_nr) MUST_CHECK;

/*
 * Of a live one that came to an end: there may be more pages by now. @last: after
 * these there will be none.
 */
void cursor_resume(struct cursor *cursor, bool last);
/* There is and will be no more, and the blocks that were filled may be freed. */
bool cursor_is_over(const struct cursor *cursor);
/* No event that waits for its stack will get it. */
void cursor_forget_stacks(struct cursor *cursor);
/* The time of the oldest event that was not handed out yet, UINT64_MAX without one. */
uint64_t cursor_pending_ns(const struct cursor *cursor);

/* Of what was decoded so far, which may be ahead of what was handed out. */
const struct merge_stats *cursor_stats(const struct cursor *cursor);
/* No id of a name is above it. */
uint16_t cursor_most_name(const struct cursor *cursor);

#endif
