/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/subbuf.h - the events of one ring-buffer page
 *
 * In:     one sub-buffer as trace_pipe_raw gave it: any bytes, any length
 *         (borrowed); the text of events/header_page
 * Out:    data events in page order: absolute time and payload (borrowed)
 * Not:    allocates, or knows what an event means
 * Use:    subbuf_init, subbuf_next until it says no more; nothing to release
 * Rules:  (1) every payload ends at or before the commit mark, and the commit
 *             mark lies within the page
 *         (2) time is what the page says; a step back is passed on
 *         (3) a page is refused from the first byte that contradicts it; what
 *             came before stands, what comes after is not looked at
 * Theory: Documentation/design/ring-buffer.md
 */
#ifndef DECODE_SUBBUF_H
#define DECODE_SUBBUF_H

#include "base/bytes.h"

#define SUBBUF_MAX_SIZE	    (1u << 20)
#define SUBBUF_LOST_UNKNOWN UINT64_MAX

/* Where a kernel puts the parts of a sub-buffer. */
struct subbuf_layout {
	uint32_t commit_off;
	uint32_t commit_size; /* 4 or 8; also the size of a stored lost count */
	uint32_t data_off;
	bool swap; /* the writer's byte order is not ours */
};

enum subbuf_fault {
	SUBBUF_OK,
	SUBBUF_SHORT,  /* the page is shorter than its header */
	SUBBUF_COMMIT, /* the commit mark lies outside of the page */
	SUBBUF_CUT,    /* an event's header passes the commit mark */
	SUBBUF_PASSES, /* an event's payload passes the commit mark */
	SUBBUF_LENGTH, /* an event has an impossible length */
	NR_SUBBUF_FAULTS,
};

struct subbuf {
	const uint8_t *pos;	 /* the next ring-buffer event */
	const uint8_t *end;	 /* the commit mark */
	const uint8_t *page_end; /* bytes up to here may be read */
	uint64_t ts;		 /* running time, ns */
	uint64_t base_ts;
	uint64_t lost; /* events lost in front of this page: 0 none, or
			* SUBBUF_LOST_UNKNOWN */
	enum subbuf_fault fault;
};

struct subbuf_event {
	uint64_t ts;
	const uint8_t *data;
	uint32_t len;
};

/*
 * Reads the layout from the text of events/header_page. @swap goes into the
 * result, nothing else.
 */
struct err *subbuf_layout_parse(struct span header_page, bool swap,
				struct subbuf_layout *ret) MUST_CHECK;

/* Starts on @page, which stays borrowed; false when nothing of it can be read
 * (fault says why). */
bool subbuf_init(struct subbuf *sub, const struct subbuf_layout *layout, struct span page);

/* Bytes of the page that were not looked at because of the fault. */
size_t subbuf_refused_bytes(const struct subbuf *sub);

/* What a fault means, for messages. */
const char *subbuf_fault_text(enum subbuf_fault fault);

enum {
	SUBBUF_DATA_MAX = 28, /* type_len: length of the payload in words */
	SUBBUF_PADDING = 29,
	SUBBUF_TIME_EXTEND = 30,
	SUBBUF_TIME_STAMP = 31,

	SUBBUF_DELTA_BITS = 27,
};

#define SUBBUF_HOST_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint32_t subbuf_u32(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? bswap_32(v) : v;
}

/*
 * The slow part of subbuf_next(): everything but a small data event. @word is
 * the header at pos. True when a data event is in *@ret.
 */
bool subbuf_next_odd(struct subbuf *sub, struct subbuf_event *ret, bool swap);

/* The same for copies, so that what a loop is in may stay in registers. */
static inline bool subbuf_next_slow(struct subbuf *sub, struct subbuf_event *ret, bool swap)
{
	struct subbuf walk = *sub;
	struct subbuf_event item = { 0 };
	bool more = subbuf_next_odd(&walk, &item, swap);

	*sub = walk;
	*ret = item;
	return more;
}

/*
 * The next data event; false at the end of the page or at a fault. @swap is
 * layout.swap; a constant where the loop is hot.
 */
static inline bool subbuf_next(struct subbuf *sub, struct subbuf_event *ret, const bool swap)
{
	size_t left = (size_t)(sub->end - sub->pos);

	if (left < 4)
		return subbuf_next_slow(sub, ret, swap);

	/* A C bit field: the writer's byte order also decides which end of the
	 * word the type is at. */
	uint32_t word = subbuf_u32(sub->pos, swap);
	bool big = swap != SUBBUF_HOST_BIG;
	uint32_t type_len = big ? word >> SUBBUF_DELTA_BITS : word & 31;
	uint32_t delta = big ? word & ((1u << SUBBUF_DELTA_BITS) - 1) : word >> 5;
	uint32_t len = type_len * 4;

	if (__builtin_expect(type_len - 1 >= SUBBUF_DATA_MAX || len > left - 4, 0))
		return subbuf_next_slow(sub, ret, swap);
	sub->ts += delta;
	*ret = (struct subbuf_event){ sub->ts, sub->pos + 4, len };
	sub->pos += 4 + len;
	return true;
}

#endif
