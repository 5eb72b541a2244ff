// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/property/test_groups.c - sums by group are those that SQL alone makes
 *
 * The queries below say what groups.sql and who.sql mean, in SQL; they take 7 us a row.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/library.h"
#include "store/reconciled.h"
#include "store/schema.h"
#include "tests/lib/test.h"

/* What all rows of a group have in common, else NULL. */
#define SAME(column)                                                                          \
	"iif(count(" column ") = count(*) AND min(" column ") = max(" column "), min(" column \
	"), NULL) AS " column

static const char slow_who[] =
	"SELECT "
	"kind, name, " SAME("file") ", " SAME("line") ", " SAME("func") ", " SAME("module") ", " SAME("cache") ", " SAME(
		"subsystem") ", "
			     "count(DISTINCT call_site) AS call_sites, count(DISTINCT raw_site) AS raw_sites, "
			     "sum(net_bytes) AS net_bytes, sum(net_calls) AS net_calls, "
			     "sum(alloc_bytes) AS alloc_bytes, sum(allocs) AS allocs, sum(frees) AS frees, "
			     "sum(bytes_req) AS bytes_req, "
			     "iif(kind = 'slab', sum(alloc_bytes) - sum(bytes_req), 0) AS waste_bytes, "
			     "NULL AS net_se_bytes, NULL AS peak_bytes, sum(failures) AS failures, "
			     "sum(inferred_frees) AS inferred_frees, sum(inferred_bytes) AS inferred_bytes, "
			     "NULL AS unknown_frees, "
			     "sum(uncertain_calls) AS uncertain_calls, sum(uncertain_bytes) AS uncertain_bytes, "
			     "NULL AS preexisting_frees, NULL AS preexisting_freed_bytes, "
			     "NULL AS first_ns, NULL AS last_ns, "
			     "iif(min(recording) = max(recording), min(recording), NULL) AS recording, " SAME(
				     "host") ", "
					     "iif(min(call_site) = max(call_site), min(call_site), NULL) AS call_site, max(self) AS self "
					     "FROM ( "
					     "SELECT "
					     "a.*, "
					     "CASE :by "
					     "WHEN 'site' THEN CAST(a.call_site AS TEXT) "
					     "WHEN 'kind' THEN a.kind "
					     "WHEN 'function' THEN a.func || coalesce(' [' || a.module || ']', '') "
					     "WHEN 'file' THEN a.file "
					     "WHEN 'directory' THEN a.subsystem "
					     "WHEN 'module' THEN coalesce(a.module, 'vmlinux') "
					     "WHEN 'cache' THEN a.cache "
					     "WHEN 'recording' THEN CAST(a.recording AS TEXT) "
					     "WHEN 'host' THEN a.host "
					     "WHEN 'pid' THEN a.pid || coalesce(' ' || a.comm, '') "
					     "WHEN 'tgid' THEN CAST(a.tgid AS TEXT) || coalesce(' ' || (SELECT p.comm FROM tasks p "
					     "WHERE p.recording = a.recording AND p.pid = a.tgid), '') "
					     "WHEN 'comm' THEN a.comm "
					     "WHEN 'cgroup' THEN a.cgroup "
					     "WHEN 'cpu' THEN CAST(a.cpu AS TEXT) "
					     "WHEN 'node' THEN CAST(a.node AS TEXT) "
					     "WHEN 'context' THEN a.context "
					     "WHEN 'gfp' THEN a.gfp "
					     "WHEN 'order' THEN CAST(a.page_order AS TEXT) "
					     "WHEN 'migratetype' THEN a.migratetype "
					     "WHEN 'blocks' THEN a.page_order || coalesce(' ' || a.migratetype, '') "
					     "END AS name "
					     "FROM accounts a "
					     "WHERE instr(',' || :kinds || ',', ',' || a.kind || ',') AND a.self <= :self "
					     "AND (:pid = '' OR a.pid = CAST(:pid AS INTEGER)) "
					     "AND (:tgid = '' OR a.tgid = CAST(:tgid AS INTEGER)) "
					     "AND (:comm = '' OR a.comm = :comm OR a.comm GLOB :comm) "
					     "AND (:cgroup = '' OR a.cgroup = :cgroup OR a.cgroup GLOB :cgroup "
					     "OR substr(a.cgroup, 1, length(:cgroup) + 1) = :cgroup || '/') "
					     "AND (:cpu = '' OR a.cpu = CAST(:cpu AS INTEGER)) "
					     "AND (:node = '' OR a.node = CAST(:node AS INTEGER)) "
					     "AND (:context = '' OR a.context = :context) "
					     "AND (:gfp = '' OR a.gfp = :gfp OR instr('|' || a.gfp || '|', '|' || :gfp || '|')) "
					     "AND (:order = '' OR a.page_order = CAST(:order AS INTEGER)) "
					     "AND (:migratetype = '' OR a.migratetype = :migratetype) "
					     "AND (:cache = '' OR a.cache = :cache OR a.cache GLOB :cache) "
					     "AND (:file = '' OR a.file = :file OR a.file GLOB :file "
					     "OR substr(a.file, 1, length(:file) + 1) = :file || '/') "
					     "AND (:func = '' OR a.func = :func OR a.func GLOB :func) "
					     "AND (:module = '' OR coalesce(a.module, 'vmlinux') = :module) "
					     "AND (:recording = '' OR a.recording = CAST(:recording AS INTEGER)) "
					     "AND (:host = '' OR a.host = :host) "
					     ") "
					     "GROUP BY kind, name ";

