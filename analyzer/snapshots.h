/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshots.h - the numbers in the texts of /proc that a recording carries
 *
 * In:     a snapshot of meminfo, vmstat, zoneinfo, vmallocinfo, slabinfo or allocinfo
 * Out:    rows of table _snapshot_value
 * Not:    takes the form for granted: a line that is not in it is left out.
 *         What the numbers are compared with is in schema/views.sql
 */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "store/writer.h"

/* @name is the file in /proc, @at is "start" or "end"; other files have no rows. */
struct err *snapshots_write(struct writer *writer, const char *name, const char *at,
			    struct span text) MUST_CHECK;

#endif
