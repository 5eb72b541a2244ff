// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/evidence.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "store/stmt.h"

/* How several rows of a call site become one. */
enum fold { SUM, LEAST, MOST };

enum { MOST_FIGURES = 5 };

/* Columns behind the call site. */
static const struct source {
	const char *sql;
	int nr;
	enum fold fold[MOST_FIGURES];
} sources[] = {
	{ "SELECT call_site, bytes_per_s, late_bytes_per_s, monotonicity, rises, falls "
	  "FROM growth ORDER BY call_site, recording",
	  5,
	  { SUM, SUM, LEAST, SUM, SUM } },
	{ "SELECT call_site, ended, p999_s, live, live_over_p999, age_max_s "
	  "FROM lifetimes ORDER BY call_site, recording",
	  5,
	  { SUM, MOST, SUM, SUM, MOST } },
};
enum { NR_SOURCES = sizeof(sources) / sizeof(*sources) };

static const char declaration[] =
	"CREATE TABLE x(bytes_per_s, late_per_s, monotonicity, rises, falls, ended, p999_s, "
	"aged, old, age_max_s, call_site_ HIDDEN)";
enum { ARGUMENT = NR_SOURCES * MOST_FIGURES };

struct figure {
	int type; /* SQLITE_NULL, SQLITE_INTEGER, SQLITE_FLOAT */
	int64_t i;
	double real; /* also of an integer */
};

struct row {
	int64_t call_site;
	struct figure figure[MOST_FIGURES];
};

/* What one source says, in the order of call sites. */
struct rows {
	struct row *row;
	size_t nr, cap;
	size_t at; /* of the last that was asked for, or of the next greater one */
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	sqlite3 *db;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	bool loaded, end;
	struct rows rows[NR_SOURCES];
	const struct row *found[NR_SOURCES]; /* NULL: none */
	int64_t call_site;
};

