/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/upgrade.h - a database of an earlier version in today's form
 *
 * In:     a connection to such a database, open for reading
 * Out:    on that connection, temporary views that hide the tables and views of the
 *         file behind today's: columns that the file lacks have their DEFAULT, tables
 *         that it lacks are empty
 * Not:    writes to the file, or reads more of it than its schema
 * Rules:  (1) a column that is NOT NULL and not of version 1 has a DEFAULT in
 *             schema/tables.sql; what cannot be told so wants a step of its own here
 */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

/* True when the file's own views are today's, word for word. */
bool upgrade_is_current(sqlite3 *db);

struct err *upgrade_views(sqlite3 *db, const char *path) MUST_CHECK;

#endif
