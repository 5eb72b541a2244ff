// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/image.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/lib/test.h"

enum { COLUMNS = 5, WIDE = IMAGE_MAX_COLUMNS };

static const char plain_sql[] = "CREATE TABLE plain (\n"
				"	a INTEGER NOT NULL, -- one; two\n"
				"	b INTEGER, c INTEGER, d INTEGER,\n"
				"	e INTEGER -- last\n"
				") STRICT";
static const char keyed_sql[] =
	"CREATE TABLE keyed (a INTEGER, b INTEGER, c INTEGER, d INTEGER,\n"
	"	e INTEGER, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID";

static uint64_t seed = 1;

static uint64_t pick(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (seed >> 33) % n;
}

/* A number of any length, often at the end of what some bytes hold. */
static int64_t number(void)
{
	uint64_t n = UINT64_C(1) << pick(64);

	n += pick(3) - 1;
	if (pick(3) == 0)
		n = pick(UINT64_C(1) << 33) << pick(31);
	return (int64_t)(pick(2) ? n : ~n);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t ret = -1;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
	ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return ret;
}

/* What SQLite finds in the pages of schema "image". */
static bool is_whole(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;

	CHECK_EQ(sqlite3_prepare_v2(db, "PRAGMA image.integrity_check", -1, &stmt, NULL),
		 SQLITE_OK);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
	const char *text = (const char *)sqlite3_column_text(stmt, 0);
	bool ret = !strcmp(text, "ok");

	if (!ret)
		printf("# %s\n", text);
	sqlite3_finalize(stmt);
	return ret;
}

