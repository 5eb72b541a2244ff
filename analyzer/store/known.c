// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/known.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "store/pairs.h"
#include "store/quickview.h"
#include "store/stmt.h"

enum { COLUMNS = 3 };

/* Joins of the view, and what the tables are asked for in their place: recording, key, columns. */
enum table { TASK, CPU_NODE, GFP, MIGRATETYPE, CACHE, RECORDING, TABLES };

static const struct {
	const char *sql, *join;
} tables[TABLES] = {
	[TASK] = { "SELECT recording, pid, tgid, comm, cgroup FROM main._task",
		   "\nLEFT JOIN _task t ON t.recording = r.recording AND t.pid = a.pid" },
	[CPU_NODE] = { "SELECT recording, cpu, node FROM main._cpu_node",
		       "\nLEFT JOIN _cpu_node n ON n.recording = r.recording AND n.cpu = a.cpu" },
	[GFP] = { "SELECT 0, id, text, flags FROM main._gfp",
		  "\nLEFT JOIN _gfp g ON g.id = a.gfp" },
	[MIGRATETYPE] = { "SELECT recording, migratetype, name FROM main._migratetype",
			  "\nLEFT JOIN _migratetype m ON m.recording = r.recording AND "
			  "m.migratetype = a.migratetype" },
	[CACHE] = { "SELECT 0, id, name FROM main._cache",
		    "\nLEFT JOIN _cache k ON k.id = a.cache" },
	[RECORDING] = { "SELECT 0, id, hostname FROM main._recording",
			"\nLEFT JOIN _recording o ON o.id = r.recording" },
};

/* A cast gives an expression the affinity that the column has. */
static const struct column {
	struct quickview_words words;
	enum table table;
	int column;
	const char *function;
} columns[] = {
	{ { "t.tgid", "CAST(_task_tgid(r.recording, a.pid) AS INTEGER)" },
	  TASK,
	  0,
	  "_task_tgid" },
	{ { "t.comm", "CAST(_task_comm(r.recording, a.pid) AS TEXT)" }, TASK, 1, "_task_comm" },
	{ { "t.cgroup", "CAST(_task_cgroup(r.recording, a.pid) AS TEXT)" },
	  TASK,
	  2,
	  "_task_cgroup" },
	{ { "n.node", "CAST(_node_of(r.recording, a.cpu) AS INTEGER)" },
	  CPU_NODE,
	  0,
	  "_node_of" },
	{ { "g.text", "CAST(_gfp_text(0, a.gfp) AS TEXT)" }, GFP, 0, "_gfp_text" },
	{ { "g.flags", "CAST(_gfp_flags(0, a.gfp) AS INTEGER)" }, GFP, 1, "_gfp_flags" },
	{ { "m.name", "CAST(_type_name(r.recording, a.migratetype) AS TEXT)" },
	  MIGRATETYPE,
	  0,
	  "_type_name" },
	{ { "k.name", "CAST(_cache_name(0, a.cache) AS TEXT)" }, CACHE, 0, "_cache_name" },
	{ { "o.hostname", "CAST(_host_of(0, r.recording) AS TEXT)" },
	  RECORDING,
	  0,
	  "_host_of" },
};
enum { NR_FUNCTIONS = sizeof(columns) / sizeof(*columns) };

struct value {
	int64_t i;
	char *text; /* owned */
	bool is_null;
};

/* A table that was read. */
struct known {
	bool read;
	struct pairs keys;	      /* recording and key */
	struct value (*row)[COLUMNS]; /* of each pair */
	size_t nr, cap;
};

struct function {
	struct module *module;
	const struct column *column;
};

struct module {
	struct known known[TABLES];
	struct function function[NR_FUNCTIONS];
	int users; /* functions that are registered */
};

static void release(void *arg)
{
	struct module *module = ((struct function *)arg)->module;

	if (--module->users)
		return;
	for (int i = 0; i < TABLES; i++) {
		struct known *known = &module->known[i];

		for (size_t row = 0; row < known->nr; row++)
			for (int c = 0; c < COLUMNS; c++)
				free(known->row[row][c].text);
		free(known->row);
		pairs_deinit(&known->keys);
	}
	free(module);
}

static struct value read_value(sqlite3_stmt *stmt, int i)
{
	int type = i < sqlite3_column_count(stmt) ? sqlite3_column_type(stmt, i) : SQLITE_NULL;

	if (type == SQLITE_INTEGER)
		return (struct value){ .i = sqlite3_column_int64(stmt, i) };
	if (type == SQLITE_TEXT)
		return (struct value){ .text = xstrdup(
					       (const char *)sqlite3_column_text(stmt, i)) };
	return (struct value){ .is_null = true };
}

static int read_table(sqlite3 *db, enum table table, struct known *known)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, tables[table].sql, -1, &stmt, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bool is_new;

		rc = SQLITE_OK;
		pairs_id(&known->keys, sqlite3_column_int64(stmt, 0),
			 sqlite3_column_int64(stmt, 1), &is_new);
		if (!is_new)
			continue;
		vec_room(known->row, known->nr, known->cap);
		for (int i = 0; i < COLUMNS; i++)
			known->row[known->nr][i] = read_value(stmt, 2 + i);
		known->nr++;
	}
	known->read = rc == SQLITE_DONE;
	return known->read ? SQLITE_OK : rc;
}

static void look_up(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct function *function = sqlite3_user_data(context);
	enum table table = function->column->table;
	struct known *known = &function->module->known[table];

	(void)argc;
	if (!known->read) {
		int rc = read_table(sqlite3_context_db_handle(context), table, known);

		if (rc != SQLITE_OK) {
			sqlite3_result_error_code(context, rc);
			return;
		}
	}
	if (sqlite3_value_type(argv[1]) != SQLITE_INTEGER)
		return;
	uint32_t id = pairs_find(&known->keys, sqlite3_value_int64(argv[0]),
				 sqlite3_value_int64(argv[1]));

	if (!id)
		return;
	const struct value *value = &known->row[id - 1][function->column->column];

	if (value->text)
		sqlite3_result_text(context, value->text, -1, SQLITE_STATIC);
	else if (!value->is_null)
		sqlite3_result_int64(context, value->i);
}

int known_use(sqlite3 *db)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_INNOCUOUS };
	struct module *module = xcalloc(1, sizeof(*module));
	struct quickview_words words[TABLES + NR_FUNCTIONS];
	int rc = SQLITE_OK;

	module->users = NR_FUNCTIONS;
	for (int i = 0; i < NR_FUNCTIONS; i++)
		module->function[i] = (struct function){ module, &columns[i] };
	/* Each calls the destructor itself where it fails. */
	for (int i = 0; i < NR_FUNCTIONS; i++) {
		int one = sqlite3_create_function_v2(db, columns[i].function, 2, FLAGS,
						     &module->function[i], look_up, NULL, NULL,
						     release);

		rc = rc == SQLITE_OK ? one : rc;
	}
	if (rc != SQLITE_OK)
		return rc;
	for (int i = 0; i < TABLES; i++)
		words[i] = (struct quickview_words){ tables[i].join, "" };
	for (int i = 0; i < NR_FUNCTIONS; i++)
		words[TABLES + i] = columns[i].words;
	return quickview_define(db, "accounts", words, TABLES + NR_FUNCTIONS);
}
