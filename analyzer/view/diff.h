/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/diff.h - what changed, for people and for programs
 *
 * In:     changes of store/changes.h
 * Out:    a table with what was compared above and notes below it; or rows only, as
 *         CSV, JSON or Markdown
 */
#ifndef VIEW_DIFF_H
#define VIEW_DIFF_H

#include "store/changes.h"
#include "view/view.h"

struct diff_opts {
	const char *metric; /* as it was compared: "bytes" */
	const char *per;    /* "second", "GB", or a query; NULL: not divided */
	bool bytes;	    /* the figures are bytes */
	bool all;	    /* also what did not change, or not significantly */
	bool any_kind;	    /* kinds are not told apart */
	uint64_t limit;	    /* rows; 0: all */
};

void diff_print(const struct changes *changes, const struct side *old, const struct side *new,
		const struct diff_opts *opts, enum view_format format, FILE *out,
		const struct view_layout *layout);

#endif
