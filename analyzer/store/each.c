// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/each.h"

#include "base/cleanup.h"
#include "base/xalloc.h"

static void step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct each *each = sqlite3_user_data(context);

	(void)argc;
	if (each->err)
		return;
	each->err = each->fn(each->arg, argv);
	if (each->err)
		sqlite3_result_error_code(context, SQLITE_ABORT);
}

static void no_result(sqlite3_context *context)
{
	(void)context;
}

struct err *each_prepare(struct each *each, struct query_db *db, const char *columns,
			 const char *sql)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DIRECTONLY };
	sqlite3 *handle = query_db_handle(db);
	auto_free char *text = xasprintf("SELECT _each(%s) FROM (%s)", columns, sql);

	each->db = db;
	if (sqlite3_create_function(handle, "_each", -1, FLAGS, each, NULL, step, no_result) !=
	    SQLITE_OK)
		return err_new(ERR_DB, "%s", sqlite3_errmsg(handle));
	return query_prepare(db, text, NULL, &each->query);
}

struct err *each_run(struct each *each)
{
	const struct cell *row;
	struct err *err = query_next(each->query, &row);

	if (!each->err)
		return err;
	err_free(err);
	return take_ptr(each->err);
}

void each_deinit(struct each *each)
{
	query_free(each->query);
	err_free(each->err);
	if (each->db)
		sqlite3_create_function(query_db_handle(each->db), "_each", -1, SQLITE_UTF8,
					NULL, NULL, NULL, NULL);
	*each = (struct each){};
}
