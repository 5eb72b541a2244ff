/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/reconcile.h - what the kernel counted beside what the recording counts
 *
 * A table a file of /proc, the rows that differ most first; then how well the
 * call sites agree with /proc/allocinfo, where the kernel keeps that.
 */
#ifndef VIEW_RECONCILE_H
#define VIEW_RECONCILE_H

#include "store/query.h"
#include "view/view.h"

/* At most @limit rows of each file; 0: all. */
struct err *reconcile_print(struct query_db *db, uint64_t limit, enum view_format format,
			    FILE *out, const struct view_layout *layout) MUST_CHECK;

#endif
