// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/folded.h"

#include <string.h>

/* Describing a view costs half of what preparing a query on it does. */
static sqlite3_stmt *columns_of(sqlite3 *db, const char *prefix, const char *name)
{
	char *sql = sqlite3_mprintf("PRAGMA main.table_info(\"%w%w\")", prefix, name);
	sqlite3_stmt *stmt = NULL;

	if (sql)
		sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	sqlite3_free(sql);
	return stmt;
}

static bool has_table(sqlite3 *db, const char *view)
{
	sqlite3_stmt *stmt = columns_of(db, "_folded_", view);
	bool has = stmt && sqlite3_step(stmt) == SQLITE_ROW;

	sqlite3_finalize(stmt);
	return has;
}

/* The table has the view's columns, so that it may stand for it. */
static bool same_columns(sqlite3 *db, const char *view)
{
	/* Of a private view only the program asks, and to describe it takes long. */
	if (*view == '_')
		return has_table(db, view);
	sqlite3_stmt *a = columns_of(db, "", view), *b = columns_of(db, "_folded_", view);
	int nr = 0;
	bool same = a && b;

	while (same) {
		bool more = sqlite3_step(a) == SQLITE_ROW;

		same = (sqlite3_step(b) == SQLITE_ROW) == more;
		if (!same || !more)
			break;
		const char *name = (const char *)sqlite3_column_text(a, 1),
			   *other = (const char *)sqlite3_column_text(b, 1);

		same = name && other && !strcmp(name, other);
		nr++;
	}
	sqlite3_finalize(a);
	sqlite3_finalize(b);
	return same && nr;
}

static const char *const views[] = { "call_sites", "totals",	 "growth",  "lifetimes",
				     "waste",	   "leak_sites", "buckets", "_summary" };

static bool use(sqlite3 *db, const char *view)
{
	char *sql =
		sqlite3_mprintf("CREATE TEMP VIEW \"%w\" AS SELECT * FROM main.\"_folded_%w\"",
				view, view);
	/* Temporary names are looked up first. */
	bool used = sql && same_columns(db, view) &&
		    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

	sqlite3_free(sql);
	return used;
}

void folded_use(sqlite3 *db)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		use(db, views[i]);
}

bool folded_use_one(sqlite3 *db, const char *view, int len)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		if (strlen(views[i]) == (size_t)len && !memcmp(views[i], view, (size_t)len))
			return use(db, views[i]);
	return false;
}
