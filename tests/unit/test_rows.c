// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/btree.h"
#include "store/schema.h"
#include "tests/lib/test.h"

/* Values of all sizes and types, one after the other; @n: numbers up to it. */
#define COUNT(n) "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " #n ") "

static const char fill[] =
	"CREATE TABLE _mixed (id INTEGER PRIMARY KEY, small INTEGER, wide INTEGER, real REAL, "
	"text TEXT, any, none TEXT);"
	/* clang-format off */
	COUNT(3000)
	"INSERT INTO _mixed SELECT i * 7 - 900, i % 5 - 2, (1 << (i % 64)) - i % 3, "
	"CASE i % 4 WHEN 0 THEN i WHEN 1 THEN i / 7.0 WHEN 2 THEN -1e300 * i ELSE NULL END, "
	"substr(replace(hex(zeroblob(300)), '00', i || 'x'), 1, i % 300), "
	"CASE i % 5 WHEN 0 THEN i WHEN 1 THEN i / 3.0 WHEN 2 THEN 't' || i WHEN 3 THEN "
	"CAST(x'00ff00' AS BLOB) END, NULL FROM n;"
	"CREATE TABLE _long (text TEXT, number INTEGER);"
	COUNT(40)
	"INSERT INTO _long SELECT replace(hex(zeroblob(i * i * 40)), '00', char(64 + i)), i FROM n;"
	"CREATE TABLE _keyed (a INTEGER NOT NULL, b TEXT NOT NULL, c INTEGER, d TEXT, "
	"PRIMARY KEY (a, b)) WITHOUT ROWID;"
	COUNT(2000)
	"INSERT INTO _keyed SELECT i * 37 % 50, 'key' || (i * 7 % 2000), i, iif(i % 100, 'd', "
	"hex(zeroblob(3000))) FROM n;"
	"CREATE TABLE _empty (a INTEGER);"
	"CREATE TABLE _grown (a INTEGER, b TEXT);"
	"INSERT INTO _grown VALUES (1, 'one'), (2, 'two');"
	"ALTER TABLE _grown ADD COLUMN c INTEGER NOT NULL DEFAULT 5;"
	"ALTER TABLE _grown ADD COLUMN d TEXT;"
	"ALTER TABLE _grown ADD COLUMN e TEXT NOT NULL DEFAULT 'text';"
	"INSERT INTO _grown VALUES (3, 'three', 6, 'd', 'e');"
	"CREATE TABLE _made (a INTEGER, twice INTEGER AS (a * 2) VIRTUAL, b INTEGER);"
	"INSERT INTO _made (a, b) VALUES (1, 2), (3, 4);"
	/* What a program with less memory for a table would see. */
	"DELETE FROM _mixed WHERE id % 11 = 0;";
/* clang-format on */

static sqlite3 *writer;

/* A database with these settings; @writer stays open. */
static char *make(const char *settings)
{
	char *path = xasprintf("%s/a.db", test_dir());
	auto_free char *head =
		xasprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", settings,
			  SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
	char *message = NULL;

	unlink(path);
	CHECK_EQ(sqlite3_open(path, &writer), SQLITE_OK);
	sqlite3_exec(writer, head, NULL, NULL, &message);
	CHECK_STR(message ? message : "", "");
	sqlite3_exec(writer, schema_tables, NULL, NULL, NULL);
	sqlite3_exec(writer, schema_views, NULL, NULL, NULL);
	sqlite3_exec(writer, fill, NULL, NULL, &message);
	CHECK_STR(message ? message : "", "");
	return path;
}

struct printer {
	FILE *out;
	size_t nr;
};

static struct err *print(void *arg, const struct cell *row)
{
	struct printer *p = arg;

	for (size_t i = 0; i < p->nr; i++)
		fprintf(p->out, "%d %" PRId64 " %.17g %zu '%s' ", row[i].type, row[i].i,
			row[i].real, row[i].len, row[i].text);
	putc('\n', p->out);
	return NULL;
}

static struct err *print_even(void *arg, const struct cell *row)
{
	return row[0].i % 2 ? NULL : print(arg, row);
}

/* What rows_each() gives, and what a query does. */
static void compare(struct query_db *db, const char *table, const char *columns, size_t nr,
		    const char *order)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql = xasprintf("SELECT %s FROM %s%s%s", columns, table,
					order ? " ORDER BY " : "", order ? order : "");
	char *text[2];
	size_t len[2];
	struct printer p = { open_memstream(&text[0], &len[0]), nr };
	const struct cell *row;

	CHECK_OK(rows_each(db, &(struct rows_query){ table, columns, order, print, &p, NULL }));
	fclose(p.out);
	p.out = open_memstream(&text[1], &len[1]);
	CHECK_OK(query_prepare(db, sql, NULL, &query));
	for (;;) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		CHECK_OK(print(&p, row));
	}
	fclose(p.out);
	CHECK_STR(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}

