/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/audit.h - what the kernel itself said of page frames when the recording ended
 *
 * In:     lines "PFN NR s" or "PFN NR f" in hex, of rising page frame numbers: NR
 *         frames from PFN on hold slab objects, or begin a free block
 * Out:    whether a frame does
 * Rules:  (1) a line that is not so, or steps back, is left out
 *         (2) 16 bytes a line
 * Theory: Documentation/design/matching.md, rule 18
 */
#ifndef MATCH_AUDIT_H
#define MATCH_AUDIT_H

#include <stdbool.h>

#include "base/bytes.h"

struct audit_run {
	uint64_t pfn;
	uint64_t nr;
};

struct audit {
	struct audit_runs {
		struct audit_run *v;
		size_t nr, cap;
	} slab, free;
};

void audit_parse(struct audit *ret, struct span text);
void audit_deinit(struct audit *audit);

/* Nothing is known where the recording has no such lines. */
static inline bool audit_known(const struct audit *audit)
{
	return audit->slab.nr != 0;
}

bool audit_is_slab(const struct audit *audit, uint64_t pfn);
bool audit_is_free(const struct audit *audit, uint64_t pfn);

#endif
