// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/query.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/writer.h"
#include "tests/lib/test.h"

static struct query_db *db;

/* A whole database with one call site, opened. */
static char *open_one(void)
{
	char *path = xasprintf("%s/a.db", test_dir());
	struct frame frame = {
		.func = "f", .file = "a.c", .line = 3, .addr = 0xffffffff81000000
	};
	struct callsite callsite = { .frame = &frame, .nr_frames = 1, .primary = frame };
	struct site site = { .kind = SITE_SLAB,
			     .call_site = frame.addr,
			     .allocs = 1,
			     .alloc_bytes = 64,
			     .live = 1,
			     .live_bytes = 64 };
	struct match_totals match = {};
	struct merge_stats merge = {};
	struct writer *writer;

	CHECK_OK(writer_open(path, &writer));
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	CHECK_OK(writer_quality(writer, &match, &merge, 0, false, 0));
	CHECK_OK(writer_commit(writer));
	writer_close(writer);
	CHECK_OK(query_db_open(path, &db));
	return path;
}

static void refused(const char *sql, const char *part)
{
	struct query *query = NULL;

	CHECK_ERR(query_prepare(db, sql, NULL, &query), part);
	CHECK(!query);
}

TEST(rows_come_with_types_and_names)
{
	auto_free char *path = open_one();
	struct query *query;
	const struct cell *row;

	CHECK_OK(query_prepare(db, "SELECT 7 AS seven, 0.5, 'text', NULL, x'00ff', x''", NULL,
			       &query));
	CHECK_EQ(query_nr_columns(query), 6);
	CHECK_STR(query_column(query, 0), "seven");
	CHECK_EQ(query_find_column(query, "'text'"), 2);
	CHECK_OK(query_next(query, &row));
	CHECK(row[0].type == CELL_INT && row[0].i == 7);
	CHECK(row[1].type == CELL_REAL && row[1].real == 0.5);
	CHECK(row[2].type == CELL_TEXT && row[2].len == 4);
	CHECK_STR(row[2].text, "text");
	CHECK(row[3].type == CELL_NULL);
	CHECK(row[4].type == CELL_BLOB && row[4].len == 2 && !memcmp(row[4].text, "\0\xff", 2));
	CHECK(row[5].type == CELL_BLOB && row[5].len == 0);
	CHECK_OK(query_next(query, &row));
	CHECK(!row);
	query_free(query);
	query_db_close(db);
}

TEST(several_statements_are_taken_one_by_one)
{
	auto_free char *path = open_one();
	const char *sql = "SELECT 1; -- a comment\n SELECT 2 ; ; -- the end";
	int nr = 0;

	while (*sql) {
		struct query *query;

		CHECK_OK(query_prepare(db, sql, &sql, &query));
		nr += query != NULL;
		query_free(query);
	}
	CHECK_EQ(nr, 2);
	query_db_close(db);
}

TEST(parameters_are_bound_by_name)
{
	auto_free char *path = open_one();
	struct query *query;
	const struct cell *row;

	CHECK_OK(query_prepare(db, "SELECT func FROM call_sites WHERE kind = :kind", NULL,
			       &query));
	query_bind_text(query, ":kind", "slab");
	CHECK_OK(query_next(query, &row));
	CHECK_STR(row[0].text, "f");
	query_free(query);
	query_db_close(db);
}

