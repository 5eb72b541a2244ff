/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/each.h - the rows of a query, given to a function
 *
 * In:     a query as its text
 * Out:    a call for each row; SQLite makes no row of results, since the function is an
 *         aggregate to it: half the time of query_next(), where rows are many and short
 * Use:    each_prepare; query_bind_*() on its query; each_run, once; each_deinit
 * Rules:  (1) one at a time on a connection
 *         (2) an error of the function ends the query, and is that of each_run()
 */
#ifndef STORE_EACH_H
#define STORE_EACH_H

#include <sqlite3.h>

#include "store/query.h"

/* @row: the columns that were asked for; for the time of the call. */
typedef struct err *each_fn(void *arg, sqlite3_value **row);

struct each {
	each_fn *fn;
	void *arg;
	struct query_db *db;
	struct query *query;
	struct err *err;
};

/* @columns: of the query @sql, with commas between. @each stays where it is. */
struct err *each_prepare(struct each *each, struct query_db *db, const char *columns,
			 const char *sql) MUST_CHECK;
struct err *each_run(struct each *each) MUST_CHECK;
void each_deinit(struct each *each);

#endif