static const char slow_groups[] =
	"SELECT "
	"kind, name, " SAME("file") ", " SAME("line") ", " SAME("func") ", " SAME("module") ", " SAME("cache") ", " SAME(
		"subsystem") ", "
			     "count(DISTINCT call_site) AS call_sites, count(*) AS raw_sites, "
			     "sum(net_bytes) AS net_bytes, sum(net_calls) AS net_calls, "
			     "sum(alloc_bytes) AS alloc_bytes, sum(allocs) AS allocs, sum(frees) AS frees, "
			     "sum(bytes_req) AS bytes_req, "
			     "iif(kind = 'slab', sum(alloc_bytes) - sum(bytes_req), 0) AS waste_bytes, "
			     "sum(net_se_bytes) AS net_se_bytes, sum(peak_bytes) AS peak_bytes, sum(failures) AS failures, "
			     "sum(reuse_frees + slab_page_frees + overlap_frees + area_frees + rcu_frees) AS inferred_frees, "
			     "sum(reuse_bytes + slab_page_bytes + overlap_bytes + area_bytes + rcu_bytes) AS inferred_bytes, "
			     "sum(unknown_frees) AS unknown_frees, "
			     "sum(uncertain_calls) AS uncertain_calls, sum(uncertain_bytes) AS uncertain_bytes, "
			     "sum(preexisting_frees) AS preexisting_frees, "
			     "sum(preexisting_freed_bytes) AS preexisting_freed_bytes, "
			     "iif(min(recording) = max(recording), min(first_ns), NULL) AS first_ns, "
			     "iif(min(recording) = max(recording), max(last_ns), NULL) AS last_ns, "
			     "iif(min(recording) = max(recording), min(recording), NULL) AS recording, " SAME(
				     "host") " "
					     "FROM ( "
					     "SELECT "
					     "r.*, "
					     "CASE :by "
					     "WHEN 'function' THEN r.func || coalesce(' [' || r.module || ']', '') "
					     "WHEN 'file' THEN r.file "
					     "WHEN 'directory' THEN r.subsystem "
					     "WHEN 'module' THEN coalesce(r.module, 'vmlinux') "
					     "WHEN 'cache' THEN r.cache "
					     "WHEN 'recording' THEN CAST(r.recording AS TEXT) "
					     "WHEN 'host' THEN r.host "
					     "WHEN 'caller' THEN "
					     "f.func || coalesce(' ' || f.file || ':' || f.line, printf('+%#x', f.sym_off), '') "
					     "END AS name "
					     "FROM raw_sites r "
					     "LEFT JOIN _raw_frame s ON :by = 'caller' AND s.raw_site = r.id "
					     "AND s.depth = r.caller_depth + :depth - 1 "
					     "LEFT JOIN _frame f ON f.id = s.frame "
					     "WHERE instr(',' || :kinds || ',', ',' || r.kind || ',') AND r.self <= :self "
					     ") "
					     "GROUP BY kind, name ";

