/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/library.h - the named queries, and what their heads say of them
 *
 * In:     the texts of schema/queries/. The head of one is its comment lines:
 *             -- One line that says what it answers.
 *             -- :name=default what the parameter means
 *             --
 *             -- More, for who reads the query.
 *         A default is a number or a text in quotes.
 * Out:    names, one-line summaries, parameters with their defaults
 * Rules:  (1) a query runs without parameters: each has a default
 */
#ifndef STORE_LIBRARY_H
#define STORE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "store/query.h"
#include "store/schema.h"

struct library_param {
	const char *name; /* behind the colon; @name_len bytes, as all of these */
	size_t name_len;
	const char *value; /* the default, without its quotes */
	size_t value_len;
	bool is_text; /* it had quotes */
	const char *meaning;
	size_t meaning_len;
};

/* NULL when there is none of that name. */
const struct schema_query *library_find(const char *name);

/* The first line of the head, *ret_len bytes of it. */
const char *library_summary(const struct schema_query *query, size_t *ret_len);

/* The i-th parameter; false past the last. */
bool library_param(const struct schema_query *query, size_t i, struct library_param *ret);

/**
 * library_prepare() - a named query, its parameters bound
 * @values: NAME=VALUE words, NULL-terminated; what is not among them has its default
 *
 * Return: ERR_USAGE for a word that is no NAME=VALUE, or of a parameter it has not.
 */
struct err *library_prepare(struct query_db *db, const struct schema_query *query,
			    char *const *values, struct query **ret) MUST_CHECK;

/*
 * The same rows in the same order, but of these @columns only ("file, line"; NULL: all): what
 * is not asked for is not read. The order is one by columns, under their names, and the
 * query ends with it and with its limit.
 * @all: whatever :rows is. The rows are read at once then, and sorted here.
 */
struct err *library_prepare_part(struct query_db *db, const struct schema_query *query,
				 const char *columns, bool all, char *const *values,
				 struct query **ret) MUST_CHECK;

/*
 * The words for a query that is not of the library. ERR_USAGE also for a parameter
 * that has no value.
 */
struct err *library_bind(struct query *query, char *const *values) MUST_CHECK;

#endif
