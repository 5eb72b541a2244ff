// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/query.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/blocks.h"
#include "store/conditions.h"
#include "store/evidence.h"
#include "store/folded.h"
#include "store/known.h"
#include "store/levels.h"
#include "store/schema.h"
#include "store/snapsums.h"
#include "store/sorted.h"
#include "store/sumtab.h"
#include "store/upgrade.h"

struct query_db {
	sqlite3 *db;
	char *path;
	struct snapsums *snapsums; /* NULL: none of its views */
	char *denied;		   /* what the authorizer refused last; owned */
	bool older;
	unsigned int quick_sets; /* of use_set[], those that are made */
};

enum { NR_KNOWN = 64 };

/* Small pieces of memory that SQLite has at hand: the schema alone takes some thousands. */
enum { LOOKASIDE_SIZE = 1200, LOOKASIDE_NR = 800 };

struct query {
	struct query_db *db;
	sqlite3_stmt *stmt;
	struct cell *row;
	size_t nr_columns, nr_shown;
	char **column;	       /* names */
	struct sorted *sorted; /* rows; NULL: those of the statement */
	/* Columns that were asked for, by the address of the name. */
	struct {
		const char *name;
		size_t column;
	} known[NR_KNOWN];
	size_t nr_known;
};

struct err *query_is_db(const char *path, bool *ret)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)];
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	ssize_t len = read(fd, head, sizeof(head));

	if (len < 0)
		return err_os(errno, "%s", path);
	*ret = len == sizeof(head) && !memcmp(head, magic, sizeof(magic));
	return NULL;
}

/* Settings that can only be looked at, or that only describe the schema. */
static bool harmless_pragma(const char *name, const char *value)
{
	static const char *const describe[] = { "table_info", "table_xinfo", "table_list",
						"index_list", "index_info",  "index_xinfo" };
	static const char *const look[] = { "user_version", "application_id", "page_count",
					    "page_size",    "database_list",  "compile_options",
					    "function_list" };

	for (size_t i = 0; i < sizeof(describe) / sizeof(*describe); i++)
		if (!strcasecmp(name, describe[i]))
			return true;
	for (size_t i = 0; !value && i < sizeof(look) / sizeof(*look); i++)
		if (!strcasecmp(name, look[i]))
			return true;
	return false;
}

/*
 * What a statement may do without writing to the database, and still must not.
 * Writes are told by sqlite3_stmt_readonly(): the authorizer is also asked for
 * those that a virtual table makes inside SQLite to describe itself.
 */
static int authorize(void *arg, int action, const char *a, const char *b, const char *database,
		     const char *trigger)
{
	struct query_db *db = arg;
	const char *what;

	(void)database, (void)trigger;
	if (action == SQLITE_ATTACH)
		what = "ATTACH";
	else if (action == SQLITE_DETACH)
		what = "DETACH";
	else if (action == SQLITE_TRANSACTION)
		what = a;
	else if (action == SQLITE_SAVEPOINT)
		what = "SAVEPOINT";
	else if (action == SQLITE_PRAGMA && !harmless_pragma(a, b))
		what = "this PRAGMA";
	else if (action == SQLITE_FUNCTION && !strcasecmp(b, "load_extension"))
		what = "load_extension()";
	else
		return SQLITE_OK;
	/* The first refusal is the one that names what the user wrote. */
	if (!db->denied)
		db->denied = xstrdup(what);
	return SQLITE_DENY;
}

/* "; the views are …": those that are no parts of others. */
static char *list_views(void)
{
	auto_free char *list = xstrdup("; the views are ");
	const char *at = schema_views, *comma = "";
	struct schema_view view;

	while (schema_next_view(&at, &view)) {
		if (*view.name == '_')
			continue;
		auto_free char *before = take_ptr(list);

		list = xasprintf("%s%s%.*s", before, comma, view.name_len, view.name);
		comma = ", ";
	}
	return take_ptr(list);
}