static void run(sqlite3 *db, const char *sql)
{
	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* In schema "image". */
static sqlite3 *open_image(struct image *image)
{
	unsigned char *data;
	sqlite3 *db = NULL;
	size_t len;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	run(db, "ATTACH ':memory:' AS image");
	CHECK_OK(image_take(image, &data, &len));
	CHECK_EQ(sqlite3_deserialize(db, "image", data, (sqlite3_int64)len, (sqlite3_int64)len,
				     SQLITE_DESERIALIZE_FREEONCLOSE),
		 SQLITE_OK);
	return db;
}

/* The same rows by INSERT and in an image. */
static void check(size_t nr, bool sorted)
{
	CLEANUP(image_cleanup) struct image *image = image_new();
	struct cell row[COLUMNS] = {};
	sqlite3 *expected = NULL;
	sqlite3_stmt *insert[2];

	CHECK_EQ(image_table(image, "plain", plain_sql, COLUMNS, false), 0);
	CHECK_EQ(image_table(image, "keyed", keyed_sql, COLUMNS, true), 1);
	auto_free char *path = xasprintf("%s/expected-%zu-%d.db", test_dir(), nr, sorted);

	CHECK_EQ(sqlite3_open(path, &expected), SQLITE_OK);
	run(expected, "PRAGMA synchronous = OFF; BEGIN");
	run(expected, plain_sql);
	run(expected, keyed_sql);
	for (size_t t = 0; t < 2; t++)
		CHECK_EQ(sqlite3_prepare_v2(expected,
					    t ? "INSERT INTO keyed VALUES (?, ?, ?, ?, ?)"
					      : "INSERT INTO plain VALUES (?, ?, ?, ?, ?)",
					    -1, &insert[t], NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < 2 * nr; i++) {
		size_t t = i % 2, at = i / 2;

		for (size_t c = 0; c < COLUMNS; c++) {
			row[c].type = c && pick(5) == 0 ? CELL_NULL : CELL_INT;
			row[c].i = number();
		}
		if (t) {
			/* Each once: the numbers up to nr, backwards or not. */
			at = sorted ? at : nr - 1 - at;
			row[0] = (struct cell){ .type = CELL_INT, .i = (int64_t)at / 7 - 40 };
			row[1] = (struct cell){ .type = CELL_INT, .i = (int64_t)at % 7 };
		}
		image_add(image, t, row);
		for (size_t c = 0; c < COLUMNS; c++)
			if (row[c].type == CELL_INT)
				sqlite3_bind_int64(insert[t], (int)c + 1, row[c].i);
			else
				sqlite3_bind_null(insert[t], (int)c + 1);
		CHECK_EQ(sqlite3_step(insert[t]), SQLITE_DONE);
		sqlite3_reset(insert[t]);
	}
	sqlite3_finalize(insert[0]);
	sqlite3_finalize(insert[1]);
	run(expected, "COMMIT");
	sqlite3_close(expected);
	CHECK_EQ(image_size(image) > 0, nr > 0);

	sqlite3 *db = open_image(image);
	auto_free char *attach = xasprintf("ATTACH '%s' AS expected", path);

	CHECK_EQ(image_size(image), 0);
	run(db, attach);
	CHECK(is_whole(db));
	CHECK_EQ(ask(db, "SELECT count(*) FROM image.plain"), nr);
	CHECK_EQ(ask(db, "SELECT count(*) FROM image.keyed"), nr);
	CHECK_EQ(ask(db, "SELECT count(*) FROM (SELECT rowid, * FROM image.plain EXCEPT "
			 "SELECT rowid, * FROM expected.plain)"),
		 0);
	CHECK_EQ(ask(db, "SELECT count(*) FROM (SELECT * FROM image.keyed EXCEPT "
			 "SELECT * FROM expected.keyed)"),
		 0);
	/* By its key each row is found. */
	CHECK_EQ(ask(db, "SELECT count(*) FROM expected.keyed e JOIN image.keyed i "
			 "ON i.a = e.a AND i.b = e.b"),
		 nr);
	/* As it is used: the tables are alike enough to be copied as they are. */
	run(db, plain_sql);
	run(db, keyed_sql);
	run(db, "INSERT INTO main.plain SELECT * FROM image.plain;"
		"INSERT INTO main.keyed SELECT * FROM image.keyed");
	CHECK_EQ(ask(db, "SELECT count(*) FROM (SELECT * FROM main.keyed EXCEPT "
			 "SELECT * FROM expected.keyed)"),
		 0);
	CHECK_EQ(ask(db, "SELECT count(*) FROM main.keyed"), nr);
	CHECK_EQ(ask(db, "SELECT count(*) FROM (SELECT rowid, * FROM main.plain EXCEPT "
			 "SELECT rowid, * FROM expected.plain)"),
		 0);
	sqlite3_close(db);
}

TEST(an_image_has_the_rows_that_inserts_would_make)
{
	/* Around what one page holds, and two, and one page of pages. */
	for (size_t nr = 0; nr < 300; nr += nr < 5 ? 1 : 7)
		check(nr, true);
	check(1000, true);
	check(12000, true);
	check(40000, true);
}

TEST(keys_may_come_in_any_order)
{
	check(2, false);
	check(5000, false);
}

TEST(a_key_that_is_there_twice_is_an_error)
{
	CLEANUP(image_cleanup) struct image *image = image_new();
	struct cell row[COLUMNS];
	unsigned char *data;
	size_t len;

	image_table(image, "keyed", keyed_sql, COLUMNS, true);
	for (size_t i = 0; i < COLUMNS; i++)
		row[i] = (struct cell){ .type = CELL_INT, .i = 3 };
	image_add(image, 0, row);
	row[1].i = 2;
	image_add(image, 0, row);
	row[1].i = 3;
	image_add(image, 0, row);
	struct err *err = image_take(image, &data, &len);

	CHECK(err);
	err_free(err);
}

TEST(the_longest_rows_have_room)
{
	CLEANUP(image_cleanup) struct image *image = image_new();
	struct cell row[WIDE];
	char sql[2000] = "CREATE TABLE wide (a, b";

	for (int i = 2; i < WIDE; i++)
		sprintf(sql + strlen(sql), ", c%d", i);
	strcat(sql, ", PRIMARY KEY (a, b)) WITHOUT ROWID");
	image_table(image, "wide", sql, WIDE, true);
	for (int64_t n = 0; n < 500; n++) {
		for (size_t i = 0; i < WIDE; i++)
			row[i] = (struct cell){ .type = CELL_INT, .i = INT64_MIN + n };
		image_add(image, 0, row);
	}
	sqlite3 *db = open_image(image);

	CHECK(is_whole(db));
	CHECK_EQ(ask(db, "SELECT count(DISTINCT c31) FROM wide"), 500);
	sqlite3_close(db);
}
