/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/query.h - reads a database, and does nothing else to it
 *
 * In:     a path: any file; SQL from anyone
 * Out:    rows of cells, borrowed until the next call on the query
 * Not:    writes, attaches, changes a setting, or touches any other file
 * Use:    query_db_open; query_prepare, query_bind_*, query_next until *ret is
 *         NULL, query_free; query_db_close
 * Rules:  (1) a file that is no database of this program, or of a later version, is
 *             refused by query_db_open; one of an earlier version has today's views
 *         (2) a statement that is not a plain query is refused by query_prepare
 *         (3) rows are sorted here where all of them are wanted (store/order.h)
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct query_db;
struct query;
struct sqlite3_value;
struct sorted;
struct sorted_key;

enum cell_type { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT, CELL_BLOB };

struct cell {
	enum cell_type type;
	int64_t i;	  /* CELL_INT */
	double real;	  /* CELL_REAL */
	const char *text; /* CELL_TEXT, CELL_BLOB: @len bytes; texts end in NUL too */
	size_t len;
};

/* True when the file begins as SQLite's do; an error when it cannot be read. */
struct err *query_is_db(const char *path, bool *ret) MUST_CHECK;

struct err *query_db_open(const char *path, struct query_db **ret) MUST_CHECK;
/* True when another build than this one made the database. */
bool query_db_is_older(const struct query_db *db);
void query_db_close(struct query_db *db);
DEFINE_CLEANUP(struct query_db *, query_db, query_db_close)

/* The connection, for what a later stage adds to it. */
struct sqlite3 *query_db_handle(struct query_db *db);

/* Makes a query_next() that is at work fail soon; a signal handler may call it. */
void query_db_interrupt(struct query_db *db);

/* Whether a text ends with a semicolon, outside of quotes and comments. */
bool query_complete(const char *sql);

/**
 * query_prepare() - compile the first statement of a text
 * @db:       must outlive the query
 * @sql:      one or more statements
 * @ret_tail: what follows the first one in @sql; may be NULL
 * @ret:      NULL when there is no statement, only space and comments
 *
 * Return: ERR_DB that says what is wrong and where in @sql it is.
 */
struct err *query_prepare(struct query_db *db, const char *sql, const char **ret_tail,
			  struct query **ret) MUST_CHECK;
void query_free(struct query *query);
DEFINE_CLEANUP(struct query *, query, query_free)

/* The parameter @name (":kinds") of a query; copied. A name it does not have is
 * a mistake of the program. */
void query_bind_text(struct query *query, const char *name, const char *text);
void query_bind_int(struct query *query, const char *name, int64_t value);

/* The i-th parameter, as it is written (":kinds"); NULL past the last. */
const char *query_param(const struct query *query, size_t i);
bool query_has_param(const struct query *query, const char *name);

size_t query_nr_columns(const struct query *query);
const char *query_column(const struct query *query, size_t column);
/* The column of that name, a literal, which is known again by its address; a name that the
 * query does not have is a mistake of the program. */
size_t query_find_column(struct query *query, const char *name);

/*
 * Reads all rows at once: from here on they come in the order of these columns, and of each
 * only the first @nr_shown columns.
 */
struct err *query_sort(struct query *query, const struct sorted_key *key, size_t nr_keys,
		       size_t nr_shown) MUST_CHECK;

/* Rows that did not come by a query, as if they had; @rows is taken. @columns: "file, line". */
struct query *query_of(struct query_db *db, struct sorted *rows, const char *columns,
		       size_t nr_columns, size_t nr_shown);

/* A value of SQLite's as a cell, which borrows its text. */
struct cell query_cell(struct sqlite3_value *value);

/* From the start, after other parameters were bound; of a query that is not sorted. */
void query_restart(struct query *query);

/* The next row, query_nr_columns() cells; *ret is NULL past the last. */
struct err *query_next(struct query *query, const struct cell **ret) MUST_CHECK;

#endif
