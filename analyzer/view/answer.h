/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/answer.h - reports that answer one question: what grows, how long things
 *                 live, what is wasted, what was live when, who frees what
 *
 * In:     a database, and a query of schema/queries/ for each of them
 * Out:    for people a table with a head and what to make of it; else all columns
 *         of the query
 */
#ifndef VIEW_ANSWER_H
#define VIEW_ANSWER_H

#include "store/sites.h"
#include "view/view.h"

enum answer { ANSWER_GROWTH, ANSWER_LIFETIMES, ANSWER_WASTE, ANSWER_AT, ANSWER_FREED };

/* Of @opts the kinds, the limit, self and, where no key is of accounts, the filter; @at is of ANSWER_AT, "peak" or seconds. */
struct err *answer_print(struct query_db *db, enum answer answer, const struct sites_opts *opts,
			 const char *at, enum view_format format, FILE *out,
			 const struct view_layout *layout) MUST_CHECK;

#endif
