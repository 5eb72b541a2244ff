/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/tables.h - an empty database, and the statements by which rows come into it
 *
 * Out:    on a new connection, all tables and views of schema/
 * Rules:  (1) results are codes of SQLite
 *         (2) arguments of a statement are the columns of its table but recording, in the
 *             order of schema/tables.sql: what a writer writes is one recording
 */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#include <sqlite3.h>

#include "store/writer.h"

enum tables_row {
	TABLES_CPU,
	TABLES_SNAPSHOT,
	TABLES_SNAPSHOT_VALUE,
	TABLES_NOTE,
	TABLES_TASK,
	TABLES_QUALITY,
	TABLES_CALLSITE,
	TABLES_RAW_SITE,
	TABLES_FRAME,
	TABLES_RAW_FRAME,
	TABLES_CELLS, /* and on: enum writer_table */
	TABLES_ROWS = TABLES_CELLS + NR_WRITER_TABLES,
};

/* In a transaction that has begun. */
int tables_create(sqlite3 *db);

int tables_prepare(sqlite3 *db, enum tables_row row, sqlite3_stmt **ret);
int tables_nr_columns(enum tables_row row);

#endif
