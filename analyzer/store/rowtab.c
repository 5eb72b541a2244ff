// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rowtab.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Columns that can pass rows over. */
enum { NR_CONDITIONS = 4 };

struct module {
	const struct rowtab *table;
	void *arg;
	bool made;
	struct rowtab_rows rows;
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	struct module *module;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	struct condition {
		int column;
		char *text; /* owned */
		size_t len;
	} condition[NR_CONDITIONS];
	int nr_conditions;
	size_t at;
};

struct cell *rowtab_row(struct rowtab_rows *rows, size_t nr_columns)
{
	if (rows->cap - rows->nr < nr_columns) {
		rows->cap = 2 * rows->cap + 16 * nr_columns;
		rows->cell = xreallocarray(rows->cell, rows->cap, sizeof(*rows->cell));
	}
	struct cell *row = &rows->cell[rows->nr];

	for (size_t i = 0; i < nr_columns; i++)
		row[i] = (struct cell){ .type = CELL_NULL, .text = "" };
	rows->nr += nr_columns;
	return row;
}

static void module_free(void *arg)
{
	struct module *module = arg;

	free(module->rows.cell);
	free(module);
}

static int tab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
		       sqlite3_vtab **ret, char **ret_error)
{
	struct module *module = aux;
	int rc = sqlite3_declare_vtab(db, module->table->declaration);

	(void)argc, (void)argv, (void)ret_error;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	struct tab *tab = xcalloc(1, sizeof(*tab));

	tab->module = module;
	*ret = &tab->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

/* The columns of conditions in idxNum, a byte each; SQLite looks at them again. */
static int tab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	int nr = 0;

	(void)base;
	for (int i = 0; i < info->nConstraint && nr < NR_CONDITIONS; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];

		if (!c->usable || c->op != SQLITE_INDEX_CONSTRAINT_EQ || c->iColumn < 0 ||
		    strcmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
			continue;
		info->aConstraintUsage[i].argvIndex = ++nr;
		info->idxNum =
			(int)((unsigned int)info->idxNum << 8 | (unsigned int)c->iColumn);
	}
	info->estimatedRows = 10000 >> 3 * nr;
	info->estimatedCost = 20000.0 - 1000.0 * nr;
	return SQLITE_OK;
}

static int tab_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = xcalloc(1, sizeof(*cursor));

	(void)base;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static void drop_conditions(struct cursor *cursor)
{
	for (int i = 0; i < cursor->nr_conditions; i++)
		free(cursor->condition[i].text);
	cursor->nr_conditions = 0;
}

static int tab_close(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	drop_conditions(cursor);
	free(cursor);
	return SQLITE_OK;
}

static const struct module *module_of(const struct cursor *cursor)
{
	return ((const struct tab *)cursor->base.pVtab)->module;
}

static const struct cell *row_of(const struct cursor *cursor)
{
	const struct module *module = module_of(cursor);

	return &module->rows.cell[cursor->at * module->table->nr_columns];
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (const struct cursor *)base;
	const struct module *module = module_of(cursor);

	return cursor->at * module->table->nr_columns >= module->rows.nr;
}

/* Of what is no text on either side, SQLite finds out. */
static bool may_fit(const struct cell *cell, const struct condition *condition)
{
	return cell->type != CELL_TEXT ||
	       (cell->len == condition->len && !memcmp(cell->text, condition->text, cell->len));
}

static void pass_over(struct cursor *cursor)
{
	for (; !tab_eof(&cursor->base); cursor->at++) {
		const struct cell *row = row_of(cursor);
		bool fits = true;

		for (int i = 0; fits && i < cursor->nr_conditions; i++)
			fits = may_fit(&row[cursor->condition[i].column],
				       &cursor->condition[i]);
		if (fits)
			return;
	}
}

static int make(struct tab *tab)
{
	struct module *module = tab->module;

	if (module->made)
		return SQLITE_OK;
	free(take_ptr(module->rows.cell));
	module->rows = (struct rowtab_rows){};
	auto_err struct err *err = module->table->make(module->arg, &module->rows);

	module->made = !err;
	if (!err)
		return SQLITE_OK;
	sqlite3_free(tab->base.zErrMsg);
	tab->base.zErrMsg = sqlite3_mprintf("%s", err_text(err));
	return SQLITE_ERROR;
}

static int tab_filter(sqlite3_vtab_cursor *base, int columns, const char *text, int argc,
		      sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;

	(void)text;
	drop_conditions(cursor);
	for (int i = 0; i < argc; i++) {
		if (sqlite3_value_type(argv[i]) != SQLITE_TEXT)
			continue;
		size_t len = (size_t)sqlite3_value_bytes(argv[i]);

		cursor->condition[cursor->nr_conditions++] = (struct condition){
			.column = columns >> 8 * (argc - 1 - i) & 0xff,
			.text = xstrndup((const char *)sqlite3_value_text(argv[i]), len),
			.len = len,
		};
	}
	cursor->at = 0;
	int rc = make((struct tab *)base->pVtab);

	if (rc == SQLITE_OK)
		pass_over(cursor);
	return rc;
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->at++;
	pass_over(cursor);
	return SQLITE_OK;
}

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
	const struct cell *cell = &row_of((const struct cursor *)base)[i];

	switch (cell->type) {
	case CELL_NULL:
	case CELL_BLOB:
		break;
	case CELL_INT:
		sqlite3_result_int64(context, cell->i);
		break;
	case CELL_REAL:
		sqlite3_result_double(context, cell->real);
		break;
	case CELL_TEXT:
		sqlite3_result_text(context, cell->text, (int)cell->len, SQLITE_STATIC);
		break;
	}
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((const struct cursor *)base)->at;
	return SQLITE_OK;
}

int rowtab_register(struct query_db *db, const struct rowtab *table, void *arg)
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
	struct module *module = xcalloc(1, sizeof(*module));

	module->table = table;
	module->arg = arg;
	/* Calls the destructor itself where it fails. */
	return sqlite3_create_module_v2(query_db_handle(db), table->name, &functions, module,
					module_free);
}
