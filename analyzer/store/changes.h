/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/changes.h - what changed from one side of a comparison to the other
 *
 * In:     two sides and their pairing
 * Out:    a change for each call site of either side, largest first, and one for each
 *         kind; each with the noise it has to exceed
 * Rules:  (1) the figure of a side is the mean of its runs
 *         (2) noise of several runs is Welch's: what the difference of the means
 *             exceeds by chance once in a hundred comparisons
 *             With one run on each side it is how far a figure moves in its own run
 *         (3) noise is never less than what the figures themselves leave open: where
 *             their bounds overlap, nothing is known to have changed
 *         (4) exchanging the sides negates every change and nothing else
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/pairing.h"

struct change {
	const struct side_site *old, *new; /* NULL where the side has no such site */
	double old_value, new_value;
	double old_calls, new_calls;
	double change;
	double noise; /* a change is significant when it is beyond this */
	bool moved;   /* another line, file or module */
	bool significant;
};

struct change_total {
	uint32_t kind;
	struct change sum; /* old and new are NULL */
};

enum { CHANGES_KINDS = 8 };

struct changes {
	struct change *change; /* by size of the change */
	size_t nr;
	struct change_total total[CHANGES_KINDS];
	size_t nr_totals;
	size_t nr_significant;
	size_t nr_noise;  /* that changed, but not significantly */
	double noise_sum; /* of their changes */
};

void changes_init(struct changes *changes, const struct side *old, const struct side *new,
		  const struct pairing *pairing);
void changes_deinit(struct changes *changes);

/*
 * True when @change is significant and a growth by more than @limit; with @percent
 * that is a share of what all of its kind had before.
 */
bool changes_exceed(const struct changes *changes, const struct change *change, double limit,
		    bool percent);

#endif
