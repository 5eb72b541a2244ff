/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/kindbuckets.h - what changed at all call sites of a kind, bucket by bucket
 *
 * In:     the changes of call sites, which come by their numbers
 * Out:    the rows of the private view _kind_buckets
 * Use:    kindbuckets_init; kindbuckets_add() for each row of _bucket; kindbuckets_bind()
 * Rules:  (1) what SQL might not add up, or in another order to another sum, is not
 *             plain: then the view has to say it
 */
#ifndef STORE_KINDBUCKETS_H
#define STORE_KINDBUCKETS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"
#include "store/intern.h"

/* Up to here a double holds each integer, so that no order of adding matters. */
#define FOLD_EXACT (INT64_C(1) << 53)

struct kindbuckets {
	sqlite3_stmt *callsites; /* numbers and kinds, in step with the call sites */
	int64_t callsite;	 /* that it is at */
	const char *kind;	 /* of that */
	struct kindbuckets_sums {
		const char *kind; /* of schema/tables.sql */
		int64_t self, recording;
		struct kindbuckets_sum {
			bool known;
			int64_t value[4];
		} * bucket; /* SERIES_BUCKETS */
	} * sums;
	size_t nr, cap;
	struct intern keys; /* which of the sums, from 1 */
	bool plain;
};

struct err *kindbuckets_init(struct kindbuckets *kinds, sqlite3 *db) MUST_CHECK;
void kindbuckets_deinit(struct kindbuckets *kinds);

/* @call_site: of view call_sites, ascending; @bucket: below SERIES_BUCKETS; @value: bytes and
 * calls that net changed by, bytes and calls allocated. */
void kindbuckets_add(struct kindbuckets *kinds, int64_t call_site, int64_t recording,
		     uint32_t bucket, const int64_t value[4]);

/* The row from *i on, which is 0 at first, as the arguments of a statement; false: no more. */
bool kindbuckets_bind(const struct kindbuckets *kinds, size_t *i, sqlite3_stmt *stmt);

#endif
