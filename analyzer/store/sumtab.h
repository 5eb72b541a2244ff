/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/sumtab.h - accounts and raw sites by group, as SQL functions
 *
 * In:     _account_groups(by, depth, kinds, self, pid, tgid, …), one argument for each
 *         key of store/filter.h; _site_groups(by, depth, kinds, self)
 * Out:    a row for each kind and name, as schema/queries/who.sql and groups.sql show
 *         them; in the order that SQLite asks for, if it is one of their columns
 * Not:    keeps anything but the sums per kind of what was asked last: a report ends
 *         with these
 * Rules:  (1) SQLite would sort all rows to group them, and join each with seven tables:
 *             60,000 accounts take it 0.4 s, and here 0.02 s
 */
#ifndef STORE_SUMTAB_H
#define STORE_SUMTAB_H

#include "store/query.h"

/* @db must outlive the connection's use. */
struct err *sumtab_register(struct query_db *db) MUST_CHECK;

#endif
