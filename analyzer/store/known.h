/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/known.h - what small tables tell of a number, as SQL functions in the place of joins
 *
 * In:     a connection to a database whose views are today's
 * Out:    on it, a temporary view that hides accounts: the same text, in which the tables of
 *         tasks, CPUs, flags, … are not joined but asked by functions
 * Rules:  (1) such a table is read whole when it is first asked
 *         (2) a join costs SQLite 650 instructions a row, whether a column of it is wanted
 *             or not; a function that is not wanted costs nothing
 */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include <sqlite3.h>

/* A result code of SQLite's. */
int known_use(sqlite3 *db);

#endif
