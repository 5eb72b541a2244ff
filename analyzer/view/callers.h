/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/callers.h - call sites, each with the tree of those who called it
 *
 * In:     the stacks that a database keeps
 * Out:    a row a call site and below it, depth first, a row a caller: who called
 *         the function charged, who called that one, and so on, as perf report
 *         does; at each depth the one that holds most first
 * Rules:  (1) what the callers of one place hold adds up to what it holds, but for
 *             stacks that end there
 *         (2) no deeper than CALLERS_DEPTH
 */
#ifndef VIEW_CALLERS_H
#define VIEW_CALLERS_H

#include "store/sites.h"
#include "view/view.h"

enum { CALLERS_DEPTH = 256 };

/* @site: only call sites that place_is() takes for it, an error if there is none; or NULL. */
struct err *callers_print(struct query_db *db, const struct sites_opts *opts, const char *site,
			  enum view_format format, FILE *out,
			  const struct view_layout *layout) MUST_CHECK;

#endif