static void compare_all(struct query_db *db)
{
	compare(db, "_mixed", "id, small, wide, real, text, any, none", 7, "id");
	compare(db, "_mixed", "any, NULL, id, NULL, real", 5, "id");
	compare(db, "_mixed", "small", 1, NULL);
	compare(db, "_long", "number, text", 2, NULL);
	compare(db, "_keyed", "a, b, c, d", 4, "a, b");
	compare(db, "_keyed", "d, c", 2, "a, b");
	compare(db, "_empty", "a", 1, NULL);
	compare(db, "_grown", "a, b, c, d", 4, NULL);
	compare(db, "_grown", "e, d, a", 3, NULL);
	compare(db, "_made", "b, twice, a", 3, NULL);
	compare(db, "sqlite_schema", "name, rootpage", 2, NULL);
	compare(db, "totals", "kind, net_bytes", 2, NULL);
}

TEST(rows_are_those_of_a_query_whatever_the_pages_are_like)
{
	static const char *const settings[] = {
		"PRAGMA page_size = 4096",
		"PRAGMA page_size = 512",
		"PRAGMA page_size = 65536",
		"PRAGMA page_size = 1024; PRAGMA auto_vacuum = FULL",
		"PRAGMA encoding = 'UTF-16le'",
		"PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0",
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		auto_free char *path = make(settings[i]);
		CLEANUP(query_db_cleanup) struct query_db *db = NULL;

		CHECK_OK(query_db_open(path, &db));
		compare_all(db);
		CHECK_EQ(sqlite3_close(writer), SQLITE_OK);
	}
}

TEST(what_only_sqlite_can_read_is_left_to_it)
{
	static const struct {
		const char *settings;
		bool plain;
	} files[] = {
		{ "PRAGMA page_size = 65536", true },
		{ "PRAGMA page_size = 512; PRAGMA auto_vacuum = FULL", true },
		{ "PRAGMA encoding = 'UTF-16be'", false },
		{ "PRAGMA journal_mode = WAL", false },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		auto_free char *path = make(files[i].settings);
		CLEANUP(query_db_cleanup) struct query_db *db = NULL;
		CLEANUP(btree_cleanup) struct btree *tree = NULL;

		CHECK_OK(query_db_open(path, &db));
		CHECK_OK(btree_open(query_db_handle(db), &tree));
		CHECK_EQ(tree != NULL, files[i].plain);
		CHECK_EQ(sqlite3_close(writer), SQLITE_OK);
	}
}

TEST(a_table_that_a_view_hides_is_read_through_the_view)
{
	auto_free char *path = make("PRAGMA page_size = 4096");
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	sqlite3_close(writer);
	CHECK_OK(query_db_open(path, &db));
	sqlite3 *handle = query_db_handle(db);

	CHECK_EQ(sqlite3_exec(handle, "PRAGMA query_only = OFF", NULL, NULL, NULL),
		 SQLITE_AUTH);
	sqlite3_set_authorizer(handle, NULL, NULL);
	sqlite3_exec(
		handle,
		"PRAGMA query_only = OFF; CREATE TEMP VIEW _long AS SELECT 'x' AS text, 1 AS "
		"number UNION ALL SELECT 'y', 2",
		NULL, NULL, NULL);
	compare(db, "_long", "number, text", 2, NULL);
}

static bool is_even(const void *arg, int64_t first)
{
	(void)arg;
	return first % 2 == 0;
}

static struct err *only_even(void *arg, const struct cell *row)
{
	(void)arg;
	CHECK_EQ(row[0].i, 6);
	return NULL;
}

TEST(rows_whose_first_column_nobody_wants_are_passed_over)
{
	/* Read here, and by SQLite. */
	static const char *const settings[] = { "PRAGMA page_size = 512",
						"PRAGMA encoding = 'UTF-16le'" };
	static const char *const columns[] = { "id, text", "small, id" };

	for (size_t i = 0; i < 4; i++) {
		auto_free char *path = make(settings[i / 2]);
		CLEANUP(query_db_cleanup) struct query_db *db = NULL;
		size_t len[2];
		char *text[2];

		sqlite3_close(writer);
		CHECK_OK(query_db_open(path, &db));
		struct printer p = { open_memstream(&text[0], &len[0]), 2 };

		CHECK_OK(rows_each(db, &(struct rows_query){ "_mixed", columns[i % 2], "id",
							     print, &p, is_even }));
		fclose(p.out);
		p.out = open_memstream(&text[1], &len[1]);
		CHECK_OK(rows_each(db, &(struct rows_query){ "_mixed", columns[i % 2], "id",
							     print_even, &p, NULL }));
		fclose(p.out);
		CHECK(len[0] > 10000);
		/* Neither does one get rows that end before their first column. */
		CHECK_OK(rows_each(db, &(struct rows_query){ "_grown", "c, a", NULL, only_even,
							     NULL, is_even }));
		CHECK_STR(text[0], text[1]);
		free(text[0]);
		free(text[1]);
	}
}

