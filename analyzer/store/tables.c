// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/tables.h"

#include "store/schema.h"

/* Table and number of columns but recording, in the order of schema/tables.sql. */
static const struct {
	const char *table;
	int nr_columns;
} rows[TABLES_ROWS] = {
	[TABLES_CPU] = { "_cpu", 6 },
	[TABLES_SNAPSHOT] = { "_snapshot", 3 },
	[TABLES_SNAPSHOT_VALUE] = { "_snapshot_value", 5 },
	[TABLES_NOTE] = { "_note", 2 },
	[TABLES_TASK] = { "_task", 4 },
	[TABLES_QUALITY] = { "_quality", 5 },
	[TABLES_CALLSITE] = { "_callsite", 8 },
	[TABLES_RAW_SITE] = { "_raw_site", 63 },
	[TABLES_FRAME] = { "_frame", 9 },
	[TABLES_RAW_FRAME] = { "_raw_frame", 3 },
	[TABLES_CELLS + WRITER_CACHE] = { "_cache", 2 },
	[TABLES_CELLS + WRITER_GFP] = { "_gfp", 3 },
	[TABLES_CELLS + WRITER_GFP_NAME] = { "_gfp_name", 3 },
	[TABLES_CELLS + WRITER_MIGRATETYPE] = { "_migratetype", 2 },
	[TABLES_CELLS + WRITER_CPU_NODE] = { "_cpu_node", 2 },
	[TABLES_CELLS + WRITER_ZONE] = { "_zone", 5 },
	[TABLES_CELLS + WRITER_ACCOUNT] = { "_account", 19 },
	[TABLES_CELLS + WRITER_BUCKET] = { "_bucket", 9 },
	[TABLES_CELLS + WRITER_LIFE] = { "_life", 5 },
	[TABLES_CELLS + WRITER_PEAK] = { "_peak", 4 },
	[TABLES_CELLS + WRITER_FREE_PAIR] = { "_free_pair", 5 },
};

int tables_nr_columns(enum tables_row row)
{
	return rows[row].nr_columns;
}

/* Column recording, wherever it is, keeps its DEFAULT: a writer writes one. */
int tables_prepare(sqlite3 *db, enum tables_row row, sqlite3_stmt **ret)
{
	char *sql = sqlite3_mprintf(
		"SELECT 'INSERT INTO %q (' || group_concat(name) || ') VALUES (' || "
		"group_concat('?') || ')' FROM (SELECT name FROM pragma_table_info(%Q) "
		"WHERE name <> 'recording' LIMIT %d)",
		rows[row].table, rows[row].table, rows[row].nr_columns);
	sqlite3_stmt *text = NULL;
	int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &text, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	if (rc == SQLITE_OK && sqlite3_step(text) == SQLITE_ROW)
		rc = sqlite3_prepare_v2(db, (const char *)sqlite3_column_text(text, 0), -1, ret,
					NULL);
	sqlite3_finalize(text);
	return rc;
}

/*
 * As CREATE VIEW would leave them. It parses a text twice, which for all of them is more
 * than the rest of the schema takes; whoever reads the database does it once.
 */
static int write_views(sqlite3 *db)
{
	const char *at = schema_views;
	struct schema_view view;
	sqlite3_stmt *stmt = NULL;

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	int rc = sqlite3_exec(db, "PRAGMA writable_schema = ON", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(
			db, "INSERT INTO sqlite_schema VALUES ('view', ?1, ?1, 0, ?2)", -1,
			&stmt, NULL);

	while (rc == SQLITE_OK && schema_next_view(&at, &view)) {
		sqlite3_bind_text(stmt, 1, view.name, view.name_len, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, view.text, view.text_len, SQLITE_STATIC);
		sqlite3_step(stmt);
		rc = sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_OK)
		return rc;
	return sqlite3_exec(db, "PRAGMA writable_schema = OFF", NULL, NULL, NULL);
}

int tables_create(sqlite3 *db)
{
	int rc = sqlite3_exec(db, schema_tables, NULL, NULL, NULL);

	return rc == SQLITE_OK ? write_views(db) : rc;
}
