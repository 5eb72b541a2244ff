/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/view.h - rows of cells as a table, CSV, JSON or Markdown
 *
 * In:     cells from store/query.h, or made by the caller: any bytes
 * Out:    text on a stream that the caller owns and checks for errors
 * Not:    lets a control character through to a table; keeps more than the first
 *         few thousand rows (a table measures its columns by them)
 * Use:    view_new, view_row…, view_finish, view_free; or view_query for all
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include <stdio.h>

#include "store/query.h"

enum view_format { VIEW_TABLE, VIEW_CSV, VIEW_JSON, VIEW_MARKDOWN };

/* Their names, in a line. */
#define VIEW_FORMATS "table, csv, json, markdown"

enum view_style {
	VIEW_PLAIN,
	VIEW_BYTES,	   /* in IEC units where a person reads */
	VIEW_CHANGE,	   /* with a sign */
	VIEW_BYTES_CHANGE, /* both */
	VIEW_TIME,	   /* seconds; in a fitting unit where a person reads */
	VIEW_SHARE,	   /* of 1; in per cent where a person reads */
	VIEW_ROUND,	   /* without decimals where a person reads */
	VIEW_SITE,	   /* a call site: the column that gives way on a narrow terminal */
};

struct view_column {
	const char *title;
	enum view_style style;
};

struct view_layout {
	bool human;	    /* a person reads: units */
	unsigned int width; /* columns of the terminal; 0: no limit */
};

struct view;

/* The format called @name, one of VIEW_FORMATS; false if there is none. */
bool view_format_find(const char *name, enum view_format *ret);

/* @column is borrowed until view_free(). */
struct view *view_new(enum view_format format, FILE *out, const struct view_layout *layout,
		      const struct view_column *column, size_t nr);
void view_free(struct view *view);
DEFINE_CLEANUP(struct view *, view, view_free)

void view_row(struct view *view, const struct cell *row);
/* A blank line in a table, nothing elsewhere. */
void view_gap(struct view *view);
void view_finish(struct view *view);

/* All rows of a query, under the names of its columns. */
struct err *view_query(struct query *query, enum view_format format, FILE *out,
		       const struct view_layout *layout) MUST_CHECK;

#endif