/* Changes the file behind the back of the program. */
static void change(const char *path, const char *sql)
{
	sqlite3 *raw;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

/* The first cell of the first row, which is a number. */
static int64_t number(const char *sql)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	CHECK_OK(query_prepare(db, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	CHECK(row && row->type == CELL_INT);
	return row->i;
}

TEST(a_database_with_other_views_is_read_with_our_own)
{
	static const char *const changes[] = {
		"DROP VIEW call_sites",
		"CREATE VIEW more AS SELECT 1",
		"DROP VIEW call_sites; CREATE VIEW call_sites AS SELECT 99 AS net_bytes",
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		auto_free char *path = open_one();

		CHECK(!query_db_is_older(db));
		query_db_close(db);
		change(path, changes[i]);
		CHECK_OK(query_db_open(path, &db));
		CHECK(query_db_is_older(db));
		CHECK_EQ(number("SELECT net_bytes FROM call_sites"), 64);
		refused("DELETE FROM _raw_site", "this statement is refused");
		refused("DROP VIEW call_sites", "refused");
		query_db_close(db);
	}
}

TEST(columns_and_tables_that_an_older_database_lacks_have_their_default)
{
	auto_free char *path = open_one();

	query_db_close(db);
	change(path, "DROP VIEW call_sites; DROP TABLE _cpu; DROP TABLE _quality;"
		     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, "
		     "'recording INTEGER NOT NULL DEFAULT 1 REFERENCES', "
		     "'other INTEGER NOT NULL DEFAULT 7 REFERENCES') "
		     "WHERE name = '_raw_site'; PRAGMA writable_schema = RESET");
	CHECK_OK(query_db_open(path, &db));
	CHECK_EQ(number("SELECT recording FROM raw_sites"), 1);
	CHECK_EQ(number("SELECT net_bytes FROM call_sites"), 64);
	CHECK_EQ(number("SELECT count(*) FROM cpus"), 0);
	CHECK_EQ(number("SELECT count(*) FROM quality"), 0);
	query_db_close(db);

	change(path, "DROP TABLE _raw_site");
	CHECK_ERR(query_db_open(path, &db), "damaged: it has no table _raw_site");
}

TEST(a_newer_database_is_refused_in_one_line)
{
	auto_free char *path = open_one();

	query_db_close(db);
	change(path, "PRAGMA user_version = 999");
	CHECK_ERR(
		query_db_open(path, &db),
		"made by a newer version of allocprof (its schema is 999, this program knows");
	change(path, "PRAGMA user_version = 0");
	CHECK_ERR(query_db_open(path, &db), "damaged");
}

TEST(nothing_but_reading_is_allowed)
{
	auto_free char *path = open_one();

	refused("INSERT INTO _note VALUES (1, 'x', 1)",
		"this statement is refused: the database is only read");
	refused("UPDATE _recording SET release = 'x'", "this statement is refused");
	refused("DELETE FROM _raw_site", "this statement is refused");
	refused("DROP VIEW call_sites", "refused");
	refused("CREATE TABLE x (y)", "refused");
	refused("CREATE TEMP TABLE x (y)", "refused");
	refused("ATTACH '/tmp/other.db' AS other", "ATTACH is refused");
	refused("PRAGMA query_only = OFF", "this PRAGMA is refused");
	refused("PRAGMA journal_mode = WAL", "this PRAGMA is refused");
	refused("PRAGMA user_version = 9", "this PRAGMA is refused");
	refused("SELECT load_extension('x')", "refused");
	refused("BEGIN IMMEDIATE", "BEGIN is refused");
	refused("VACUUM INTO '/tmp/copy.db'", "refused");
	struct query *query;

	CHECK_OK(query_prepare(db, "PRAGMA table_info(call_sites)", NULL, &query));
	query_free(query);
	CHECK_OK(query_prepare(db, "SELECT * FROM pragma_table_xinfo('call_sites')", NULL,
			       &query));
	query_free(query);
	CHECK_OK(query_prepare(db, "SELECT name FROM pragma_table_list", NULL, &query));
	query_free(query);
	CHECK_OK(query_prepare(db, "EXPLAIN QUERY PLAN SELECT * FROM totals", NULL, &query));
	query_free(query);
	CHECK_OK(query_prepare(db, "PRAGMA user_version", NULL, &query));
	query_free(query);
	query_db_close(db);
}

TEST(a_mistake_is_shown_where_it_is)
{
	auto_free char *path = open_one();

	refused("SELECT file FORM call_sites", "at character 18: call_sites");
	refused("SELECT nope FROM call_sites",
		"no such column: nope, at character 8: nope FROM");
	refused("SELECT * FROM callsites", "the views are call_sites, ");
	refused("SELECT (", "incomplete input");
	query_db_close(db);
}

TEST(the_error_of_one_statement_is_not_that_of_the_one_before)
{
	auto_free char *path = open_one();

	refused("ATTACH 'x' AS x", "refused");
	refused("SELECT nope FROM call_sites", "no such column");
	query_db_close(db);
}

TEST(other_files_are_refused)
{
	auto_free char *text = xasprintf("%s/text", test_dir());
	auto_free char *other = xasprintf("%s/other.db", test_dir());
	sqlite3 *sqlite;
	bool is_db = true;
	FILE *f = fopen(text, "w");

	fputs("some other file", f);
	fclose(f);
	CHECK_OK(query_is_db(text, &is_db));
	CHECK(!is_db);
	CHECK_ERR(query_db_open(text, &db), "text: not a database");
	CHECK_ERR(query_db_open("/nonexistent", &db), "/nonexistent: No such file");
	CHECK_ERR(query_is_db(test_dir(), &is_db), "Is a directory");

	sqlite3_open(other, &sqlite);
	sqlite3_exec(sqlite, "CREATE TABLE x (y)", NULL, NULL, NULL);
	sqlite3_close(sqlite);
	CHECK_ERR(query_db_open(other, &db), "not one of allocprof");
}

TEST(a_damaged_database_is_an_error_and_no_crash)
{
	auto_free char *path = open_one();

	query_db_close(db);
	auto_fd int fd = open(path, O_RDWR);
	uint8_t byte = 0;
	unsigned int seed = 1;

	for (int i = 0; i < 200; i++) {
		struct query *query = NULL;
		const struct cell *row = NULL;
		off_t off = 100 + rand_r(&seed) % 20000;
		uint8_t bad = (uint8_t)rand_r(&seed);

		CHECK_EQ(pread(fd, &byte, 1, off), 1);
		CHECK_EQ(pwrite(fd, &bad, 1, off), 1);
		db = NULL;
		struct err *err = query_db_open(path, &db);

		if (!err)
			err = query_prepare(db, "SELECT * FROM call_sites, frames, quality",
					    NULL, &query);
		for (int n = 0; !err && n < 50; n++) {
			err = query_next(query, &row);
			if (!row)
				break;
		}
		err_free(err);
		query_free(query);
		query_db_close(db);
		CHECK_EQ(pwrite(fd, &byte, 1, off), 1);
	}
}
