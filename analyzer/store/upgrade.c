// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/upgrade.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "store/folded.h"
#include "store/schema.h"
#include "store/stmt.h"

static void sqlite_close(sqlite3 *db)
{
	sqlite3_close(db);
}
DEFINE_CLEANUP(sqlite3 *, sqlite, sqlite_close)

static void str_free(sqlite3_str *str)
{
	sqlite3_free(sqlite3_str_finish(str));
}
DEFINE_CLEANUP(sqlite3_str *, str, str_free)

static bool is_text(const char *sql, const struct schema_view *view)
{
	return strlen(sql) == (size_t)view->text_len &&
	       !memcmp(sql, view->text, (size_t)view->text_len);
}

/* Whether @sql is the text of one of the views. */
static bool is_one(const char *sql)
{
	const char *at = schema_views;
	struct schema_view view;

	while (schema_next_view(&at, &view))
		if (is_text(sql, &view))
			return true;
	return false;
}

bool upgrade_is_current(sqlite3 *db)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE type = 'view'", -1,
				    &stmt, NULL);
	const char *at = schema_views;
	struct schema_view view;

	if (rc != SQLITE_OK)
		return false;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(stmt, 0);

		/* They come in the order they were made in; elsewhere any is for a search. */
		if (!sql || !schema_next_view(&at, &view) ||
		    (!is_text(sql, &view) && !is_one(sql)))
			return false;
	}
	return rc == SQLITE_DONE && !schema_next_view(&at, &view);
}

static struct err *exec(sqlite3 *db, const char *path, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return NULL;
	return err_new(ERR_DB, "%s: cannot be read as a database of this version: %s", path,
		       sqlite3_errmsg(db));
}

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL,
					     NULL) == SQLITE_OK;
}

static bool has_table(sqlite3 *db, const char *table)
{
	return has_column(db, table, NULL);
}

/*
 * What was kept of each raw site is now of its call site, and with the levels: tables that
 * have a column raw_site, as version 2 had them. Names are looked up as of today.
 */
static const struct {
	const char *table, *sql;
} raw_tables[] = {
	{ "_bucket",
	  "SELECT r.callsite AS callsite, r.self AS self, r.recording AS recording, "
	  "b.bucket AS bucket, sum(b.net_bytes) AS net_bytes, sum(b.net_calls) AS net_calls, "
	  "sum(b.alloc_bytes) AS alloc_bytes, sum(b.allocs) AS allocs, "
	  "sum(sum(b.net_bytes)) OVER w AS end_bytes, "
	  "sum(sum(b.net_calls)) OVER w AS end_calls "
	  "FROM _raw_site r CROSS JOIN main._bucket b ON b.raw_site = r.id "
	  "GROUP BY r.callsite, r.self, r.recording, b.bucket "
	  "WINDOW w AS (PARTITION BY r.callsite, r.self, r.recording ORDER BY b.bucket)" },
	{ "_life", "SELECT r.callsite AS callsite, r.self AS self, r.recording AS recording, "
		   "l.bin AS bin, sum(l.ended) AS ended, sum(l.live) AS live "
		   "FROM _raw_site r CROSS JOIN main._life l ON l.raw_site = r.id "
		   "GROUP BY r.callsite, r.self, r.recording, l.bin" },
};

/* Sets *ret_done where the table is one of those. */
static struct err *wrap_raw_table(sqlite3 *db, const char *path, const char *table,
				  bool *ret_done)
{
	*ret_done = false;
	for (size_t i = 0; i < sizeof(raw_tables) / sizeof(*raw_tables); i++) {
		if (strcmp(table, raw_tables[i].table) != 0 ||
		    !has_column(db, table, "raw_site"))
			continue;
		auto_free char *sql =
			xasprintf("CREATE TEMP VIEW %s AS %s", table, raw_tables[i].sql);

		*ret_done = true;
		return exec(db, path, sql);
	}
	return NULL;
}

