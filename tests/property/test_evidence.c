// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/property/test_evidence.c - sums of growth and lifetimes, and what was live at a
 * time, are what SQL makes of the views
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/library.h"
#include "store/schema.h"
#include "store/sites.h"
#include "tests/lib/test.h"

/* Three recordings; call sites in one, in several and in none of buckets and of lives. */
static const char fill[] =
	"INSERT INTO _recording (id, start_ns, end_ns, bucket_start_ns, bucket_ns, buckets) "
	"VALUES (1, 0, 1000000, 0, 10000, 100), (2, 0, 1000000, 0, 10000, 1), "
	"(5, 0, 3000000, 0, 10000, 90);"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
	"INSERT INTO _callsite SELECT i * 3, 'slab', 'a.c', i, 'f' || i, NULL, NULL, NULL FROM n;"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
	"INSERT INTO _raw_site (id, callsite, address, resolved_by, attributed_by, allocs, "
	"alloc_bytes, bytes_req, failures, missing_stacks, frees, free_bytes, reuse_frees, "
	"reuse_bytes, slab_page_frees, slab_page_bytes, overlap_frees, overlap_bytes, area_frees, "
	"area_bytes, rcu_frees, rcu_bytes, rcu_pending_calls, rcu_pending_bytes, unknown_frees, "
	"unknown_free_bytes, preexisting_frees, preexisting_bytes, net_calls, net_bytes, "
	"uncertain_calls, uncertain_bytes, lower_calls, lower_bytes, upper_calls, upper_bytes, "
	"peak_bytes, self, recording, lived, lived_sum_ns, lived_max_ns, aged, age_sum_ns, "
	"age_max_ns) "
	"SELECT i, (i * 7 % 60 + 1) * 3, i, 'dwarf', 'chain', i, i, i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
	"0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i, i * 13, 0, 0, 0, 0, 0, 0, 0, i % 10 = 0, CASE i % 6 WHEN 0 "
	"THEN 2 WHEN 1 THEN 5 ELSE 1 END, iif(i % 5, i % 3, NULL), i * 1e5, i * 9, iif(i % 4, i % 2, "
	"NULL), i * 1e4, i * 7 FROM n;"
	"INSERT INTO _bucket SELECT r.callsite, r.self, r.recording, b.bucket, "
	"(r.id * 40503 + b.bucket * 997) % 65521 - 20000, r.id % 9, 1, 1, "
	"(r.id * 31 + b.bucket * 7) % 90 - 20, (r.id + b.bucket) % 3 - 1 "
	"FROM (SELECT callsite, self, recording, min(id) AS id FROM _raw_site WHERE id % 7 "
	"GROUP BY 1, 2, 3) r CROSS JOIN (SELECT 0 AS bucket UNION SELECT 17 UNION SELECT 60 "
	"UNION SELECT 89) b;"
	"INSERT INTO _life SELECT r.callsite, r.self, r.recording, b.bin, r.id % 4 * b.bin, r.id % 3 "
	"FROM (SELECT callsite, self, recording, min(id) AS id FROM _raw_site WHERE id % 8 "
	"GROUP BY 1, 2, 3) r CROSS JOIN (SELECT 3 AS bin UNION SELECT 40 UNION SELECT 100) b;";

/* What SQL says of all call sites, and of numbers that none has. */
static const char slow[] =
	"WITH grown AS (SELECT call_site, sum(bytes_per_s) AS bytes_per_s, "
	"sum(late_bytes_per_s) AS late_per_s, min(monotonicity) AS monotonicity, "
	"sum(rises) AS rises, sum(falls) AS falls FROM growth GROUP BY call_site), "
	"lived AS (SELECT call_site, sum(ended) AS ended, max(p999_s) AS p999_s, sum(live) AS aged, "
	"sum(live_over_p999) AS old, max(age_max_s) AS age_max_s FROM lifetimes GROUP BY call_site) "
	"SELECT a.id, bytes_per_s, late_per_s, monotonicity, rises, falls, ended, p999_s, aged, old, "
	"age_max_s FROM asked a LEFT JOIN grown g ON g.call_site = a.id "
	"LEFT JOIN lived l ON l.call_site = a.id";
static const char fast[] =
	"SELECT a.id, bytes_per_s, late_per_s, monotonicity, rises, falls, ended, p999_s, aged, old, "
	"age_max_s FROM asked a CROSS JOIN _evidence(a.id)";

static void make(const char *path)
{
	sqlite3 *raw;
	char *message = NULL;
	auto_free char *head = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
					 SCHEMA_APPLICATION_ID, SCHEMA_VERSION);

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, schema_tables, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, schema_views, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, head, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_exec(raw, fill, NULL, NULL, &message);
	CHECK_STR(message ? message : "", "");
	sqlite3_close(raw);
}

