/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/sums.h - sums by group, of rows that come in any order
 *
 * In:     rows, each of a raw site and a group, with what it adds
 * Out:    a group for each kind and name, in the order of first sight
 * Use:    for each row sums_group, and what it adds to the sums there; sums_finish; then
 *         the groups
 * Rules:  (1) texts are numbers of one struct strings; 0 is NULL
 *         (2) a text, line, recording or host of a group is that of all its rows, else
 *             NULL
 *         (3) a sum that does not fit is an error: who adds sets overflow
 */
#ifndef STORE_SUMS_H
#define STORE_SUMS_H

#include "base/err.h"
#include "store/pairs.h"

enum sums_of {
	SUMS_NET_BYTES,
	SUMS_NET_CALLS,
	SUMS_ALLOC_BYTES,
	SUMS_ALLOCS,
	SUMS_FREES,
	SUMS_BYTES_REQ,
	SUMS_FAILURES,
	SUMS_INFERRED_FREES,
	SUMS_INFERRED_BYTES,
	SUMS_UNCERTAIN_CALLS,
	SUMS_UNCERTAIN_BYTES,
	/* Raw sites only. */
	SUMS_NET_SE_BYTES,
	SUMS_PEAK_BYTES,
	SUMS_UNKNOWN_FREES,
	SUMS_PREEXISTING_FREES,
	SUMS_PREEXISTING_BYTES,
	NR_SUMS
};

/* What all rows of a group may have in common. */
enum sums_same {
	SUMS_FILE,
	SUMS_FUNC,
	SUMS_MODULE,
	SUMS_CACHE,
	SUMS_SUBSYSTEM,
	SUMS_HOST,
	SUMS_LINE,	/* a number, plus 1 */
	SUMS_RECORDING, /* an index, plus 1 */
	SUMS_CALL_SITE, /* likewise */
	NR_SAMES
};

struct sums_row {
	uint32_t kind, name;
	uint32_t raw_site, call_site; /* indices, for the numbers of different ones */
	const int64_t *same;	      /* NR_SAMES */
	uint32_t cache;		      /* in the place of same's */
	int64_t self;
	int64_t first_ns, last_ns; /* INT64_MAX, INT64_MIN: none */
};

struct sums_group {
	uint32_t kind, name;
	uint32_t call_sites, raw_sites; /* different ones; of sums_finish() */
	uint32_t last;	 /* raw site or call site that was counted last, plus 1 */
	uint32_t common; /* bits of enum sums_same: may still be the same in all rows */
	int64_t self;
	int64_t same[NR_SAMES];
	int64_t sum[NR_SUMS];
	int64_t first_ns, last_ns;
};

struct sums {
	struct pairs keys; /* kind and name */
	struct sums_group *group;
	size_t nr, cap;
	/* Which raw site is in which group; one may come several times. */
	struct sums_member {
		uint32_t group, raw_site, call_site;
	} * member;
	size_t nr_members, cap_members;
	bool overflow;
};

void sums_deinit(struct sums *sums);
/* The row's group, until the next call. */
struct sums_group *sums_group(struct sums *sums, const struct sums_row *row);
/* @raw_sites, @call_sites: indices are below these. */
struct err *sums_finish(struct sums *sums, size_t raw_sites, size_t call_sites) MUST_CHECK;

#endif
