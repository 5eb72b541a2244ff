/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/wobble.h - how far a figure of a single run may be off, by how it moved in it
 *
 * In:     a side of one run, and the buckets of its database
 * Out:    figure.variance of its sites
 * Rules:  (1) what is live is compared with the straight line that fits the later half
 *             of the recording best: steady growth is no noise, nor is what came before
 *         (2) what happened varies as much as its buckets, which count as independent
 *         (3) fewer than WOBBLE_BUCKETS tell nothing
 */
#ifndef STORE_WOBBLE_H
#define STORE_WOBBLE_H

#include "store/side.h"

enum { WOBBLE_BUCKETS = 8 };

struct err *wobble_load(struct side *side, struct query_db *db,
			const struct side_opts *opts) MUST_CHECK;

/* Of the changes in @nr buckets; @level: their sums are what is meant. */
double wobble_variance(const double *change, size_t nr, bool level);

#endif