/* "near …" errors with the text from there on, the first line of it. */
static struct err *sql_err(struct query_db *db, const char *sql)
{
	const char *msg = sqlite3_errmsg(db->db);
	int off = sqlite3_error_offset(db->db);

	if (db->denied)
		return err_new(ERR_DB, "%s is refused: the database is only read", db->denied);
	auto_free char *views = strncmp(msg, "no such table:", 14) ? NULL : list_views();

	if (off < 0 || (size_t)off >= strlen(sql))
		return err_new(ERR_DB, "%s%s", msg, views ? views : "");
	int len = (int)strcspn(sql + off, "\n");

	return err_new(ERR_DB, "%s%s, at character %d: %.*s%s", msg, views ? views : "",
		       off + 1, len > 40 ? 40 : len, sql + off, len > 40 ? "..." : "");
}

static struct err *one_int(struct query_db *db, const char *sql, int *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return NULL;
	return err_new(ERR_DB, "%s: %s", db->path, sqlite3_errmsg(db->db));
}

static struct err *check_version(struct query_db *db)
{
	int id = 0, version = 0;

	TRY(one_int(db, "PRAGMA application_id", &id));
	TRY(one_int(db, "PRAGMA user_version", &version));
	if (id != SCHEMA_APPLICATION_ID)
		return err_new(ERR_FORMAT, "%s: a database, but not one of allocprof",
			       db->path);
	if (version > SCHEMA_VERSION)
		return err_new(ERR_UNSUPPORTED,
			       "%s: made by a newer version of allocprof (its schema is %d, "
			       "this program knows %d)",
			       db->path, version, SCHEMA_VERSION);
	if (version < 1)
		return err_new(ERR_FORMAT, "%s: damaged: version %d of the schema", db->path,
			       version);
	return NULL;
}

struct err *query_db_open(const char *path, struct query_db **ret)
{
	bool is_db = false;

	TRY(query_is_db(path, &is_db));
	if (!is_db)
		return err_new(ERR_FORMAT, "%s: not a database", path);

	CLEANUP(query_db_cleanup) struct query_db *db = xcalloc(1, sizeof(*db));

