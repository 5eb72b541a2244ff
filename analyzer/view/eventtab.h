/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/eventtab.h - the events of a recording as SQL tables, without an import
 *
 * Out:    table-valued events and stacks: a row per event, a row per frame of an
 *         event's stack, in the order of time, read from the recording's pages
 *         while the query runs. events('FILE') takes another recording than that
 *         of the database.
 * Not:    keeps anything: a query reads the recording from its start, and a join
 *         of two reads it once per row
 * Rules:  (1) bounds on seq and ts_ns end the reading early
 *         (2) they cannot be used in views: a database may be anyone's, and must
 *             not choose which file is opened
 * Theory: sqlite.org/vtab.html; columns: allocprof-sql(1)
 */
#ifndef VIEW_EVENTTAB_H
#define VIEW_EVENTTAB_H

#include "view/source.h"

/* A result code of SQLite. */
int eventtab_register(sqlite3 *db, struct source *source);

#endif
