/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/bounds.h - between which numbers the net usage of a site lies
 *
 * In:     finished sites, which of them are one call site, and what was lost
 * Out:    lower, lower_bytes, upper and upper_bytes of the sites; missed_calls
 *         and missed_bytes of the totals, for call sites that no event names
 * Not:    changes no other number
 * Rules:  17 in Documentation/design/matching.md
 */
#ifndef MATCH_BOUNDS_H
#define MATCH_BOUNDS_H

#include "match/match.h"
#include "match/sitetab.h"

/* @group as in match_judge(). What a call site may have missed goes to one of its sites. */
void bounds_set(struct sitetab *sites, const uint32_t *group, struct match_totals *totals);

#endif
