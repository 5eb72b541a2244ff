// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/folded.h"

#include <stdbool.h>
#include <string.h>

/* The table has the view's columns, so that it may stand for it. */
static bool same_columns(sqlite3 *db, const char *view)
{
	char *sql = sqlite3_mprintf("SELECT * FROM main.\"%w\"", view);
	char *folded = sqlite3_mprintf("SELECT * FROM main.\"_folded_%w\"", view);
	sqlite3_stmt *a = NULL, *b = NULL;
	bool same = sql && folded && sqlite3_prepare_v2(db, sql, -1, &a, NULL) == SQLITE_OK &&
		    sqlite3_prepare_v2(db, folded, -1, &b, NULL) == SQLITE_OK &&
		    sqlite3_column_count(a) == sqlite3_column_count(b);

	for (int i = 0; same && i < sqlite3_column_count(a); i++) {
		const char *name = sqlite3_column_name(a, i),
			   *other = sqlite3_column_name(b, i);

		same = name && other && !strcmp(name, other);
	}
	sqlite3_finalize(a);
	sqlite3_finalize(b);
	sqlite3_free(sql);
	sqlite3_free(folded);
	return same;
}

void folded_use(sqlite3 *db)
{
	static const char *const views[] = { "call_sites", "totals", "growth",
					     "lifetimes",  "waste",  "leak_sites" };

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		char *sql = sqlite3_mprintf("CREATE TEMP VIEW \"%w\" AS "
					    "SELECT * FROM main.\"_folded_%w\"",
					    views[i], views[i]);

		/* Temporary names are looked up first. */
		if (sql && same_columns(db, views[i]))
			sqlite3_exec(db, sql, NULL, NULL, NULL);
		sqlite3_free(sql);
	}
}