	db->path = xstrdup(path);
	/* Nobody asks how much memory SQLite has, and counting it takes a lock each time. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	int rc = sqlite3_open_v2(path, &db->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				 NULL);

	if (rc != SQLITE_OK)
		return err_new(ERR_DB, "%s: %s", path,
			       db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_SIZE,
			  LOOKASIDE_NR);
	/* The file may be anyone's: its views may not call what has side effects. */
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_exec(db->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	TRY(check_version(db));
	/*
	 * The views are this program's, word for word, since it takes their columns
	 * for granted, and those of a stranger's file could be anything.
	 */
	db->older = !upgrade_is_current(db->db);
	if (db->older)
		TRY(upgrade_views(db->db, path));
	else
		folded_use(db->db);
	if (conditions_register(db->db) != SQLITE_OK ||
	    evidence_register(db->db) != SQLITE_OK || levels_register(db->db) != SQLITE_OK)
		return err_new(ERR_DB, "%s: %s", path, sqlite3_errmsg(db->db));
	TRY(err_wrap(sumtab_register(db), "%s", path));
	sqlite3_exec(db->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	sqlite3_set_authorizer(db->db, authorize, db);
	*ret = take_ptr(db);
	return NULL;
}

bool query_db_is_older(const struct query_db *db)
{
	return db->older;
}

void query_db_close(struct query_db *db)
{
	if (!db)
		return;
	sqlite3_close(db->db);
	snapsums_free(db->snapsums);
	free(db->denied);
	free(db->path);
	free(db);
}

struct sqlite3 *query_db_handle(struct query_db *db)
{
	return db->db;
}

void query_db_interrupt(struct query_db *db)
{
	sqlite3_interrupt(db->db);
}

bool query_complete(const char *sql)
{
	return sqlite3_complete(sql);
}

static int use_known(struct query_db *db)
{
	return known_use(db->db);
}

static int use_snapsums(struct query_db *db)
{
	db->snapsums = snapsums_new(db);
	return snapsums_use(db->snapsums);
}

/* Views that are made anew when a query is the first to name one of them. */
static const struct {
	const char *name;
	unsigned int set;
} quick_views[] = {
	{ "accounts", 0 },
	{ "page_orders", 1 },
	{ "reconcile_", 2 },
	{ "snapshot_values", 2 },
};
static int (*const use_set[])(struct query_db *) = { use_known, blocks_use, use_snapsums };

/* Under another name, as "Accounts", what the file has is asked. */
static struct err *use_quick_views(struct query_db *db, const char *sql)
{
	for (size_t i = 0; i < sizeof(quick_views) / sizeof(*quick_views); i++) {
		unsigned int set = quick_views[i].set;

		if (db->older || (db->quick_sets & 1U << set) ||
		    !strstr(sql, quick_views[i].name))
			continue;
		db->quick_sets |= 1U << set;
		sqlite3_set_authorizer(db->db, NULL, NULL);
		sqlite3_exec(db->db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
		int rc = use_set[set](db);

		sqlite3_exec(db->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
		sqlite3_set_authorizer(db->db, authorize, db);
		if (rc != SQLITE_OK)
			return err_new(ERR_DB, "%s: %s", db->path, sqlite3_errstr(rc));
	}
	return NULL;
}

static struct query *query_new(struct query_db *db, size_t nr_columns)
{
	struct query *query = xmalloc(sizeof(*query));

	*query = (struct query){ .db = db, .nr_columns = nr_columns, .nr_shown = nr_columns };
	query->row = xcalloc(nr_columns, sizeof(*query->row));
	query->column = xcalloc(nr_columns, sizeof(*query->column));
	return query;
}

struct query *query_of(struct query_db *db, struct sorted *rows, const char *columns,
		       size_t nr_columns, size_t nr_shown)
{
	struct query *query = query_new(db, nr_columns);

	query->sorted = rows;
	query->nr_shown = nr_shown;
	for (size_t i = 0; i < nr_columns; i++) {
		size_t len = strcspn(columns, ",");

		query->column[i] = xstrndup(columns, len);
		columns += len + strspn(columns + len, ", ");
	}
	return query;
}

struct err *query_prepare(struct query_db *db, const char *sql, const char **ret_tail,
			  struct query **ret)
{
	sqlite3_stmt *stmt = NULL;
	const char *tail = NULL;

	free(take_ptr(db->denied));
	TRY(use_quick_views(db, sql));
	if (sqlite3_prepare_v2(db->db, sql, -1, &stmt, &tail) != SQLITE_OK)
		return sql_err(db, sql);
	if (stmt && !sqlite3_stmt_readonly(stmt)) {
		sqlite3_finalize(stmt);
		return err_new(ERR_DB, "this statement is refused: the database is only read");
	}
	if (ret_tail)
		*ret_tail = tail;
	*ret = NULL;
	if (!stmt)
		return NULL;
	struct query *query = query_new(db, (size_t)sqlite3_column_count(stmt));

	query->stmt = stmt;
	for (size_t i = 0; i < query->nr_columns; i++)
		query->column[i] = xstrdup(sqlite3_column_name(stmt, (int)i) ?: "");
	*ret = query;
	return NULL;
}

void query_free(struct query *query)
{
	if (!query)
		return;
	sqlite3_finalize(query->stmt);
	sorted_free(query->sorted);
	for (size_t i = 0; i < query->nr_columns; i++)
		free(query->column[i]);
	free(query->column);
	free(query->row);
	free(query);
}

void query_bind_text(struct query *query, const char *name, const char *text)
{
	int i = sqlite3_bind_parameter_index(query->stmt, name);

	assert(i > 0);
	sqlite3_bind_text(query->stmt, i, text, -1, SQLITE_TRANSIENT);
}

void query_bind_int(struct query *query, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(query->stmt, name);

	assert(i > 0);
	sqlite3_bind_int64(query->stmt, i, value);
}

const char *query_param(const struct query *query, size_t i)
{
	if (i >= (size_t)sqlite3_bind_parameter_count(query->stmt))
		return NULL;
	const char *name = sqlite3_bind_parameter_name(query->stmt, (int)i + 1);

	/* Those without a name, as ?, cannot be given a value. */
	return name ? name : "?";
}

bool query_has_param(const struct query *query, const char *name)
{
	return sqlite3_bind_parameter_index(query->stmt, name) > 0;
}

size_t query_nr_columns(const struct query *query)
{
	return query->nr_shown;
}

const char *query_column(const struct query *query, size_t column)
{
	return query->column[column];
}

size_t query_find_column(struct query *query, const char *name)
{
	size_t slot = (uintptr_t)name / 4 % NR_KNOWN;

	/* Half of them stay free, so that a search ends. */
	for (; query->known[slot].name; slot = (slot + 1) % NR_KNOWN)
		if (query->known[slot].name == name)
			return query->known[slot].column;
	for (size_t i = 0; i < query->nr_columns; i++) {
		if (strcmp(query->column[i], name))
			continue;
		if (query->nr_known < NR_KNOWN / 2) {
			query->nr_known++;
			query->known[slot].name = name;
			query->known[slot].column = i;
		}
		return i;
	}
	assert(!"the query has that column");
	return 0;
}

static inline struct cell make_cell(sqlite3_value *value)
{
	struct cell cell = { .type = CELL_NULL, .text = "" };

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		cell.type = CELL_INT;
		cell.i = sqlite3_value_int64(value);
		break;
	case SQLITE_FLOAT:
		cell.type = CELL_REAL;
		cell.real = sqlite3_value_double(value);
		break;
	case SQLITE_TEXT:
		cell.type = CELL_TEXT;
		cell.text = (const char *)sqlite3_value_text(value);
		cell.len = (size_t)sqlite3_value_bytes(value);
		break;
	case SQLITE_BLOB:
		cell.type = CELL_BLOB;
		cell.text = sqlite3_value_blob(value);
		cell.len = (size_t)sqlite3_value_bytes(value);
		break;
	}
	/* The text of a zero-length blob, or for want of memory, is NULL. */
	if (!cell.text)
		cell.text = "", cell.len = 0;
	return cell;
}

struct cell query_cell(struct sqlite3_value *value)
{
	return make_cell(value);
}

void query_restart(struct query *query)
{
	sqlite3_reset(query->stmt);
}

/* The next row of the statement; false past the last. */
static struct err *step(struct query *query, bool *ret)
{
	int rc = sqlite3_step(query->stmt);

	*ret = rc == SQLITE_ROW;
	if (rc == SQLITE_DONE)
		return NULL;
	if (rc != SQLITE_ROW)
		return err_new(ERR_DB, "%s: %s", query->db->path,
			       sqlite3_errmsg(query->db->db));
	/* Of a statement that one thread uses, a value may be taken without a lock. */
	for (size_t i = 0; i < query->nr_columns; i++)
		query->row[i] = make_cell(sqlite3_column_value(query->stmt, (int)i));
	return NULL;
}

struct err *query_sort(struct query *query, const struct sorted_key *key, size_t nr_keys,
		       size_t nr_shown)
{
	CLEANUP(sorted_cleanup)
	struct sorted *sorted = sorted_new(query->nr_columns, key, nr_keys);
	bool row;

	for (;;) {
		TRY(step(query, &row));
		if (!row)
			break;
		sorted_add(sorted, query->row);
	}
	sqlite3_finalize(take_ptr(query->stmt));
	query->sorted = take_ptr(sorted);
	query->nr_shown = nr_shown;
	return NULL;
}

struct err *query_next(struct query *query, const struct cell **ret)
{
	bool row;

	if (query->sorted)
		row = sorted_next(query->sorted, query->row);
	else
		TRY(step(query, &row));
	*ret = row ? query->row : NULL;
	return NULL;
}
