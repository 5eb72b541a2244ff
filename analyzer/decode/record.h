/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/record.h - one record of a ring buffer as events
 *
 * In:     a record's payload and where its fields are (decode/format.h)
 * Out:    struct event of it, without a stack; the frames of a stack
 * Not:    knows what came before it
 * Rules:  (1) a record is at least as long as its format says: the caller has looked
 *         (2) a value that no kernel writes makes no event
 *         (3) a name that lies outside of its record is counted as malformed, and lost
 *         (4) a probe's list of pointers becomes an event each; a struct page becomes its
 *             pfn, and those that are none drop out
 */
#ifndef DECODE_RECORD_H
#define DECODE_RECORD_H

#include "decode/event.h"
#include "decode/format.h"
#include "decode/memo.h"
#include "decode/subbuf.h"

enum { RECORD_MAX_ORDER = 31 };

/* Of one CPU, what its records do not tell. */
struct record_source {
	uint64_t vmemmap;
	uint32_t page_size;
	uint32_t nr_cpus;
	uint16_t cpu;
	bool swap;
	uint64_t *malformed; /* names outside of their records */
	struct memo memo;
	uint8_t scratch[FORMAT_MAX_OFF + 8];
};

/* What all records have in common. */
struct record {
	const struct format_record *format;
	struct subbuf_event item;
	const uint8_t *page_end; /* up to it bytes may be read */
	int32_t pid;
	uint8_t context;
};

/* False: there is none in it. */
bool record_event(struct record_source *from, const struct record *record, struct event *ret);

/* Makes of the event at @ev one for each pointer of its list; returns how many. */
size_t record_list(struct record_source *from, const struct record *record, struct event *ev);

/* The frames of a stack, @max of them at most; false if it tells of more than it has. */
bool record_frames(struct record_source *from, const struct record *record, uint64_t *ret,
		   size_t max, size_t *ret_nr);

/* The name in a record that has one. */
static inline uint16_t record_name(struct record_source *from,
				   const struct format_record *format, const uint8_t *data,
				   size_t len, const bool swap)
{
	if (format->name_len)
		return memo_id(&from->memo, (const char *)data + format->name_off,
			       format->name_len);

	uint32_t where = subbuf_u32(data + format->name_off, swap);
	size_t off = (size_t)(where & 0xffff) + format->name_base;
	size_t name_len = where >> 16;

	if (__builtin_expect(off + name_len > len, 0)) {
		++*from->malformed;
		return EVENT_CACHE_NONE;
	}
	return memo_id(&from->memo, (const char *)data + off, name_len);
}

#endif