/* Numbers, texts, few and many, all from a counter: the same each time. */
static const char fill[] =
	"INSERT INTO _recording (id, hostname, start_ns, end_ns) VALUES "
	"(1, 'one', 0, 100), (2, NULL, 0, 100), (5, 'five', 0, 100);"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
	"INSERT INTO _callsite SELECT i * 3, CASE i % 4 WHEN 0 THEN 'slab' WHEN 1 THEN 'page' "
	"WHEN 2 THEN 'percpu' ELSE 'vmalloc' END, CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN "
	"'file.c' WHEN 2 THEN '/top.c' ELSE 'fs/d' || (i % 3) || '/f' || (i % 5) || '.c' END, "
	"iif(i % 5, i, NULL), iif(i % 11, 'func_' || (i % 13), NULL), "
	"iif(i % 3, NULL, 'mod' || (i % 2)), NULL, NULL FROM n;"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	"INSERT INTO _frame SELECT i, i, iif(i % 9, 'caller_' || (i % 20), NULL), "
	"iif(i % 4, 'a/b.c', NULL), i % 6, NULL, i, 99, 0 FROM n;"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
	"INSERT INTO _raw_site (id, callsite, address, cache, resolved_by, attributed_by, allocs, "
	"alloc_bytes, bytes_req, failures, missing_stacks, frees, free_bytes, reuse_frees, "
	"reuse_bytes, slab_page_frees, slab_page_bytes, overlap_frees, overlap_bytes, area_frees, "
	"area_bytes, rcu_frees, rcu_bytes, rcu_pending_calls, rcu_pending_bytes, unknown_frees, "
	"unknown_free_bytes, preexisting_frees, preexisting_bytes, net_calls, net_bytes, "
	"uncertain_calls, uncertain_bytes, lower_calls, lower_bytes, upper_calls, upper_bytes, "
	"peak_bytes, first_ns, last_ns, caller_depth, self, recording, net_bytes_var) "
	"SELECT i * 2 + i / 50, (i * 7 % 60 + 1) * 3, i, "
	"CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'dentry' ELSE 'kmalloc-' || (i % 3) END, 'dwarf', "
	"'chain', i * 3, i * 100, i * 90, i % 4, 0, i, i * 50, i % 2, i % 3, i % 5, i, 1, 2, 3, 4, "
	"5, 6, 7, 8, i % 6, i, i % 7, i, i * 11, i * 13 - 500, i % 3, i, 0, 0, 0, 0, i * 20, "
	"iif(i % 8, i * 10, NULL), i * 12, i % 3, i % 10 = 0, CASE i % 6 WHEN 0 THEN 2 WHEN 1 "
	"THEN 5 ELSE 1 END, i * i FROM n;"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
	"INSERT INTO _raw_frame SELECT r.id, n.i - 1, r.id * 5 % 200 + n.i FROM _raw_site r "
	"JOIN n ON n.i <= r.id % 5;"
	"INSERT INTO _task SELECT i, i / 3 * 3, iif(i % 4, 'task ' || (i % 6), NULL), "
	"CASE i % 3 WHEN 0 THEN '/' WHEN 1 THEN '/user.slice/u' || (i % 2) END, 1 + i % 2 FROM "
	"(WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i FROM n);"
	"INSERT INTO _cpu_node VALUES (0, 0, 1), (1, 1, 1), (0, 1, 2);"
	"INSERT INTO _gfp VALUES (1, 1, 'GFP_KERNEL', 1), (2, 2, 'GFP_KERNEL|__GFP_ZERO', 1), "
	"(4, 4, 'GFP_ATOMIC', 2);"
	"INSERT INTO _migratetype VALUES (0, 'Unmovable', 1), (1, 'Movable', 1), (0, 'Unmovable', 2), "
	"(1, 'Movable', 2), (0, 'Unmovable', 5), (1, 'Movable', 5);"
	"INSERT INTO _cache VALUES (1, 'dentry', 1), (2, 'inode_cache', 1);"
	"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
	"INSERT INTO _account SELECT (SELECT id FROM _raw_site WHERE rowid >= h % 600 + 1 LIMIT 1), "
	"iif(i % 9, h / 3 % 23, NULL), iif(i % 8, h / 5 % 4, NULL), CASE h / 7 % 6 WHEN 0 THEN NULL "
	"WHEN 1 THEN 8 WHEN 2 THEN 16 WHEN 3 THEN 80 ELSE 0 END, iif(i % 7, h / 11 % 5, NULL), "
	"iif(i % 3, h / 13 % 4, NULL), iif(i % 3, h / 17 % 2, NULL), iif(i % 2, h / 19 % 4, NULL), "
	"i * 3, i * 64, i * 60, i % 5 = 0, i, i * 20, i % 2, i % 7, i % 11, i % 13, i % 3 "
	"FROM (SELECT i, i * 40503 % 65521 AS h FROM n);";

