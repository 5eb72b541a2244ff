/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/report.h - the report that a person reads
 *
 * What was recorded and how sure it is; a row a call site; sums per kind; what
 * else the reader should know.
 */
#ifndef VIEW_REPORT_H
#define VIEW_REPORT_H

#include "store/sites.h"
#include "view/view.h"

struct err *report_print(struct query_db *db, const struct sites_opts *opts, FILE *out,
			 const struct view_layout *layout) MUST_CHECK;

/* What was recorded, and how sure the figures are: the lines that a report begins with. */
struct err *report_head(struct query_db *db, const struct sites_opts *opts,
			FILE *out) MUST_CHECK;

#endif
