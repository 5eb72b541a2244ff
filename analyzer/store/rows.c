// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/btree.h"

enum { MOST_STORED = 128 }; /* columns of a table */

/* What of a record goes where. */
struct layout {
	int8_t to[MOST_STORED]; /* which of the row's cells; -1: none */
	bool real[MOST_STORED]; /* whole numbers are stored as such */
	struct cell missing[MOST_STORED]; /* what a record that ends before it has there */
	int nr;			/* columns up to the last that is wanted */
	int rowid;		/* the cell that is the key; -1: none */
	size_t nr_cells;
};

struct reader {
	struct layout layout;
	struct cell row[ROWS_COLUMNS];
	char *text; /* of one row: in a record they lie without a NUL */
	size_t text_cap;
	rows_fn *fn;
	void *arg;
};

static struct err *damaged(void)
{
	return err_new(ERR_FORMAT, "damaged: a row of the database cannot be read");
}

/* ---- records */

/* Bytes of a value of a type that is no text or blob. */
static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };
enum { TYPE_NULL, TYPE_REAL = 7, TYPE_ZERO, TYPE_ONE, TYPE_BLOB = 12 };

/* @size bytes, most significant first. */
static int64_t integer(const uint8_t *p, size_t size)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < size; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static struct cell real_cell(double real)
{
	/* SQLite has no value that is not a number. */
	return (struct cell){ .type = isnan(real) ? CELL_NULL : CELL_REAL,
			      .real = isnan(real) ? 0 : real,
			      .text = "" };
}

/* A value that is no text or blob, of @size bytes. */
static struct cell number(uint64_t type, const uint8_t *p, size_t size, bool real)
{
	struct cell cell = { .type = CELL_INT, .text = "" };

	if (type == TYPE_REAL) {
		uint64_t bits = (uint64_t)integer(p, size);
		double value;

		memcpy(&value, &bits, sizeof(value));
		return real_cell(value);
	}
	if (type == TYPE_NULL || type > TYPE_ONE)
		cell.type = CELL_NULL;
	else
		cell.i = size ? integer(p, size) : type == TYPE_ONE;
	return real && cell.type == CELL_INT ? real_cell((double)cell.i) : cell;
}

/* The NUL of each text takes the place of its type. */
static struct err *text_room(struct reader *reader, size_t len)
{
	if (len <= reader->text_cap)
		return NULL;
	free(reader->text);
	reader->text_cap = 0;
	reader->text = malloc(len + 256);
	if (!reader->text)
		return err_new(ERR_FORMAT, "damaged: a row of %zu bytes", len);
	reader->text_cap = len + 256;
	return NULL;
}

static struct cell bytes_cell(uint64_t type, const uint8_t *p, size_t len, char **text)
{
	char *copy = *text;

	memcpy(copy, p, len);
	copy[len] = '\0';
	*text += len + 1;
	return (struct cell){ .type = type & 1 ? CELL_TEXT : CELL_BLOB, .text = copy, .len = len };
}

static struct err *take(void *arg, int64_t rowid, struct span record)
{
	struct reader *reader = arg;
	const struct layout *layout = &reader->layout;
	const uint8_t *end = record.data + record.len;
	uint64_t header, type;
	const uint8_t *types = btree_varint(record.data, end, &header);

	if (!types || header > record.len)
		return damaged();
	const uint8_t *body = record.data + header, *types_end = body;

	TRY(text_room(reader, record.len));
	char *text = reader->text;

	for (int i = 0; i < layout->nr; i++) {
		int to = layout->to[i];

		/* Columns that came to the table later. */
		if (types >= types_end) {
			if (to >= 0)
				reader->row[to] = layout->missing[i];
			continue;
		}
		types = btree_varint(types, types_end, &type);
		if (!types)
			return damaged();
		uint64_t size = type < TYPE_BLOB ? sizes[type] : (type - TYPE_BLOB) / 2;

		if (size > (uint64_t)(end - body))
			return damaged();
		if (to >= 0)
			reader->row[to] = type < TYPE_BLOB
						  ? number(type, body, size, layout->real[i])
						  : bytes_cell(type, body, size, &text);
		body += size;
	}
	if (layout->rowid >= 0)
		reader->row[layout->rowid] =
			(struct cell){ .type = CELL_INT, .i = rowid, .text = "" };
	return reader->fn(reader->arg, reader->row);
}

/* ---- where columns are */

/* Which of "id, kind, NULL" a name is; -1: none. */
static int place_in(const char *columns, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0;; i++) {
		size_t word = strcspn(columns, ",");

		if (word == len && !memcmp(columns, name, len))
			return i;
		if (!columns[word])
			return -1;
		columns += word + 1 + strspn(columns + word + 1, " ");
	}
}

static size_t nr_words(const char *columns, const char *word)
{
	size_t nr = 0;

	for (const char *at = columns; at; at = strchr(at, ',')) {
		at += strspn(at, ", ");
		nr += !word || !strncmp(at, word, strlen(word));
	}
	return nr;
}