enum { MAX_WORDS = 8 };

static char *made(void)
{
	char *path = xasprintf("%s/a.db", test_dir());
	sqlite3 *raw;
	char *message = NULL;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, schema_tables, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, schema_views, NULL, NULL, NULL), SQLITE_OK);
	auto_free char *head = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
					 SCHEMA_APPLICATION_ID, SCHEMA_VERSION);

	CHECK_EQ(sqlite3_exec(raw, head, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_exec(raw, fill, NULL, NULL, &message);
	CHECK_STR(message ? message : "", "");
	sqlite3_close(raw);
	return path;
}

/* The rows of a query, a line each, in an order of their own. */
static char *rows(struct query_db *db, const char *name, const char *sql, const char *words)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *list = xstrdup(words);
	char *values[MAX_WORDS + 1] = {}, *save;
	size_t nr = 0;
	auto_free char *sorted = xasprintf("SELECT * FROM (%s) ORDER BY kind, name", sql);
	struct schema_query from = *library_find(name);
	const struct cell *row;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	/* Its parameters are those that the head of the file names. */
	auto_free char *whole =
		xasprintf("%.*s%s", (int)(strstr(from.text, "SELECT") - from.text), from.text,
			  sorted);

	from.text = whole;
	for (char *word = strtok_r(list, ";", &save); word && nr < MAX_WORDS;
	     word = strtok_r(NULL, ";", &save))
		values[nr++] = word;
	CHECK_OK(library_prepare(db, &from, values, &query));
	for (;;) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		for (size_t i = 0; i < query_nr_columns(query); i++) {
			fprintf(out, "%s%s=", i ? " " : "", query_column(query, i));
			switch (row[i].type) {
			case CELL_NULL:
				fputs("NULL", out);
				break;
			case CELL_INT:
				fprintf(out, "%" PRId64, row[i].i);
				break;
			case CELL_REAL:
				fprintf(out, "%g", row[i].real);
				break;
			case CELL_TEXT:
			case CELL_BLOB:
				fprintf(out, "'%s'", row[i].text);
				break;
			}
		}
		putc('\n', out);
	}
	fclose(out);
	return text;
}

static int compare(struct query_db *db, const char *name, const char *slow, const char *words)
{
	auto_free char *fast_rows =
		rows(db, name, strstr(library_find(name)->text, "SELECT"), words);
	auto_free char *slow_rows = rows(db, name, slow, words);

	CHECK_STR(fast_rows, slow_rows);
	return *fast_rows != '\0';
}

TEST(groups_of_raw_sites_are_what_sql_makes_of_them)
{
	static const char *const by[] = { "by=function", "by=file",  "by=directory",
					  "by=module",	 "by=cache", "by=recording",
					  "by=host",	 "by=caller" };
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		CHECK(compare(db, "groups", slow_groups, by[i]));
		auto_free char *more = xasprintf("%s;self=1;kinds=page,slab;depth=2", by[i]);

		CHECK(compare(db, "groups", slow_groups, more));
	}
}