/*
 * A temporary view over one table, unless that has all of today's columns.
 * @columns: name and default of each
 */
static struct err *wrap_table(sqlite3 *db, const char *path, const char *table,
			      sqlite3_stmt *columns)
{
	CLEANUP(str_cleanup) sqlite3_str *sql = sqlite3_str_new(db);
	bool exists = has_table(db, table), whole = exists, done;
	const char *comma = "";

	TRY(wrap_raw_table(db, path, table, &done));
	if (done)
		return NULL;
	sqlite3_str_appendf(sql, "CREATE TEMP VIEW \"%w\" AS SELECT ", table);
	sqlite3_reset(columns);
	sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC);
	while (sqlite3_step(columns) == SQLITE_ROW) {
		const char *column = (const char *)sqlite3_column_text(columns, 0);
		const char *value = (const char *)sqlite3_column_text(columns, 1);

		if (exists && has_column(db, table, column)) {
			sqlite3_str_appendf(sql, "%s\"%w\"", comma, column);
		} else {
			whole = false;
			sqlite3_str_appendf(sql, "%s%s AS \"%w\"", comma,
					    value ? value : "NULL", column);
		}
		comma = ", ";
	}
	if (whole)
		return NULL;
	if (exists)
		sqlite3_str_appendf(sql, " FROM main.\"%w\"", table);
	else
		sqlite3_str_appendall(sql, " WHERE false");
	const char *text = sqlite3_str_value(sql);

	return text ? exec(db, path, text) : err_new(ERR_DB, "%s: out of memory", path);
}

static struct err *wrap_tables(sqlite3 *db, const char *path)
{
	CLEANUP(sqlite_cleanup) sqlite3 *today = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *tables = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *columns = NULL;

	/* What SQLite makes of the text of the tables tells their columns. */
	if (sqlite3_open(":memory:", &today) != SQLITE_OK ||
	    sqlite3_exec(today, schema_tables, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(today, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1,
			       &tables, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(today, "SELECT name, dflt_value FROM pragma_table_info(?)", -1,
			       &columns, NULL) != SQLITE_OK)
		return err_new(ERR_DB, "%s: %s", path, sqlite3_errmsg(today));
	while (sqlite3_step(tables) == SQLITE_ROW)
		TRY(wrap_table(db, path, (const char *)sqlite3_column_text(tables, 0),
			       columns));
	return NULL;
}

/* Whether the file has @view as today: its rows may be kept there. */
static bool is_as_today(sqlite3_stmt *find, const struct schema_view *view)
{
	sqlite3_reset(find);
	sqlite3_bind_text(find, 1, view->text, view->text_len, SQLITE_STATIC);
	return sqlite3_step(find) == SQLITE_ROW;
}

struct err *upgrade_views(sqlite3 *db, const char *path)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *find = NULL;
	static const char *const needed[] = { "_recording", "_callsite", "_raw_site" };
	const char *at = schema_views;
	struct schema_view view;

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!has_table(db, needed[i]))
			return err_new(ERR_FORMAT, "%s: damaged: it has no table %s", path,
				       needed[i]);
	TRY(exec(db, path, "PRAGMA temp_store = MEMORY"));
	TRY(wrap_tables(db, path));

	if (sqlite3_prepare_v2(db, "SELECT 1 FROM main.sqlite_schema WHERE sql = ?", -1, &find,
			       NULL) != SQLITE_OK)
		return err_new(ERR_DB, "%s: %s", path, sqlite3_errmsg(db));
	/* Names are looked up among temporary views first. */
	while (schema_next_view(&at, &view)) {
		if (is_as_today(find, &view) && folded_use_one(db, view.name, view.name_len))
			continue;
		auto_free char *sql =
			xasprintf("CREATE TEMP VIEW %.*s",
				  view.text_len - (int)(view.name - view.text), view.name);

		TRY(exec(db, path, sql));
	}
	return NULL;
}
