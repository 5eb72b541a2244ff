/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/rowtab.h - rows made by a function as a table of SQL
 *
 * In:     a name, the columns, and a function that makes all rows
 * Out:    on a connection, a table of that name; its rows are made when it is first read, and
 *         kept as long as the connection
 * Rules:  (1) rows come in the order in which they were made
 *         (2) a text that a column shall equal passes over other rows, without an index
 */
#ifndef STORE_ROWTAB_H
#define STORE_ROWTAB_H

#include "store/query.h"

struct rowtab_rows {
	struct cell *cell; /* nr_columns for each row; their texts are another's */
	size_t nr, cap;	   /* cells */
};

struct rowtab {
	const char *name;
	const char *declaration; /* "CREATE TABLE x(name TEXT, bytes)" */
	size_t nr_columns;
	/* @arg: as it was registered. */
	struct err *(*make)(void *arg, struct rowtab_rows *rows);
};

/* @table and @arg must outlive the connection's use. A result code of SQLite's. */
int rowtab_register(struct query_db *db, const struct rowtab *table, void *arg);

/* Room for one more row, NULL in each column, until the next call. */
struct cell *rowtab_row(struct rowtab_rows *rows, size_t nr_columns);

#endif