TEST(groups_of_accounts_are_what_sql_makes_of_them)
{
	static const char *const by[] = {
		"by=site",    "by=kind",  "by=function",  "by=file",	    "by=directory",
		"by=module",  "by=cache", "by=recording", "by=host",	    "by=pid",
		"by=tgid",    "by=comm",  "by=cgroup",	  "by=cpu",	    "by=node",
		"by=context", "by=gfp",	  "by=order",	  "by=migratetype", "by=blocks",
	};
	static const char *const conditions[] = {
		"pid=5",	  "tgid=6",
		"comm=task 2",	  "comm=task*",
		"cgroup=/",	  "cgroup=/user.slice",
		"cgroup=*slice*", "cpu=1",
		"node=1",	  "context=softirq",
		"gfp=__GFP_ZERO", "gfp=GFP_KERNEL",
		"order=2",	  "migratetype=Movable",
		"cache=dentry",	  "cache=kmalloc-[12]",
		"file=fs",	  "file=fs/d1",
		"file=*.c",	  "func=func_3",
		"func=*1*",	  "module=vmlinux",
		"module=mod1",	  "recording=5",
		"recording=7",	  "host=one",
		"host=nobody",	  "kinds=percpu",
		"self=1",
	};
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	int found = 0;

	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		CHECK(compare(db, "who", slow_who, by[i]));
		for (size_t j = 0; j < sizeof(conditions) / sizeof(*conditions); j++) {
			auto_free char *words = xasprintf("%s;%s", by[i], conditions[j]);

			found += compare(db, "who", slow_who, words);
		}
	}
	/* Nobody is called so, and there is no such recording. */
	CHECK_EQ(found,
		 sizeof(by) / sizeof(*by) * (sizeof(conditions) / sizeof(*conditions) - 2));
}

TEST(sums_by_kind_of_the_last_conditions_are_not_those_of_others)
{
	static const char *const asked[] = {
		"by=comm;cpu=1",   "by=kind;cpu=1",
		"by=kind;cpu=2",   "by=kind;cpu=1;kinds=slab",
		"by=kind;cpu=1",   "by=kind;cpu=1;self=1",
		"by=comm;file=fs", "by=kind;cpu=1",
		"by=kind;file=fs",
	};
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		CHECK(compare(db, "who", slow_who, asked[i]));
}

TEST(a_sum_that_does_not_fit_is_an_error)
{
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	sqlite3 *raw;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, "UPDATE _account SET allocs = 0x7fffffffffffffff", NULL,
			      NULL, NULL),
		 SQLITE_OK);
	sqlite3_close(raw);
	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(library_prepare(db, library_find("who"), (char *[]){ NULL }, &query));
	CHECK_ERR(query_next(query, &row), "too large");
}

static void print_cell(FILE *out, struct cell cell)
{
	fprintf(out, "%d %" PRId64 " %a %.*s|", (int)cell.type, cell.i, cell.real,
		(int)cell.len, cell.text);
}

/* Names, types and values; *ret is freed by who asks. */
static size_t print_query(struct query *query, char **ret)
{
	const struct cell *row;
	size_t len, nr = 0;
	FILE *out = open_memstream(ret, &len);

	for (size_t i = 0; i < query_nr_columns(query); i++)
		fprintf(out, "%s|", query_column(query, i));
	for (;; nr++) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		for (size_t i = 0; i < query_nr_columns(query); i++)
			print_cell(out, row[i]);
		putc('\n', out);
	}
	fclose(out);
	return nr;
}

/* Names, types and values, by the program and by SQLite alone. */
static void compare_with_file(struct query_db *db, sqlite3 *raw, const char *sql)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	char *text[2];
	size_t len[2], nr = 0;
	FILE *out[] = { open_memstream(&text[0], &len[0]), open_memstream(&text[1], &len[1]) };
	sqlite3_stmt *stmt;

	CHECK_OK(query_prepare(db, sql, NULL, &query));
	for (size_t i = 0; i < query_nr_columns(query); i++)
		fprintf(out[0], "%s|", query_column(query, i));
	for (;; nr++) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		for (size_t i = 0; i < query_nr_columns(query); i++)
			print_cell(out[0], row[i]);
	}
	CHECK_EQ(sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
	for (int i = 0; i < sqlite3_column_count(stmt); i++)
		fprintf(out[1], "%s|", sqlite3_column_name(stmt, i));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			print_cell(out[1], query_cell(sqlite3_column_value(stmt, i)));
	sqlite3_finalize(stmt);
	fclose(out[0]);
	fclose(out[1]);
	CHECK_STR(text[0], text[1]);
	CHECK(nr);
	free(text[0]);
	free(text[1]);
}

