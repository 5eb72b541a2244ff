// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/btree.h"
#include "store/stmt.h"

/* A column of the table that is wanted. */
struct wanted {
	int column;	     /* of the table; they ascend */
	int cell;	     /* of the row */
	bool real;	     /* whole numbers are stored as such */
	struct cell missing; /* what a record that ends before it has there */
};

/* What of a record goes where. */
struct layout {
	struct wanted wanted[ROWS_COLUMNS];
	int nr;
	int rowid; /* the cell that is the key; -1: none */
	size_t nr_cells;
};

struct reader {
	struct layout layout;
	struct cell row[ROWS_COLUMNS];
	char *text; /* of one row: in a record they lie without a NUL */
	size_t text_cap;
	const struct rows_query *rows;
};

static struct err *damaged(void)
{
	return err_new(ERR_FORMAT, "damaged: a row of the database cannot be read");
}

/* ---- records */

/* Bytes of a value of a type that is no text or blob, and what is not of it in eight. */
static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };
static const uint8_t shifts[] = { 0, 56, 48, 40, 32, 16, 0, 0, 0, 0, 0, 0 };
enum { TYPE_NULL, TYPE_INTEGER, TYPE_REAL = 7, TYPE_ZERO, TYPE_ONE, TYPE_BLOB = 12 };

/* The number that begins at @p, where eight bytes can be read. */
static inline int64_t stored(uint64_t type, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return (int64_t)__builtin_bswap64(v) >> shifts[type];
}

static struct cell real_cell(double real)
{
	/* SQLite has no value that is not a number. */
	return (struct cell){ .type = isnan(real) ? CELL_NULL : CELL_REAL,
			      .real = isnan(real) ? 0 : real,
			      .text = "" };
}

/* A value that is no text or blob. */
static inline void set_number(struct cell *cell, uint64_t type, const uint8_t *p, bool real)
{
	/* Mostly the row before had a number there as well. */
	if (cell->type != CELL_INT)
		*cell = (struct cell){ .type = CELL_INT, .text = "" };
	if (type - TYPE_INTEGER < TYPE_REAL - TYPE_INTEGER) {
		cell->i = stored(type, p);
	} else if (type - TYPE_ZERO <= TYPE_ONE - TYPE_ZERO) {
		cell->i = (int64_t)(type - TYPE_ZERO);
	} else if (type == TYPE_REAL) {
		int64_t bits = stored(type, p);
		double value;

		memcpy(&value, &bits, sizeof(value));
		*cell = real_cell(value);
	} else {
		*cell = (struct cell){ .text = "" };
	}
	if (real && cell->type == CELL_INT)
		*cell = real_cell((double)cell->i);
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
	return (struct cell){ .type = type & 1 ? CELL_TEXT : CELL_BLOB,
			      .text = copy,
			      .len = len };
}

static struct err *take(void *arg, int64_t rowid, struct span record)
{
	struct reader *reader = arg;
	const struct layout *layout = &reader->layout;
	const struct wanted *wanted = layout->wanted, *wanted_end = wanted + layout->nr;
	const struct rows_query *rows = reader->rows;
	uint64_t at, type;
	const uint8_t *types = btree_varint(record.data, record.data + record.len, &at);

	if (!types || at > record.len)
		return damaged();
	if (layout->rowid >= 0)
		reader->row[layout->rowid] =
			(struct cell){ .type = CELL_INT, .i = rowid, .text = "" };
	if (!layout->rowid && rows->wanted && !rows->wanted(rows->arg, rowid))
		return NULL;
	TRY(text_room(reader, record.len));
	const uint8_t *types_end = record.data + at;
	char *text = reader->text;

	int next = layout->nr ? wanted->column : -1;

	for (int column = 0; types < types_end && next >= 0; column++) {
		uint64_t size;

		type = *types;
		if (__builtin_expect(type < TYPE_BLOB, 1)) {
			types++;
			size = sizes[type];
		} else {
			types = btree_varint(types, types_end, &type);
			size = type < TYPE_BLOB ? sizes[type] : (type - TYPE_BLOB) / 2;
			/* So that no sum of sizes can wrap. */
			if (!types || size > record.len)
				return damaged();
		}
		if (column == next) {
			struct cell *cell = &reader->row[wanted->cell];

			if (at + size > record.len)
				return damaged();
			if (type < TYPE_BLOB)
				set_number(cell, type, record.data + at, wanted->real);
			else
				*cell = bytes_cell(type, record.data + at, size, &text);
			if (!wanted->cell && rows->wanted && !rows->wanted(rows->arg, cell->i))
				return NULL;
			next = ++wanted < wanted_end ? wanted->column : -1;
		}
		at += size;
	}
	/* Columns that came to the table later. */
	for (; wanted < wanted_end; wanted++) {
		reader->row[wanted->cell] = wanted->missing;
		if (!wanted->cell && rows->wanted &&
		    !rows->wanted(rows->arg, wanted->missing.i))
			return NULL;
	}
	return rows->fn(rows->arg, reader->row);
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

static void take_key(struct layout *layout, int key)
{
	int nr = 0;

	for (int i = 0; i < layout->nr; i++) {
		if (layout->wanted[i].column == key)
			layout->rowid = layout->wanted[i].cell;
		else
			layout->wanted[nr++] = layout->wanted[i];
	}
	layout->nr = nr;
}

/*
 * Columns of the file's own table, which a WITHOUT ROWID one has in the order of its key.
 * False: not all that are wanted are there, or one of the table's is not stored.
 */
static bool find_columns(sqlite3 *db, const char *table, const char *columns, bool has_rowid,
			 struct layout *ret)
{
	char *sql = sqlite3_mprintf("PRAGMA main.table_xinfo(\"%w\")", table);
	sqlite3_stmt *stmt = NULL;
	struct layout layout = { .rowid = -1, .nr_cells = nr_words(columns, NULL) };
	size_t found = nr_words(columns, "NULL");
	bool plain = sql && layout.nr_cells <= ROWS_COLUMNS &&
		     sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK;
	int nr_keys = 0, key = -1;

