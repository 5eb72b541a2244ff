/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/rows.h - all rows of a table, given to a function
 *
 * In:     a table of the database, or a view that one stands for (store/folded.h), and the
 *         columns of it that are wanted
 * Out:    a call for each row
 * Rules:  (1) what SQLite's query gives in that order, values and types, is what comes
 *         (2) the table's pages are read without SQLite where the file is plain, which takes
 *             an eighth of the instructions; else, and where a view stands for the table
 *             (store/upgrade.h) or for itself, SQLite is asked
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "store/query.h"

/* @row: the columns as they were asked for, borrowed for the time of the call. */
typedef struct err *rows_fn(void *arg, const struct cell *row);

enum { ROWS_COLUMNS = 80 };

struct rows_query {
	const char *table;   /* or view */
	const char *columns; /* "id, kind, NULL", at most ROWS_COLUMNS, each once */
	const char *order; /* the table's key, by which rows come; NULL: as they were written */
	rows_fn *fn;
	void *arg; /* of both functions */
	/* Of the first column, a whole number: false passes the row over. NULL: all. */
	bool (*wanted)(const void *arg, int64_t first);
};

struct err *rows_each(struct query_db *db, const struct rows_query *rows) MUST_CHECK;

#endif