/* Declared types whose values are stored as they are, but for REAL. */
static bool known_type(const char *type)
{
	static const char *const known[] = { "", "INTEGER", "INT", "TEXT", "REAL", "NUM" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(type, known[i]))
			return true;
	return false;
}

/* False for a default that is more than a number. */
static bool default_cell(const char *text, struct cell *ret)
{
	char *end = NULL;

	*ret = (struct cell){ .text = "" };
	if (!text)
		return true;
	ret->type = CELL_INT;
	ret->i = strtoll(text, &end, 10);
	return end > text && !*end;
}

/*
 * Columns of the file's own table @table, which a WITHOUT ROWID one has in the order of its
 * key. False: not all of @columns are there, or one of the table's is not stored.
 */
static bool find_columns(sqlite3 *db, const char *table, const char *columns, bool has_rowid,
			 struct layout *ret)
{
	char *sql = sqlite3_mprintf("PRAGMA main.table_xinfo(\"%w\")", table);
	sqlite3_stmt *stmt = NULL;
	struct layout layout = { .rowid = -1, .nr_cells = nr_words(columns, NULL) };
	size_t found = 0;
	bool plain = sql && layout.nr_cells <= ROWS_COLUMNS &&
		     sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK;
	int nr = 0, nr_keys = 0, key = -1;

	memset(layout.to, -1, sizeof(layout.to));
	for (; plain && sqlite3_step(stmt) == SQLITE_ROW; nr++) {
		enum { NAME = 1, TYPE, DEFAULT = 4, KEY, HIDDEN };
		const char *name = (const char *)sqlite3_column_text(stmt, NAME);
		const char *type = (const char *)sqlite3_column_text(stmt, TYPE);
		int in_key = sqlite3_column_int(stmt, KEY);

		plain = name && type && known_type(type) && nr < MOST_STORED &&
			!sqlite3_column_int(stmt, HIDDEN) &&
			(has_rowid || !in_key || in_key == nr + 1) &&
			default_cell((const char *)sqlite3_column_text(stmt, DEFAULT),
				     &layout.missing[nr]);
		if (!plain)
			break;
		if (in_key) {
			nr_keys++;
			key = strcmp(type, "INTEGER") ? -1 : nr;
		}
		int to = place_in(columns, name);

		layout.real[nr] = !strcmp(type, "REAL");
		layout.to[nr] = (int8_t)to;
		found += to >= 0;
		if (to >= 0)
			layout.nr = nr + 1;
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	/* A key of one whole number is that of the record, which has NULL in its place. */
	if (has_rowid && nr_keys == 1 && key >= 0) {
		layout.rowid = layout.to[key];
		layout.to[key] = -1;
	}
	*ret = layout;
	return plain && found + nr_words(columns, "NULL") == layout.nr_cells;
}

/* ---- */

static void stmt_finalize(sqlite3_stmt *stmt)
{
	sqlite3_finalize(stmt);
}
DEFINE_CLEANUP(sqlite3_stmt *, stmt, stmt_finalize)

static void reader_deinit(struct reader *reader)
{
	free(reader->text);
}

/* *ret_done: false when only SQLite can tell the rows. */
static struct err *walk(sqlite3 *db, const char *table, const char *columns, rows_fn *fn,
			void *arg, bool *ret_done)
{
	CLEANUP(btree_cleanup) struct btree *tree = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	CLEANUP(reader_deinit) struct reader reader = { .fn = fn, .arg = arg };
	bool has_rowid;

	/* At a row of the file, a statement holds its lock: nobody writes until it ends. */
	if (sqlite3_prepare_v2(db,
			       "SELECT rootpage FROM main.sqlite_schema "
			       "WHERE type = 'table' AND name = ? AND NOT EXISTS "
			       "(SELECT 1 FROM temp.sqlite_schema t WHERE t.name = ?1)",
			       -1, &stmt, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return NULL;
	int64_t root = sqlite3_column_int64(stmt, 0);

	TRY(btree_open(db, &tree));
	if (!tree || root < 1 || root > UINT32_MAX)
		return NULL;
	TRY(btree_is_table(tree, (uint32_t)root, &has_rowid));
	if (!find_columns(db, table, columns, has_rowid, &reader.layout))
		return NULL;
	for (int i = 0; i < ROWS_COLUMNS; i++)
		reader.row[i].text = "";
	*ret_done = true;
	return btree_walk(tree, (uint32_t)root, take, &reader);
}

static struct err *ask(struct query_db *db, const char *table, const char *columns,
		       const char *order, rows_fn *fn, void *arg)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql = xasprintf("SELECT %s FROM %s%s%s", columns, table,
					order ? " ORDER BY " : "", order ? order : "");
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		TRY(fn(arg, row));
	}
}

struct err *rows_each(struct query_db *db, const char *table, const char *columns,
		      const char *order, rows_fn *fn, void *arg)
{
	bool done = false;

	TRY(walk(query_db_handle(db), table, columns, fn, arg, &done));
	return done ? NULL : ask(db, table, columns, order, fn, arg);
}