static struct err *stop(void *arg, const struct cell *row)
{
	int *nr = arg;

	(void)row;
	return ++*nr == 3 ? err_new(ERR_FORMAT, "enough") : NULL;
}

TEST(an_error_of_the_function_ends_the_walk)
{
	auto_free char *path = make("PRAGMA page_size = 4096");
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	int nr = 0;

	sqlite3_close(writer);
	CHECK_OK(query_db_open(path, &db));
	CHECK_ERR(rows_each(db, &(struct rows_query){ "_mixed", "id", "id", stop, &nr, NULL }),
		  "enough");
	CHECK_EQ(nr, 3);
	CHECK_ERR(rows_each(db, &(struct rows_query){ "_mixed", "id, other", "id", stop, &nr,
						      NULL }),
		  "no such column");
	CHECK_ERR(rows_each(db, &(struct rows_query){ "_other", "id", "id", stop, &nr, NULL }),
		  "no such table");
}

/* A root page of a table. */
static int64_t root_of(struct query_db *db, const char *table)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql =
		xasprintf("SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
	const struct cell *row;

	CHECK_OK(query_prepare(db, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	CHECK(row);
	return row[0].i;
}

TEST(pages_that_lead_in_a_circle_are_an_error)
{
	enum { PAGE = 1024, RIGHTMOST = 8 };
	auto_free char *path = make("PRAGMA page_size = 1024");
	struct query_db *db;
	int nr = -1000000;

	sqlite3_close(writer);
	CHECK_OK(query_db_open(path, &db));
	int64_t root = root_of(db, "_mixed");

	query_db_close(db);
	auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char number[] = { 0, 0, (unsigned char)(root >> 8), (unsigned char)root };

	CHECK(pwrite(fd, number, sizeof(number), (root - 1) * PAGE + RIGHTMOST) == 4);
	CHECK_OK(query_db_open(path, &db));
	CHECK_ERR(rows_each(db, &(struct rows_query){ "_mixed", "id", "id", stop, &nr, NULL }),
		  "database page");
	query_db_close(db);
}

static struct err *count(void *arg, const struct cell *row)
{
	size_t *sum = arg;

	for (int i = 0; i < 4; i++)
		*sum += row[i].len + strlen(row[i].text) + (size_t)row[i].i;
	return NULL;
}

/* Bytes of the pages behind the schema, a few of them at a time. */
TEST(damage_is_an_error_or_other_rows)
{
	auto_free char *path = make("PRAGMA page_size = 512");
	auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	uint64_t seed = 1;
	struct stat st;
	int errors = 0;
	size_t sum = 0;

	sqlite3_close(writer);
	CHECK(!fstat(fd, &st));
	for (int i = 0; i < 300; i++) {
		unsigned char old[8], byte[8];
		off_t at[8];
		CLEANUP(query_db_cleanup) struct query_db *db = NULL;

		for (int j = 0; j < 8; j++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			/* Heads of pages matter most. */
			off_t page = (off_t)((seed >> 33) % (uint64_t)(st.st_size / 512));

			at[j] = page * 512 + (off_t)((seed >> 20) % (j % 2 ? 12 : 512));
			byte[j] = (unsigned char)(seed >> 56);
			if (at[j] < 100)
				at[j] = 512;
			CHECK(pread(fd, &old[j], 1, at[j]) == 1);
			CHECK(pwrite(fd, &byte[j], 1, at[j]) == 1);
		}
		struct err *err = query_db_open(path, &db);
		static const char *const asked[][3] = {
			{ "_mixed", "id, text, real, any", "id" },
			{ "_keyed", "a, b, c, d", "a, b" },
			{ "_long", "text, number, NULL, NULL", NULL },
		};

		for (int j = 0; !err && j < 3; j++)
			err = rows_each(db,
					&(struct rows_query){ asked[j][0], asked[j][1],
							      asked[j][2], count, &sum, NULL });
		errors += err != NULL;
		err_free(err);
		for (int j = 8; j-- > 0;)
			CHECK(pwrite(fd, &old[j], 1, at[j]) == 1);
	}
	CHECK(errors > 20);
	CHECK(errors < 300);
}

TEST(numbers_of_one_to_nine_bytes_are_read_and_no_more)
{
	static const unsigned char bytes[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
					       0xff, 0xff, 0xff, 0xff };
	static const unsigned char two[] = { 0x81, 0x00 };
	uint64_t v = 0;

	CHECK(btree_varint(bytes, bytes + 9, &v) == bytes + 9);
	CHECK_EQ(v, -1);
	CHECK(!btree_varint(bytes, bytes + 8, &v));
	CHECK(!btree_varint(bytes, bytes, &v));
	CHECK(btree_varint(two, two + 2, &v) == two + 2);
	CHECK_EQ(v, 128);
}