static int tab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
		       sqlite3_vtab **ret, char **ret_error)
{
	int rc = sqlite3_declare_vtab(db, declaration);

	(void)aux, (void)argc, (void)argv, (void)ret_error;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	struct tab *tab = xcalloc(1, sizeof(*tab));

	tab->db = db;
	*ret = &tab->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

static int tab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != ARGUMENT || !info->aConstraint[i].usable ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
		info->estimatedCost = 1;
		info->estimatedRows = 1;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int tab_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = xcalloc(1, sizeof(*cursor));

	(void)base;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int tab_close(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	for (size_t i = 0; i < NR_SOURCES; i++)
		free(cursor->rows[i].row);
	free(cursor);
	return SQLITE_OK;
}

static struct figure figure_of(sqlite3_value *value)
{
	struct figure figure = { .type = sqlite3_value_type(value) };

	switch (figure.type) {
	case SQLITE_INTEGER:
		figure.i = sqlite3_value_int64(value);
		figure.real = (double)figure.i;
		break;
	case SQLITE_NULL:
		break;
	default:
		/* Of a text, which no figure is, its number. */
		figure.type = SQLITE_FLOAT;
		figure.real = sqlite3_value_double(value);
	}
	return figure;
}

/* False when integers have no sum that is one, which is an error to sum(). */
static bool add(struct figure *to, const struct figure *from, enum fold fold)
{
	if (from->type == SQLITE_NULL)
		return true;
	if (to->type == SQLITE_NULL || (fold == LEAST && from->real < to->real) ||
	    (fold == MOST && from->real > to->real)) {
		*to = *from;
		return true;
	}
	if (fold != SUM)
		return true;
	to->real += from->real;
	if (from->type != SQLITE_INTEGER)
		to->type = SQLITE_FLOAT;
	return to->type != SQLITE_INTEGER || !__builtin_add_overflow(to->i, from->i, &to->i);
}

static bool add_row(struct rows *rows, const struct source *source, sqlite3_stmt *stmt)
{
	int64_t call_site = sqlite3_column_int64(stmt, 0);
	struct row *row = rows->nr ? &rows->row[rows->nr - 1] : NULL;

	if (!row || row->call_site != call_site) {
		vec_room(rows->row, rows->nr, rows->cap);
		row = &rows->row[rows->nr++];
		row->call_site = call_site;
		for (int i = 0; i < source->nr; i++)
			row->figure[i] = figure_of(sqlite3_column_value(stmt, i + 1));
		return true;
	}
	for (int i = 0; i < source->nr; i++) {
		struct figure figure = figure_of(sqlite3_column_value(stmt, i + 1));

		if (!add(&row->figure[i], &figure, source->fold[i]))
			return false;
	}
	return true;
}

static int fail(sqlite3_vtab *base, const char *text)
{
	sqlite3_free(base->zErrMsg);
	base->zErrMsg = sqlite3_mprintf("%s", text);
	return SQLITE_ERROR;
}

static int load(struct tab *tab, struct rows *rows, const struct source *source)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(tab->db, source->sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return fail(&tab->base, sqlite3_errmsg(tab->db));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (!add_row(rows, source, stmt))
			return fail(&tab->base, "integer overflow");
	return rc == SQLITE_DONE ? SQLITE_OK : fail(&tab->base, sqlite3_errmsg(tab->db));
}

static int by_call_site(const void *key, const void *member)
{
	int64_t a = *(const int64_t *)key, b = ((const struct row *)member)->call_site;

	return (a > b) - (a < b);
}

static const struct row *find(struct rows *rows, int64_t call_site)
{
	/* Few lie between one that is asked for and the next. */
	for (int i = 0; i < 8 && rows->at < rows->nr; i++, rows->at++) {
		const struct row *row = &rows->row[rows->at];

		if (row->call_site == call_site)
			return row;
		if (row->call_site > call_site)
			break;
	}
	const struct row *row =
		rows->nr ? bsearch(&call_site, rows->row, rows->nr, sizeof(*row), by_call_site)
			 : NULL;

	if (row)
		rows->at = (size_t)(row - rows->row);
	return row;
}

static int tab_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
		      sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;

	(void)number, (void)text, (void)argc;
	for (size_t i = 0; !cursor->loaded && i < NR_SOURCES; i++) {
		int rc = load(tab, &cursor->rows[i], &sources[i]);

		if (rc != SQLITE_OK)
			return rc;
	}
	cursor->loaded = true;
	cursor->end = false;
	cursor->call_site = sqlite3_value_int64(argv[0]);
	for (size_t i = 0; i < NR_SOURCES; i++)
		cursor->found[i] = find(&cursor->rows[i], cursor->call_site);
	return SQLITE_OK;
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->end = true;
	return SQLITE_OK;
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	return ((const struct cursor *)base)->end;
}

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
	const struct cursor *cursor = (const struct cursor *)base;

	if (i == ARGUMENT) {
		sqlite3_result_int64(context, cursor->call_site);
		return SQLITE_OK;
	}
	const struct row *row = cursor->found[i / MOST_FIGURES];

	if (!row)
		return SQLITE_OK;
	const struct figure *figure = &row->figure[i % MOST_FIGURES];

	if (figure->type == SQLITE_INTEGER)
		sqlite3_result_int64(context, figure->i);
	else if (figure->type == SQLITE_FLOAT)
		sqlite3_result_double(context, figure->real);
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((const struct cursor *)base)->call_site;
	return SQLITE_OK;
}

int evidence_register(sqlite3 *db)
{
	static const sqlite3_module functions = {
		.xConnect = tab_connect,
		.xBestIndex = tab_best_index,
		.xDisconnect = tab_disconnect,
		.xOpen = tab_open,
		.xClose = tab_close,
		.xFilter = tab_filter,
		.xNext = tab_next,
		.xEof = tab_eof,
		.xColumn = tab_column,
		.xRowid = tab_rowid,
	};

	return sqlite3_create_module(db, "_evidence", &functions, NULL);
}