	for (int nr = 0; plain && sqlite3_step(stmt) == SQLITE_ROW; nr++) {
		enum { NAME = 1, TYPE, DEFAULT = 4, KEY, HIDDEN };
		const char *name = (const char *)sqlite3_column_text(stmt, NAME);
		const char *type = (const char *)sqlite3_column_text(stmt, TYPE);
		int in_key = sqlite3_column_int(stmt, KEY);
		struct wanted wanted = { .column = nr };

		plain = name && type && known_type(type) && !sqlite3_column_int(stmt, HIDDEN) &&
			(has_rowid || !in_key || in_key == nr + 1) &&
			default_cell((const char *)sqlite3_column_text(stmt, DEFAULT),
				     &wanted.missing);
		if (!plain)
			break;
		if (in_key) {
			nr_keys++;
			key = strcmp(type, "INTEGER") ? -1 : nr;
		}
		wanted.cell = place_in(columns, name);
		wanted.real = !strcmp(type, "REAL");
		if (wanted.cell >= 0)
			layout.wanted[layout.nr++] = wanted;
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	found += (size_t)layout.nr;
	/* A key of one whole number is that of the record, which has NULL in its place. */
	if (has_rowid && nr_keys == 1)
		take_key(&layout, key);
	*ret = layout;
	return plain && found == layout.nr_cells;
}

/* ---- */

static void reader_deinit(struct reader *reader)
{
	free(reader->text);
}

/*
 * The table of that name, or the one that stands for the view of that name (store/folded.h),
 * unless a temporary view hides it.
 */
static const char find_table[] =
	"SELECT rootpage, name FROM main.sqlite_schema m "
	"WHERE type = 'table' AND name IN (?1, '_folded_' || ?1) AND "
	"(SELECT sql FROM temp.sqlite_schema t WHERE t.name = ?1) IS iif(name = ?1, NULL, "
	"printf('CREATE VIEW \"%w\" AS SELECT * FROM main.\"_folded_%w\"', ?1, ?1))";

/* *ret_done: false when only SQLite can tell the rows. */
static struct err *walk(sqlite3 *db, const struct rows_query *rows, bool *ret_done)
{
	CLEANUP(btree_cleanup) struct btree *tree = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	CLEANUP(reader_deinit) struct reader reader = { .rows = rows };
	bool has_rowid;

	/* At a row of the file, a statement holds its lock: nobody writes until it ends. */
	if (sqlite3_prepare_v2(db, find_table, -1, &stmt, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_text(stmt, 1, rows->table, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return NULL;
	int64_t root = sqlite3_column_int64(stmt, 0);
	const char *table = (const char *)sqlite3_column_text(stmt, 1);

	TRY(btree_open(db, &tree));
	if (!tree || !table || root < 1 || root > UINT32_MAX)
		return NULL;
	TRY(btree_is_table(tree, (uint32_t)root, &has_rowid));
	if (!find_columns(db, table, rows->columns, has_rowid, &reader.layout))
		return NULL;
	for (int i = 0; i < ROWS_COLUMNS; i++)
		reader.row[i].text = "";
	*ret_done = true;
	return btree_walk(tree, (uint32_t)root, take, &reader);
}

static struct err *ask(struct query_db *db, const struct rows_query *rows)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql =
		xasprintf("SELECT %s FROM %s%s%s", rows->columns, rows->table,
			  rows->order ? " ORDER BY " : "", rows->order ? rows->order : "");
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		if (!rows->wanted || rows->wanted(rows->arg, row[0].i))
			TRY(rows->fn(rows->arg, row));
	}
}

struct err *rows_each(struct query_db *db, const struct rows_query *rows)
{
	bool done = false;

	TRY(walk(query_db_handle(db), rows, &done));
	return done ? NULL : ask(db, rows);
}
