/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/leaks.h - suspects for a leak, in words
 *
 * In:     rows of schema/queries/leaks.sql
 * Out:    two lines each: verdict, evidence, figures and place; then why it is here
 */
#ifndef VIEW_LEAKS_H
#define VIEW_LEAKS_H

#include "view/view.h"

/* At most @limit of them, 0 for all. */
struct err *leaks_print(struct query *query, uint64_t limit, FILE *out,
			const struct view_layout *layout) MUST_CHECK;

#endif