/* Snapshots of two recordings, and of one that has only its start; lines that come twice. */
static const char snapshots[] =
	"INSERT INTO _snapshot (name, at, text, recording) SELECT n.column1, a.column1, '', r.id "
	"FROM (VALUES ('meminfo'), ('vmstat'), ('slabinfo'), ('vmallocinfo'), ('allocinfo')) n, "
	"(VALUES ('start'), ('end')) a, _recording r WHERE r.id < 5 OR a.column1 = 'start';"
	"INSERT INTO _snapshot_value (name, at, key, unit, value, recording) "
	"SELECT 'allocinfo', a.column1, coalesce(file, '[unknown]') || ':' || coalesce(line, 0) || "
	"' ' || coalesce('[' || module || '] ', '') || 'func:' || coalesce(func, '[unknown]'), "
	"u.column1, c.id % 5 * iif(a.column1 = 'start', 3, c.id % 3 * 5), r.id FROM _callsite c, "
	"(VALUES ('start'), ('end')) a, (VALUES ('bytes'), ('calls'), ('inaccurate_bytes')) u, "
	"_recording r WHERE c.id % 2;"
	"INSERT INTO _snapshot_value (name, at, key, unit, value, recording) "
	"SELECT n.column1, a.column1, n.column2, n.column3, "
	"length(n.column2) * iif(a.column1 = 'start', 3, r.id + 7), r.id FROM (VALUES "
	"('meminfo', 'Slab', 'bytes'), ('meminfo', 'MemFree', 'bytes'), "
	"('vmstat', 'pgalloc_normal', 'count'), ('vmstat', 'pgalloc_dma', 'count'), "
	"('vmstat', 'pgfree', 'count'), ('slabinfo', 'dentry', 'objects'), "
	"('slabinfo', 'dentry', 'object_bytes'), ('slabinfo', 'kmalloc-2', 'objects'), "
	"('vmallocinfo', 'caller_3', 'bytes'), ('vmallocinfo', 'caller_3', 'areas'), "
	"('vmallocinfo', 'caller_3', 'areas'), ('vmallocinfo', 'nobody', 'bytes'), "
	"('allocinfo', 'a.c:1 func:f', 'bytes'), ('zoneinfo', 'not compared', 'count')) n, "
	"(VALUES ('start'), ('end')) a, _recording r;"
	"UPDATE _recording SET page_size = 4096;"
	"UPDATE _frame SET func = 'allocate_slab' WHERE id % 20 = 3;";

TEST(views_that_are_hidden_by_quicker_ones_say_the_same)
{
	static const char *const queries[] = {
		"SELECT * FROM accounts",
		"SELECT * FROM page_orders",
		"SELECT * FROM failures",
		"SELECT * FROM snapshot_values",
		"SELECT * FROM snapshot_values WHERE name = 'vmstat'",
		"SELECT * FROM snapshot_values WHERE key = 'dentry' AND unit = 'objects'",
		"SELECT * FROM snapshot_values WHERE name LIKE 'VM%' AND recording = '2'",
		"SELECT count(*) FROM snapshot_values WHERE key = 'DENTRY' COLLATE NOCASE",
		"SELECT count(*), name > 5 FROM snapshot_values WHERE change <> '0'",
		"SELECT * FROM reconcile_meminfo",
		"SELECT * FROM reconcile_vmstat",
		"SELECT * FROM reconcile_vmalloc",
		"SELECT * FROM reconcile_caches",
		"SELECT * FROM reconcile_sites",
		"SELECT * FROM reconcile_score",
		"SELECT a.site, b.* FROM reconcile_sites a LEFT JOIN reconcile_sites b "
		"ON b.site = a.site AND b.recording > a.recording ORDER BY a.recording, a.site",
		"SELECT v.key, s.* FROM snapshot_values v LEFT JOIN reconcile_sites s "
		"ON s.site = v.key WHERE v.unit = 'calls' ORDER BY 1, 8, v.recording",
		/* What a column compares as. */
		"SELECT count(*) FROM accounts WHERE tgid = '6'",
		"SELECT count(*) FROM accounts WHERE node = '1'",
		"SELECT count(*) FROM accounts WHERE gfp_flags = '2'",
		"SELECT count(*) FROM accounts WHERE comm > 5",
		"SELECT count(*) FROM page_orders WHERE page_order = '2'",
		"SELECT count(*) FROM page_orders WHERE migratetype = '4'",
		"SELECT count(*) FROM page_orders WHERE migratetype = 4 OR self = '0'",
		/* Joined on either side. */
		"SELECT c.id, sum(a.net_bytes) FROM call_sites c JOIN accounts a "
		"ON a.call_site = c.id GROUP BY c.id",
		"SELECT r.id, p.* FROM raw_sites r LEFT JOIN page_orders p "
		"ON p.page_order = r.id % 7 AND p.recording = r.recording ORDER BY 1, 2, 3, 8, 9",
	};
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	sqlite3 *raw;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	/* Types without a name, and two of one. */
	CHECK_EQ(sqlite3_exec(raw,
			      "UPDATE _account SET migratetype = raw_site % 6 - 1; "
			      "INSERT INTO _migratetype VALUES (3, 'Movable', 1)",
			      NULL, NULL, NULL),
		 SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, snapshots, NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(query_db_open(path, &db));
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++)
		compare_with_file(db, raw, queries[i]);
	sqlite3_close(raw);
}

