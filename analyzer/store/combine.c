// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/combine.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/intern.h"
#include "store/library.h"

/* Where the rows of one input's table went, by their old number. */
struct moved {
	int64_t old, new; /* new is 0 for what was left out */
};

struct column {
	char *name;
	struct relation *of; /* the table it refers to, or NULL */
};

struct relation {
	char *name;
	struct column *column;
	size_t nr_columns;
	bool numbered; /* column 0 is the number of the row */
	bool folded;   /* kept once by content */
	int64_t last;  /* number given last */
	struct intern content;
	sqlite3_stmt *insert;

	/* Of the input that is being read; ascending by the old number. */
	struct moved *moved;
	size_t nr_moved, cap_moved;
};

struct combine {
	struct writer *writer;
	sqlite3 *db;
	struct relation *table;
	size_t nr_tables;
	struct intern recordings; /* what tells them apart */
};

static struct err *db_err(struct combine *combine)
{
	return err_new(ERR_DB, "%s", sqlite3_errmsg(combine->db));
}

static void relation_deinit(struct relation *table)
{
	for (size_t i = 0; i < table->nr_columns; i++)
		free(table->column[i].name);
	sqlite3_finalize(table->insert);
	intern_deinit(&table->content);
	free(table->column);
	free(table->moved);
	free(table->name);
}

void combine_free(struct combine *combine)
{
	if (!combine)
		return;
	for (size_t i = 0; i < combine->nr_tables; i++)
		relation_deinit(&combine->table[i]);
	intern_deinit(&combine->recordings);
	free(combine->table);
	free(combine);
}

static struct relation *find_table(struct combine *combine, const char *name)
{
	for (size_t i = 0; i < combine->nr_tables; i++)
		if (!strcmp(combine->table[i].name, name))
			return &combine->table[i];
	return NULL;
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

/* Tables in the order in which they are made, which is that of references. */
static struct err *list_tables(struct combine *combine)
{
	sqlite3_stmt *stmt = NULL;
	size_t cap = 0;

	if (sqlite3_prepare_v2(combine->db,
			       "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
			       "name LIKE '\\_%' ESCAPE '\\' ORDER BY rowid",
			       -1, &stmt, NULL) != SQLITE_OK)
		return db_err(combine);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = text_of(stmt, 0);

		vec_room(combine->table, combine->nr_tables, cap);
		combine->table[combine->nr_tables++] = (struct relation){
			.name = xstrdup(name),
			.folded = !strcmp(name, "_callsite") || !strcmp(name, "_frame"),
		};
	}
	sqlite3_finalize(stmt);
	return NULL;
}

static struct err *list_columns(struct combine *combine, struct relation *table)
{
	sqlite3_stmt *stmt = NULL;
	size_t cap = 0;

	if (sqlite3_prepare_v2(combine->db,
			       "SELECT c.name, f.\"table\" FROM pragma_table_info(:t) c "
			       "LEFT JOIN pragma_foreign_key_list(:t) f ON f.\"from\" = c.name "
			       "ORDER BY c.cid",
			       -1, &stmt, NULL) != SQLITE_OK)
		return db_err(combine);
	sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *of = text_of(stmt, 1);

		vec_room(table->column, table->nr_columns, cap);
		table->column[table->nr_columns++] = (struct column){
			.name = xstrdup(text_of(stmt, 0)),
			.of = of ? find_table(combine, of) : NULL,
		};
	}
	sqlite3_finalize(stmt);
	table->numbered = table->nr_columns && !strcmp(table->column[0].name, "id");
	return NULL;
}

/* "a, b, c", or "?, ?, ?". */
static char *list(const struct relation *table, bool marks)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < table->nr_columns; i++) {
		char *longer = xasprintf("%s%s%s", text, i ? ", " : "",
					 marks ? "?" : table->column[i].name);

		free(text);
		text = longer;
	}
	return text;
}

struct err *combine_new(struct writer *writer, struct combine **ret)
{
	CLEANUP(combine_cleanup) struct combine *combine = xcalloc(1, sizeof(*combine));

	combine->writer = writer;
	combine->db = writer_sqlite(writer);
	if (sqlite3_exec(combine->db, "DELETE FROM _recording", NULL, NULL, NULL) != SQLITE_OK)
		return db_err(combine);
	TRY(list_tables(combine));
	for (size_t i = 0; i < combine->nr_tables; i++) {
		struct relation *table = &combine->table[i];

		TRY(list_columns(combine, table));
		auto_free char *names = list(table, false);
		auto_free char *marks = list(table, true);
		auto_free char *sql =
			xasprintf("INSERT INTO %s (%s) VALUES (%s)", table->name, names, marks);

		if (sqlite3_prepare_v2(combine->db, sql, -1, &table->insert, NULL) != SQLITE_OK)
			return db_err(combine);
	}
	*ret = take_ptr(combine);
	return NULL;
}

static int compare_moved(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	return x->old < y->old ? -1 : x->old > y->old;
}

static const struct moved *find_moved(const struct relation *table, int64_t old)
{
	const struct moved key = { .old = old };

	return bsearch(&key, table->moved, table->nr_moved, sizeof(key), compare_moved);
}

static void bind_cell(sqlite3_stmt *stmt, int column, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		sqlite3_bind_null(stmt, column);
		break;
	case CELL_INT:
		sqlite3_bind_int64(stmt, column, cell->i);
		break;
	case CELL_REAL:
		sqlite3_bind_double(stmt, column, cell->real);
		break;
	case CELL_TEXT:
		sqlite3_bind_text64(stmt, column, cell->text, cell->len, SQLITE_STATIC,
				    SQLITE_UTF8);
		break;
	case CELL_BLOB:
		sqlite3_bind_blob64(stmt, column, cell->text, cell->len, SQLITE_STATIC);
		break;
	}
}

