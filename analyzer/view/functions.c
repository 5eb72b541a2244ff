// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/functions.h"

#include <string.h>

#include "base/xalloc.h"
#include "view/eventtab.h"
#include "view/text.h"

static void size_fn(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char text[TEXT_MAX];

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	text_iec(text, sqlite3_value_int64(argv[0]));
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* As the innermost frame at @addr has it in the database; owned by the caller. */
static char *stored_symbol(sqlite3 *db, int64_t addr)
{
	static const char sql[] =
		"SELECT func || ' ' || file || ':' || line FROM frames "
		"WHERE address = ?1 AND file IS NOT NULL ORDER BY depth LIMIT 1";
	sqlite3_stmt *stmt = NULL;
	char *text = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, addr);
		if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
			text = xstrdup((const char *)sqlite3_column_text(stmt, 0));
	}
	sqlite3_finalize(stmt);
	return text;
}

static void sym_fn(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct source *source = sqlite3_user_data(ctx);

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER)
		return;
	int64_t addr = sqlite3_value_int64(argv[0]);
	auto_free char *text = stored_symbol(sqlite3_context_db_handle(ctx), addr);

	if (!text) {
		struct source_file *file = NULL;
		auto_err struct err *none = source_get(source, NULL, &file);

		/* Without a recording nothing more is known. */
		if (none)
			return;
		text = source_symbol(file, (uint64_t)addr);
		source_put(file);
	}
	if (text)
		sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* The name that covers most of @flags comes first; what none covers stays a number. */
static void gfp_fn(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const char sql[] = "SELECT DISTINCT mask, name FROM _gfp_name ORDER BY id";
	auto_free char *text = xstrdup("");
	sqlite3_stmt *stmt = NULL;

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER)
		return;
	int64_t flags = sqlite3_value_int64(argv[0]);

	if (sqlite3_prepare_v2(sqlite3_context_db_handle(ctx), sql, -1, &stmt, NULL) !=
	    SQLITE_OK)
		return;
	while (flags && sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t mask = sqlite3_column_int64(stmt, 0);
		const char *name = (const char *)sqlite3_column_text(stmt, 1);

		if (!mask || (flags & mask) != mask || !name)
			continue;
		auto_free char *before = take_ptr(text);

		text = xasprintf("%s%s%s", before, *before ? "|" : "", name);
		flags &= ~mask;
	}
	sqlite3_finalize(stmt);
	auto_free char *rest =
		flags ? xasprintf("%s%#llx", *text ? "|" : "", (unsigned long long)flags)
		      : xstrdup(*text ? "" : "0");
	auto_free char *all = xasprintf("%s%s", text, rest);

	sqlite3_result_text(ctx, all, -1, SQLITE_TRANSIENT);
}

int functions_register(sqlite3 *db, struct source *source)
{
	int rc = sqlite3_create_function_v2(
		db, "size", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
		size_fn, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function_v2(db, "sym", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
						source_hold(source), sym_fn, NULL, NULL,
						source_release);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function_v2(db, "gfp", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
						NULL, gfp_fn, NULL, NULL, NULL);
	return rc;
}

int functions_register_all(sqlite3 *db)
{
	struct source *source = source_new(db);
	int rc = functions_register(db, source);

	if (rc == SQLITE_OK)
		rc = eventtab_register(db, source);
	source_release(source);
	return rc;
}
