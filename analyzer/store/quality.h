/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/quality.h - the counters of doubt, each with its unit and meaning
 *
 * To add one: a line in quality.c. Names are part of the interface.
 */
#ifndef STORE_QUALITY_H
#define STORE_QUALITY_H

#include "decode/merge.h"
#include "match/match.h"

struct quality_row {
	const char *name, *unit, *meaning; /* static */
	uint64_t value;
};

enum { QUALITY_MAX = 72 };

/* Fills @ret and returns how many; every counter is there, also at zero. */
size_t quality_rows(const struct match_totals *match, const struct merge_stats *merge,
		    uint64_t truncated_bytes, bool unfinished, uint64_t probe_misses,
		    struct quality_row ret[QUALITY_MAX]);

#endif