/* A cell as bytes that no other cell has. */
static void append_key(char **key, size_t *len, size_t *cap, const struct cell *cell)
{
	bool text = cell->type == CELL_TEXT || cell->type == CELL_BLOB;
	size_t more = sizeof(cell->type) + sizeof(cell->i) + (text ? cell->len : 0);

	if (*len + more > *cap) {
		*cap = 2 * (*len + more);
		*key = xreallocarray(*key, *cap, 1);
	}
	int64_t value = text ? (int64_t)cell->len : cell->i;

	if (cell->type == CELL_NULL)
		value = 0;
	memcpy(*key + *len, &cell->type, sizeof(cell->type));
	memcpy(*key + *len + sizeof(cell->type), &value, sizeof(value));
	if (text)
		memcpy(*key + *len + more - cell->len, cell->text, cell->len);
	*len += more;
}

/* The number of the row with that content, all but its number; *ret_new is false if known. */
static int64_t fold(struct relation *table, const struct cell *row, bool *ret_new)
{
	auto_free char *key = NULL;
	size_t len = 0, cap = 0;

	for (size_t i = 1; i < table->nr_columns; i++)
		append_key(&key, &len, &cap, &row[i]);
	return intern_id(&table->content, key, len, ret_new);
}

/* Whether all that the row refers to is in the new database. */
static struct err *renumber(const struct relation *table, struct cell *row, bool *ret_keep)
{
	*ret_keep = true;
	for (size_t i = 0; i < table->nr_columns; i++) {
		const struct relation *of = table->column[i].of;

		if (!of || row[i].type == CELL_NULL)
			continue;
		const struct moved *moved =
			row[i].type == CELL_INT ? find_moved(of, row[i].i) : NULL;

		if (!moved)
			return err_new(ERR_FORMAT,
				       "damaged: a row of %s refers to one of %s that is "
				       "not there",
				       table->name, of->name);
		*ret_keep &= moved->new != 0;
		row[i].i = moved->new;
	}
	return NULL;
}

static struct err *insert(struct combine *combine, struct relation *table,
			  const struct cell *row)
{
	for (size_t i = 0; i < table->nr_columns; i++)
		bind_cell(table->insert, (int)i + 1, &row[i]);
	int rc = sqlite3_step(table->insert);

	sqlite3_reset(table->insert);
	return rc == SQLITE_DONE ? NULL : db_err(combine);
}

static struct err *add_row(struct combine *combine, struct relation *table, struct cell *row,
			   bool keep)
{
	bool is_new = true, refers_well;
	struct moved moved = {};

	if (table->numbered) {
		if (row[0].type != CELL_INT)
			return err_new(ERR_FORMAT, "damaged: a row of %s has no number",
				       table->name);
		moved.old = row[0].i;
	}
	TRY(renumber(table, row, &refers_well));
	keep &= refers_well;
	if (table->numbered) {
		if (keep && table->folded)
			moved.new = fold(table, row, &is_new);
		else if (keep)
			moved.new = ++table->last;
		vec_room(table->moved, table->nr_moved, table->cap_moved);
		table->moved[table->nr_moved++] = moved;
		row[0].i = moved.new;
	}
	return keep && is_new ? insert(combine, table, row) : NULL;
}

/* Which of the input's recordings are new; in the order of their numbers. */
static struct err *identify(struct combine *combine, struct query_db *db, bool **ret_new,
			    size_t *ret_nr)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free bool *is_new = NULL;
	const struct cell *row;
	size_t nr = 0, cap = 0;

	TRY(query_prepare(db, schema_query("identity"), NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		vec_room(is_new, nr, cap);
		intern_id(&combine->recordings, row[1].text, row[1].len, &is_new[nr]);
		nr++;
	}
	*ret_new = take_ptr(is_new);
	*ret_nr = nr;
	return NULL;
}

static struct err *add_table(struct combine *combine, struct relation *table,
			     struct query_db *db, const bool *is_new, size_t nr_recordings)
{
	bool recordings = !strcmp(table->name, "_recording");
	auto_free char *names = list(table, false);
	auto_free char *sql = xasprintf("SELECT %s FROM %s%s", names, table->name,
					table->numbered ? " ORDER BY id" : "");
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free struct cell *copy = xcalloc(table->nr_columns, sizeof(*copy));
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	for (size_t i = 0;; i++) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		memcpy(copy, row, table->nr_columns * sizeof(*copy));
		TRY(add_row(combine, table, copy,
			    !recordings || (i < nr_recordings && is_new[i])));
	}
}

struct err *combine_add(struct combine *combine, struct query_db *db, const char *path,
			size_t *ret_left_out)
{
	auto_free bool *is_new = NULL;
	size_t nr = 0;

	TRY(err_wrap(identify(combine, db, &is_new, &nr), "%s", path));
	if (!nr)
		return err_new(ERR_FORMAT, "%s: damaged: it has no recording", path);
	for (size_t i = 0; i < combine->nr_tables; i++)
		combine->table[i].nr_moved = 0;
	for (size_t i = 0; i < combine->nr_tables; i++)
		TRY(err_wrap(add_table(combine, &combine->table[i], db, is_new, nr), "%s",
			     path));
	*ret_left_out = 0;
	for (size_t i = 0; i < nr; i++)
		*ret_left_out += !is_new[i];
	return NULL;
}

size_t combine_nr_recordings(const struct combine *combine)
{
	return combine->recordings.nr;
}