TEST(what_the_kernel_counted_is_summed_as_the_named_query_does)
{
	/* Once as it is, then with sums that are NULL, and then without any row. */
	static const char *const changes[] = { snapshots,
					       "UPDATE _recording SET page_size = NULL",
					       "DELETE FROM _snapshot_value" };
	static const size_t least[] = { 60, 60, 0 };
	auto_free char *path = made();
	sqlite3 *raw;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		CLEANUP(query_db_cleanup) struct query_db *db = NULL;
		CLEANUP(query_cleanup) struct query *ours = NULL;
		CLEANUP(query_cleanup) struct query *named = NULL;
		char *text[2];

		CHECK_EQ(sqlite3_exec(raw, changes[i], NULL, NULL, NULL), SQLITE_OK);
		CHECK_OK(query_db_open(path, &db));
		CHECK_OK(reconciled_query(db, &ours));
		CHECK_OK(query_prepare(db, schema_query("reconcile"), NULL, &named));
		size_t nr = print_query(ours, &text[0]);

		CHECK(nr >= least[i]);
		CHECK_EQ(nr, print_query(named, &text[1]));
		CHECK_STR(text[0], text[1]);
		free(text[0]);
		free(text[1]);
	}
	sqlite3_close(raw);
}

TEST(sums_of_blocks_that_do_not_fit_are_an_error)
{
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	sqlite3 *raw;

	CHECK_EQ(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(raw, "UPDATE _account SET allocs = 0x7fffffffffffffff", NULL,
			      NULL, NULL),
		 SQLITE_OK);
	sqlite3_close(raw);
	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(query_prepare(db, "SELECT * FROM page_orders", NULL, &query));
	CHECK_ERR(query_next(query, &row), "integer overflow");
}

TEST(a_view_that_is_made_while_rows_come_does_not_disturb_them)
{
	auto_free char *path = made();
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *first = NULL;
	CLEANUP(query_cleanup) struct query *second = NULL;
	const struct cell *row, *other;
	int nr = 0;

	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(query_prepare(db, "SELECT id FROM call_sites ORDER BY id", NULL, &first));
	CHECK_OK(query_next(first, &row));
	CHECK_OK(query_prepare(db, "SELECT count(*) FROM accounts", NULL, &second));
	CHECK_OK(query_next(second, &other));
	CHECK_EQ(other[0].i, 3000);
	for (int64_t last = 0; row; nr++) {
		CHECK(row[0].i > last);
		last = row[0].i;
		CHECK_OK(query_next(first, &row));
	}
	CHECK(nr > 50);
	/* Nor may anything else be made afterwards. */
	struct query *none = NULL;

	CHECK_ERR(query_prepare(db, "CREATE TEMP VIEW v AS SELECT 1", NULL, &none),
		  "is refused");
}