static int64_t value(struct query_db *db, const char *sql)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	CHECK_OK(query_prepare(db, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	CHECK(row);
	return row ? row->i : -1;
}

TEST(evidence_is_what_sql_makes_of_growth_and_lifetimes_in_any_order)
{
	static const char *const orders[] = { "id", "id DESC", "id * 40503 % 65521" };
	auto_free char *path = xasprintf("%s/a.db", test_dir());
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	make(path);
	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		auto_free char *asked = xasprintf(
			"WITH asked AS MATERIALIZED (SELECT id FROM (SELECT id FROM call_sites "
			"UNION ALL SELECT -7 UNION ALL SELECT 9 UNION ALL SELECT 1 << 40) "
			"ORDER BY %s) ",
			orders[i]);
		auto_free char *more =
			xasprintf("%sSELECT count(*) FROM (SELECT * FROM (%s) EXCEPT "
				  "SELECT * FROM (%s))",
				  asked, fast, slow);
		auto_free char *less =
			xasprintf("%sSELECT count(*) FROM (SELECT * FROM (%s) EXCEPT "
				  "SELECT * FROM (%s))",
				  asked, slow, fast);
		auto_free char *rows =
			xasprintf("%sSELECT count(*) - (SELECT count(*) FROM asked) FROM (%s)",
				  asked, fast);
		auto_free char *known =
			xasprintf("%sSELECT count(rises) > 20 AND count(old) > 20 AND "
				  "count(rises) < count(*) AND count(p999_s) < count(ended) "
				  "FROM (%s)",
				  asked, fast);

		CHECK_EQ(value(db, more), 0);
		CHECK_EQ(value(db, less), 0);
		CHECK_EQ(value(db, rows), 0);
		CHECK_EQ(value(db, known), 1);
	}
}

TEST(a_sum_that_is_no_integer_is_an_error_as_it_is_to_sql)
{
	auto_free char *path = xasprintf("%s/a.db", test_dir());
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	sqlite3 *raw;

	make(path);
	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(
			 raw,
			 "UPDATE _raw_site SET lived = 1 << 61, recording = id % 5 "
			 "WHERE callsite = 6; INSERT INTO _recording (id, start_ns, end_ns) "
			 "VALUES (3, 0, 9), (4, 0, 9), (0, 0, 9)",
			 NULL, NULL, NULL),
		 SQLITE_OK);
	sqlite3_close(raw);
	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(query_prepare(db, "SELECT max(ended) FROM call_sites, _evidence(id)", NULL,
			       &query));
	struct err *err = query_next(query, &row);

	CHECK(err && strstr(err_text(err), "integer overflow"));
	err_free(err);
}

/* The level of the last bucket that begins by a time, as view site_buckets has it. */
static const char live_then[] =
	"SELECT b.net_bytes, b.net_calls, b.call_site, b.recording FROM site_buckets b "
	"JOIN call_sites c ON c.id = b.call_site "
	"WHERE c.self <= 1 AND (b.net_bytes > 0 OR b.net_calls > 0) AND b.bucket = ("
	"SELECT max(o.bucket) FROM site_buckets o WHERE o.call_site = b.call_site AND "
	"o.recording = b.recording AND o.start_s <= %s)"
	"ORDER BY b.net_bytes DESC, b.call_site, b.recording";

static char *rows(struct query *query, const char *const column[4])
{
	const struct cell *row;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (;;) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		for (int i = 0; i < 4; i++)
			fprintf(out, "%" PRId64 "%c",
				row[query_find_column(query, column[i])].i, i < 3 ? ' ' : '\n');
	}
	fclose(out);
	return text;
}

TEST(what_was_live_at_a_time_is_what_the_last_bucket_by_then_says)
{
	static const char *const column[] = { "net_bytes", "net_calls", "call_site",
					      "recording" };
	/* Before all, in the first bucket, at its end, amid, in the last one and past it. */
	static const char *const times[] = { "0",	"0.000005", "0.00001", "0.000177",
					     "0.00061", "0.0009",   "7" };
	auto_free char *path = xasprintf("%s/a.db", test_dir());
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	make(path);
	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		CLEANUP(query_cleanup) struct query *quick = NULL;
		CLEANUP(query_cleanup) struct query *plain = NULL;
		auto_free char *at = xasprintf("at=%s", times[i]);
		auto_free char *sql = xasprintf(live_then, times[i]);
		char self[] = "self=1";
		char *const values[] = { at, self, NULL };

		CHECK_OK(library_prepare_part(db, library_find("at"),
					      "net_bytes, net_calls, call_site, recording",
					      i % 2, values, &quick));
		CHECK_OK(query_prepare(db, sql, NULL, &plain));
		auto_free char *said = rows(quick, column);
		auto_free char *wanted = rows(plain, column);

		CHECK_STR(said, wanted);
		CHECK(*said);
	}
}

/* All cells of all rows, with their types. */
static char *all_of(struct query_db *db, const struct sites_opts *opts)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK_OK(sites_query(db, opts, &query));
	for (size_t i = 0; i < query_nr_columns(query); i++)
		fprintf(out, "%s ", query_column(query, i));
	for (;;) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		fputc('\n', out);
		for (size_t i = 0; i < query_nr_columns(query); i++)
			fprintf(out, "%d %" PRId64 " %a %.*s,", (int)row[i].type, row[i].i,
				row[i].real, (int)row[i].len, row[i].text);
	}
	fclose(out);
	return text;
}

TEST(all_call_sites_come_as_SQLite_gives_so_many_of_them)
{
	static const char *const sorts[] = { "bytes", "file", "module,func,bytes", "last,kind",
					     "unknown,unknown,failures" };
	static const char *const columns[] = { NULL, "kind, net_bytes", "line, self, file" };
	auto_free char *path = xasprintf("%s/a.db", test_dir());
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	make(path);
	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < 30; i++) {
		struct sites_opts opts = { .kinds = i % 2 ? SITES_ALL_KINDS : "slab",
					   .sort = sorts[i / 2 % 5],
					   .columns = columns[i / 10],
					   .self = i % 3 };
		auto_free char *all = all_of(db, &opts);

		opts.limit = 1000000;
		auto_free char *first = all_of(db, &opts);

		CHECK_STR(all, first);
		CHECK(strchr(all, '\n'));
	}
}
