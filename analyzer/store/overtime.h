/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/overtime.h - what a call site held over time, and how long things lived there
 *
 * In:     what raw sites of one call site had in buckets of time, and in bins of lives
 * Out:    rows of _bucket and _life: their sums, and the levels at the ends of buckets
 * Use:    overtime_add_*() for all raw sites of a call site, in any order;
 *         overtime_write(), which starts anew
 * Rules:  (1) call sites that come by their numbers are written behind each other, which
 *             is what SQLite does best
 *         (2) a bucket that something was added to has a row, whatever the sum; a bin
 *             only where there is something in it
 */
#ifndef STORE_OVERTIME_H
#define STORE_OVERTIME_H

#include "match/life.h"
#include "match/series.h"
#include "store/writer.h"

struct overtime {
	struct overtime_change {
		bool known;
		uint64_t net_bytes, net_calls, alloc_bytes, allocs; /* modulo 2^64 */
	} change[SERIES_BUCKETS];
	uint64_t ended[LIFE_BINS], live[LIFE_BINS];
	bool has_changes, has_lives;
};

/* @bucket: below SERIES_BUCKETS; @net_bytes, @net_calls: negative where less is live. */
void overtime_add_change(struct overtime *overtime, uint32_t bucket, int64_t net_bytes,
			 int64_t net_calls, int64_t alloc_bytes, int64_t allocs);

/* @bin: below LIFE_BINS. */
void overtime_add_lives(struct overtime *overtime, uint32_t bin, uint64_t ended, uint64_t live);

/* @callsite: a number of writer_call_site(); @self: as the raw sites have it. */
struct err *overtime_write(struct overtime *overtime, struct writer *writer, uint32_t callsite,
			   bool self) MUST_CHECK;

#endif
