/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/charge.h - frees of objects older than the recording, charged to a call site
 *
 * In:     what freed what, and which raw sites are one call site
 * Out:    preexisting_frees and preexisting_bytes of the sites: objects that
 *         they made before the recording and that were freed in it, an estimate
 * Not:    a free that is charged stays an unknown free of where it was made
 * Rules:  15 in Documentation/design/matching.md
 */
#ifndef MATCH_CHARGE_H
#define MATCH_CHARGE_H

#include "match/flow.h"
#include "match/match.h"

/*
 * @group tells for each of the @nr sites its call site, of its kind. O(n log n)
 * of the flows.
 */
void charge_sites(struct site *site, size_t nr, const uint32_t *group,
		  const struct flow_table *flows, const struct match_totals *totals,
		  uint64_t page_size);

#endif
