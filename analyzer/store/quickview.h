/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/quickview.h - a view of the schema in words that take less time
 *
 * In:     the name of a view, and what of its text is to be replaced
 * Out:    on a connection, a temporary view of that name, which hides the file's
 * Rules:  (1) the schema has each of the words: what is not replaced would be slow, and
 *             silently so
 *         (2) rows, values, types, affinities and the order stay
 */
#ifndef STORE_QUICKVIEW_H
#define STORE_QUICKVIEW_H

#include <sqlite3.h>
#include <stddef.h>

struct quickview_words {
	const char *from; /* with ' …' behind it: and all that follows */
	const char *to;
};

/* A result code of SQLite's. */
int quickview_define(sqlite3 *db, const char *view, const struct quickview_words *words,
		     size_t nr);

#endif
