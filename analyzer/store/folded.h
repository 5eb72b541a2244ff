/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/folded.h - the rows of views that are too slow to be made for each query
 *
 * In:     a connection to a database whose views are today's, or one that is
 * Out:    on that connection, temporary views that hide call_sites and others behind
 *         the tables that schema/indices.sql made of them
 * Rules:  (1) a table that is missing, or whose columns are not the view's, is passed
 *             over: the view is slower, not different. Of private ones only the program
 *             asks: such a table is taken as it is
 */
#ifndef STORE_FOLDED_H
#define STORE_FOLDED_H

#include <sqlite3.h>
#include <stdbool.h>

void folded_use(sqlite3 *db);
/* The same for one view, which the file has as today; false: it has to be made. */
bool folded_use_one(sqlite3 *db, const char *view, int len);

#endif
