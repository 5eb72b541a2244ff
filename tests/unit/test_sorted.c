// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sorted.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/order.h"
#include "tests/lib/test.h"

enum { COLUMNS = 3, ROWS = 2000 };

static uint64_t seed;

static uint64_t pick(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (seed >> 33) % n;
}

/* Few different values of each type, so that many are equal, and the ends of all ranges. */
static struct cell random_cell(void)
{
	static const int64_t ints[] = { 0,
					1,
					-1,
					127,
					-128,
					128,
					32767,
					32768,
					INT32_MAX,
					INT32_MIN,
					INT64_MAX,
					INT64_MIN,
					1LL << 53,
					(1LL << 53) + 1,
					INT64_MAX - 1 };
	static const double reals[] = { 0,	0.5,	-0.5,	 1,	127.5,
					0x1p53, 0x1p63, -0x1p63, 1e300, -1e300 };
	static const char *const texts[] = { "", "a", "aa", "b", "\xc3\xa4", "A" };
	struct cell cell = { .type = (enum cell_type)pick(5), .text = "" };

	switch (cell.type) {
	case CELL_NULL:
		break;
	case CELL_INT:
		cell.i = ints[pick(sizeof(ints) / sizeof(*ints))];
		break;
	case CELL_REAL:
		cell.real = reals[pick(sizeof(reals) / sizeof(*reals))];
		break;
	case CELL_TEXT:
	case CELL_BLOB:
		cell.text = texts[pick(sizeof(texts) / sizeof(*texts))];
		cell.len = strlen(cell.text);
		break;
	}
	return cell;
}

static void bind(sqlite3_stmt *stmt, int i, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		sqlite3_bind_null(stmt, i);
		break;
	case CELL_INT:
		sqlite3_bind_int64(stmt, i, cell->i);
		break;
	case CELL_REAL:
		sqlite3_bind_double(stmt, i, cell->real);
		break;
	case CELL_TEXT:
		sqlite3_bind_text(stmt, i, cell->text, (int)cell->len, SQLITE_STATIC);
		break;
	case CELL_BLOB:
		sqlite3_bind_blob(stmt, i, cell->text, (int)cell->len, SQLITE_STATIC);
		break;
	}
}

static bool equal(const struct cell *a, const struct cell *b)
{
	return a->type == b->type && a->len == b->len && !memcmp(a->text, b->text, a->len) &&
	       (a->type != CELL_INT || a->i == b->i) &&
	       (a->type != CELL_REAL || a->real == b->real);
}

/* Rows in the order that SQLite gives them are those that sorted_next() gives. */
static void compare(sqlite3 *db, struct sorted *sorted, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	struct cell row[COLUMNS];
	size_t nr = 0, wrong = 0;

	CHECK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
	for (; sqlite3_step(stmt) == SQLITE_ROW; nr++) {
		CHECK(sorted_next(sorted, row));
		for (int i = 0; i < COLUMNS; i++) {
			struct cell cell = query_cell(sqlite3_column_value(stmt, i));

			wrong += !equal(&row[i], &cell);
		}
	}
	CHECK(nr == ROWS);
	CHECK(!wrong);
	CHECK(!sorted_next(sorted, row));
	sqlite3_finalize(stmt);
}

TEST(rows_come_as_ORDER_BY_gives_them)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "CREATE TABLE t (a, b, c)", NULL, NULL, NULL) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?, ?)", -1, &stmt, NULL) ==
	      SQLITE_OK);
	/* The third column is the number of the row: of equal ones the first comes first. */
	struct sorted *one = sorted_new(COLUMNS, (struct sorted_key[]){ { 1, true } }, 1);
	struct sorted *two =
		sorted_new(COLUMNS, (struct sorted_key[]){ { 1, false }, { 0, true } }, 2);

	for (int64_t i = 0; i < ROWS; i++) {
		const struct cell row[COLUMNS] = { random_cell(),
						   random_cell(),
						   { .type = CELL_INT, .i = i, .text = "" } };

		for (int c = 0; c < COLUMNS; c++)
			bind(stmt, c + 1, &row[c]);
		CHECK(sqlite3_step(stmt) == SQLITE_DONE);
		sqlite3_reset(stmt);
		sorted_add(one, row);
		sorted_add(two, row);
	}
	sqlite3_finalize(stmt);
	compare(db, one, "SELECT * FROM t ORDER BY b DESC, c");
	compare(db, two, "SELECT * FROM t ORDER BY b, a DESC, c");
	sorted_free(one);
	sorted_free(two);
	sqlite3_close(db);
}

TEST(no_rows_are_no_rows)
{
	struct sorted *sorted = sorted_new(1, (struct sorted_key[]){ { 0, false } }, 1);
	struct cell row;

	CHECK(!sorted_next(sorted, &row));
	sorted_free(sorted);
}

TEST(an_order_is_taken_apart_at_its_own_commas)
{
	struct order order;

	CHECK(order_parse("a DESC, max(b, 0) * c DESC,\n\tiif(d = ', (', 1, 2), a, DESCENT",
			  &order));
	CHECK(order.nr == 4);
	CHECK_STR(order.term[0].text, "a");
	CHECK(order.term[0].descending);
	CHECK_STR(order.term[1].text, "max(b, 0) * c");
	CHECK(order.term[1].descending);
	CHECK_STR(order.term[2].text, "iif(d = ', (', 1, 2)");
	CHECK(!order.term[2].descending);
	/* The second a decides nothing. */
	CHECK_STR(order.term[3].text, "DESCENT");
	CHECK(!order.term[3].descending);
	auto_free char *extra = order_extra(&order, "DESCENT, aa, a");

	CHECK_STR(extra, ", max(b, 0) * c, iif(d = ', (', 1, 2)");
	order_deinit(&order);
}

TEST(more_terms_than_there_is_room_for_are_said)
{
	auto_free char *text = xstrdup("c0");
	struct order order;

	for (int i = 1; i <= ORDER_TERMS; i++) {
		auto_free char *before = text;

		text = xasprintf("%s, c%d", before, i);
	}
	CHECK(!order_parse(text, &order));
	order_deinit(&order);
}
