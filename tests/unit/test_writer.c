// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store/newfile.h"
#include "base/xalloc.h"
#include "store/quality.h"
#include "store/query.h"
#include "store/schema.h"
#include "tests/lib/test.h"

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", test_dir(), name);
}

static size_t nr_files(void)
{
	DIR *dir = opendir(test_dir());
	size_t nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;
}

/* The first cell of a query's first row as text; the query has one. */
static const char *value(const char *path, const char *sql)
{
	static char text[256];
	struct query_db *db;
	struct query *query;
	const struct cell *row;

	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(query_prepare(db, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	CHECK(row);
	if (row->type == CELL_INT)
		snprintf(text, sizeof(text), "%" PRId64, row->i);
	else if (row->type == CELL_REAL)
		snprintf(text, sizeof(text), "%g", row->real);
	else
		snprintf(text, sizeof(text), "%s", row->type == CELL_NULL ? "NULL" : row->text);
	query_free(query);
	query_db_close(db);
	return text;
}

static struct callsite chain(struct frame *frame, size_t nr)
{
	return (struct callsite){
		.frame = frame,
		.nr_frames = nr,
		.primary = frame[nr - 1],
		.resolved_by = frame[nr - 1].file ? RESOLVED_DWARF : RESOLVED_KALLSYMS,
		.attributed_by = ATTRIBUTED_CHAIN,
	};
}

static struct writer *writer;
static struct merge_stats merge;
static struct match_totals totals;

static void begin(const char *path)
{
	CHECK_OK(writer_open(path, &writer));
	CHECK_OK(writer_recording_int(writer, "start_ns", 1000000000));
	CHECK_OK(writer_recording_int(writer, "end_ns", 3500000000));
	CHECK_OK(writer_quality(writer, &totals, &merge, 0, false, 0));
}

static void end(void)
{
	CHECK_OK(writer_commit(writer));
	writer_close(writer);
}

TEST(the_schema_version_in_the_code_is_that_of_the_tables)
{
	auto_free char *path = path_of("a.db");

	begin(path);
	end();
	CHECK_EQ(atoi(value(path, "PRAGMA application_id")), SCHEMA_APPLICATION_ID);
	CHECK_EQ(atoi(value(path, "PRAGMA user_version")), SCHEMA_VERSION);
}

TEST(the_database_appears_only_on_commit)
{
	auto_free char *path = path_of("a.db");

	begin(path);
	CHECK(access(path, F_OK));
	CHECK_EQ(nr_files(), 1);
	CHECK_OK(writer_commit(writer));
	CHECK_EQ(nr_files(), 1);
	CHECK(!access(path, R_OK));
	writer_close(writer);
	CHECK_EQ(nr_files(), 1);
}

TEST(closing_without_commit_leaves_nothing)
{
	auto_free char *path = path_of("a.db");

	begin(path);
	writer_close(writer);
	CHECK_EQ(nr_files(), 0);
	writer_close(NULL);
}

TEST(an_older_database_stays_until_the_new_one_is_whole)
{
	auto_free char *path = path_of("a.db");

	begin(path);
	CHECK_OK(writer_recording_text(writer, "release", "1.0", 3));
	end();
	begin(path);
	CHECK_OK(writer_recording_text(writer, "release", "2.0", 3));
	CHECK_STR(value(path, "SELECT release FROM recording"), "1.0");
	end();
	CHECK_STR(value(path, "SELECT release FROM recording"), "2.0");
}

TEST(a_file_that_is_no_database_is_not_replaced)
{
	auto_free char *path = path_of("precious.txt");
	FILE *f = fopen(path, "w");

	fputs("do not lose this text", f);
	fclose(f);
	CHECK_ERR(writer_open(path, &writer), "not a database: not replaced");
	CHECK_ERR(newfile_check(test_dir()), "is not a file");
	CHECK_ERR(newfile_check("/nonexistent/x.db"), "/nonexistent/: cannot write");
	CHECK_EQ(nr_files(), 1);
	CHECK_EQ(truncate(path, 0), 0);
	CHECK_OK(newfile_check(path));
}

TEST(a_full_disk_is_said_in_one_line_and_leaves_nothing)
{
	auto_free char *path = path_of("a.db");
	auto_free char *text = xcalloc(1, 1 << 20);
	struct rlimit limit = { 256 << 10, RLIM_INFINITY };

	/* A limit on the size of a file fails the same writes as a full disk. */
	memset(text, 'x', 1 << 20);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	begin(path);
	struct err *err = NULL;

	for (int i = 0; i < 8 && !err; i++) {
		auto_free char *name = xasprintf("text%d", i);

		err = writer_snapshot(writer, name, "start",
				      (struct span){ (uint8_t *)text, 1 << 20 });
	}
	if (!err)
		err = writer_commit(writer);
	CHECK(err);
	CHECK(strstr(err_text(err), "a.db: cannot write: File too large"));
	CHECK(!strchr(err_text(err), '\n'));
	err_free(err);
	writer_close(writer);
	CHECK_EQ(nr_files(), 0);
}

TEST(a_signal_waits_until_nothing_is_left_behind)
{
	auto_free char *path = path_of("a.db");
	pid_t pid = fork();
	int status;

	if (!pid) {
		begin(path);
		raise(SIGINT);
		writer_close(writer);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	CHECK_EQ(nr_files(), 0);
}

TEST(equal_primary_frames_of_one_kind_fold_into_one_call_site)
{
	auto_free char *path = path_of("a.db");
	struct frame slab[2] = {
		{ .func = "kmalloc_noprof",
		  .file = "include/linux/slab.h",
		  .line = 878,
		  .addr = 0xffffffff81000010,
		  .inlined = true },
		{ .func = "do_thing",
		  .file = "fs/thing.c",
		  .line = 12,
		  .addr = 0xffffffff81000010,
		  .sym_off = 0x10,
		  .sym_size = 0x80 },
	};
	struct frame other = slab[1];
	struct callsite a = chain(slab, 2), b = chain(&other, 1);
	struct site site = {
		.kind = SITE_SLAB,
		.call_site = 0xffffffff81000010,
		.allocs = 10,
		.alloc_bytes = 640,
		.bytes_req = 600,
		.frees = 4,
		.free_bytes = 256,
		.inferred_frees = { 1, 2, 0 },
		.inferred_bytes = { 64, 128, 0 },
		.live = 3,
		.live_bytes = 192,
		.uncertain = 1,
		.uncertain_bytes = 64,
		.peak_bytes = 320,
		.peak_ns = 2000000000,
		.first_ns = 1500000000,
		.last_ns = 2500000000,
		.unknown_frees = 7,
		.failures = 1,
	};

	begin(path);
	CHECK_OK(writer_site(writer, &site, &a, "kmalloc-64"));
	other.addr = site.call_site = 0xffffffff81000050;
	other.sym_off = 0x50;
	site.first_ns = 1250000000;
	CHECK_OK(writer_site(writer, &site, &b, "kmalloc-64"));
	site.kind = SITE_PERCPU;
	CHECK_OK(writer_site(writer, &site, &b, ""));
	end();
	CHECK_STR(value(path, "SELECT count(*) FROM call_sites"), "2");
	CHECK_STR(value(path, "SELECT count(*) FROM raw_sites"), "3");
	CHECK_STR(value(path,
			"SELECT group_concat(kind, ' ') FROM (SELECT kind FROM call_sites "
			"ORDER BY kind)"),
		  "percpu slab");
#define OF(column) value(path, "SELECT " column " FROM call_sites WHERE kind = 'slab'")
	CHECK_STR(OF("file || ':' || line || ' ' || func"), "fs/thing.c:12 do_thing");
	CHECK_STR(OF("module"), "NULL");
	CHECK_STR(OF("cache"), "kmalloc-64");
	CHECK_STR(OF("net_bytes"), "384");
	CHECK_STR(OF("net_calls"), "6");
	CHECK_STR(OF("alloc_bytes"), "1280");
	CHECK_STR(OF("allocs"), "20");
	CHECK_STR(OF("frees"), "8");
	CHECK_STR(OF("bytes_req"), "1200");
	CHECK_STR(OF("waste_bytes"), "80");
	CHECK_STR(OF("peak_bytes"), "640");
	CHECK_STR(OF("failures"), "2");
	CHECK_STR(OF("inferred_frees"), "6");
	CHECK_STR(OF("inferred_bytes"), "384");
	CHECK_STR(OF("unknown_frees"), "14");
	CHECK_STR(OF("uncertain_bytes"), "128");
	CHECK_STR(OF("first_s"), "0.25");
	CHECK_STR(OF("last_s"), "1.5");
	CHECK_STR(OF("raw_sites"), "2");
	CHECK_STR(OF("resolved_by"), "dwarf");
	CHECK_STR(OF("sym_off"), "NULL");
#undef OF
	CHECK_STR(value(path,
			"SELECT alloc_bytes = exact_bytes + inferred_bytes + uncertain_bytes "
			"FROM totals WHERE kind = 'slab'"),
		  "1");
	CHECK_STR(value(path, "SELECT waste_bytes FROM call_sites WHERE kind = 'percpu'"), "0");
	CHECK_STR(value(path, "SELECT cache FROM call_sites WHERE kind = 'percpu'"), "NULL");
	CHECK_STR(value(path, "SELECT duration_s FROM recording"), "2.5");
}

TEST(each_frame_is_kept_once_and_addresses_are_readable)
{
	auto_free char *path = path_of("a.db");
	struct frame frames[2] = {
		{ .func = "inner",
		  .file = "a.c",
		  .line = 1,
		  .addr = 0xffffffff81000010,
		  .inlined = true },
		{ .func = "outer", .file = "a.c", .line = 2, .addr = 0xffffffff81000010 },
	};
	struct callsite callsite = chain(frames, 2);
	struct site site = { .kind = SITE_PAGE, .stack = 1, .allocs = 1 };

	begin(path);
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	end();
	CHECK_STR(value(path, "SELECT count(*) FROM _frame"), "2");
	CHECK_STR(value(path, "SELECT count(*) FROM frames"), "4");
	CHECK_STR(value(path, "SELECT group_concat(func) FROM (SELECT func FROM frames "
			      "WHERE raw_site = 1 ORDER BY depth)"),
		  "inner,outer");
	CHECK_STR(value(path, "SELECT address_hex FROM frames"), "0xffffffff81000010");
	CHECK_STR(value(path, "SELECT address < 0 FROM frames"), "1");
	CHECK_STR(value(path, "SELECT address FROM raw_sites"), "NULL");
}

TEST(without_a_file_the_offset_tells_call_sites_apart)
{
	auto_free char *path = path_of("a.db");
	struct frame frame = {
		.func = "do_thing", .sym_off = 0x10, .sym_size = 0x80, .addr = 1
	};
	struct callsite callsite = chain(&frame, 1);
	struct site site = { .kind = SITE_SLAB, .call_site = 1, .allocs = 1 };

	begin(path);
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	frame.sym_off = callsite.primary.sym_off = 0;
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	end();
	CHECK_STR(value(path, "SELECT count(*) FROM call_sites"), "2");
	CHECK_STR(value(path, "SELECT max(sym_off) || '/' || sym_size FROM call_sites"),
		  "16/128");
	CHECK_STR(value(path, "SELECT min(sym_off) FROM call_sites"), "0");
	CHECK_STR(value(path, "SELECT resolved_by FROM call_sites"), "kallsyms");
	CHECK_STR(value(path, "SELECT line FROM call_sites"), "NULL");
}

TEST(a_site_that_only_saw_unknown_frees_is_a_row)
{
	auto_free char *path = path_of("a.db");
	struct frame frame = { .func = "release", .file = "a.c", .line = 3, .addr = 1 };
	struct callsite callsite = chain(&frame, 1);
	struct site site = { .kind = SITE_SLAB, .call_site = 1, .unknown_frees = 5 };

	begin(path);
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	end();
	CHECK_STR(value(path, "SELECT net_bytes || ' ' || net_calls || ' ' || unknown_frees "
			      "FROM call_sites"),
		  "0 0 5");
	CHECK_STR(value(path, "SELECT first_ns FROM call_sites"), "NULL");
}

TEST(caches_that_differ_are_not_named)
{
	auto_free char *path = path_of("a.db");
	struct frame frame = { .func = "f", .file = "a.c", .line = 3, .addr = 1 };
	struct callsite callsite = chain(&frame, 1);
	struct site site = { .kind = SITE_SLAB, .call_site = 1 };

	begin(path);
	CHECK_OK(writer_site(writer, &site, &callsite, "one"));
	CHECK_OK(writer_site(writer, &site, &callsite, "two"));
	end();
	CHECK_STR(value(path, "SELECT cache FROM call_sites"), "NULL");
}

TEST(facts_cpus_snapshots_and_notes_are_kept)
{
	auto_free char *path = path_of("a.db");
	struct cpu_stats cpu = { 3, 1, 20, 300, 4000, 50000 };

	begin(path);
	CHECK_OK(writer_recording_text(writer, "release", "6.12.0 junk", 6));
	CHECK_OK(writer_recording_text(writer, "vmlinux", NULL, 0));
	CHECK_OK(writer_cpu(writer, &cpu));
	CHECK_OK(writer_snapshot(writer, "meminfo", "end",
				 (struct span){ (const uint8_t *)"MemFree", 3 }));
	CHECK_OK(writer_snapshot(writer, "empty", "start", (struct span){ NULL, 0 }));
	CHECK_OK(writer_note(writer, "first"));
	CHECK_OK(writer_note(writer, "second"));
	CHECK_ERR(writer_recording_text(writer, "no_such", "x", 1), "recording.no_such");
	end();
	CHECK_STR(value(path, "SELECT release FROM recording"), "6.12.0");
	CHECK_STR(value(path, "SELECT vmlinux FROM recording"), "NULL");
	CHECK_STR(value(path,
			"SELECT lost_events || ' ' || read_events FROM cpus WHERE cpu = 3"),
		  "4320 50000");
	CHECK_STR(value(path,
			"SELECT text FROM snapshots WHERE name = 'meminfo' AND at = 'end'"),
		  "Mem");
	CHECK_STR(value(path, "SELECT text FROM snapshots WHERE name = 'empty'"), "");
	CHECK_STR(value(path, "SELECT group_concat(text) FROM notes"), "first,second");
}

TEST(every_counter_of_doubt_has_a_name_of_its_own_and_a_meaning)
{
	struct quality_row rows[QUALITY_MAX];
	size_t nr = quality_rows(&totals, &merge, 0, false, 7, rows);

	CHECK(nr > 20);
	for (size_t i = 0; i < nr; i++) {
		CHECK(*rows[i].unit && *rows[i].meaning);
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(rows[i].name, rows[j].name));
	}
}

TEST(the_counters_of_doubt_come_from_where_they_say)
{
	auto_free char *path = path_of("a.db");

	totals.lost_gaps = 3;
	totals.unknown_frees[SITE_PAGE] = 11;
	totals.events[EVENT_KFREE] = 99;
	totals.rcu_pending = 4;
	merge.orphan_stacks = 5;
	CHECK_OK(writer_open(path, &writer));
	CHECK_OK(writer_quality(writer, &totals, &merge, 4096, false, 7));
	end();
	CHECK_STR(value(path, "SELECT lost_gaps FROM recording"), "3");
#define OF(name) value(path, "SELECT value FROM quality WHERE name = '" name "'")
	CHECK_STR(OF("unknown_frees_page"), "11");
	CHECK_STR(OF("events_kfree"), "99");
	CHECK_STR(OF("rcu_pending"), "4");
	CHECK_STR(OF("probe_misses"), "7");
	CHECK_STR(OF("orphan_stacks"), "5");
	CHECK_STR(OF("truncated_bytes"), "4096");
	CHECK_STR(OF("duplicate_kmallocs"), "0");
#undef OF
}

TEST(five_thousand_sites_take_well_under_a_second)
{
	auto_free char *path = path_of("a.db");
	struct frame frames[15];
	char func[32];
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	begin(path);
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(func, sizeof(func), "function_%u", i / 3);
		for (size_t f = 0; f < 15; f++)
			frames[f] = (struct frame){ .func = func,
						    .file = "fs/ext4/inode.c",
						    .line = i,
						    .addr = 0xffffffff81000000 + 16 * i + f };
		struct callsite callsite = chain(frames, 15);
		struct site site = { .kind = SITE_PAGE, .stack = i + 1, .allocs = 1 };

		CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	}
	end();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	double s = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);

	printf("# %.3f s\n", s);
	/* Sanitizers and slow machines have their allowance. */
	CHECK(s < 5);
	CHECK_STR(value(path, "SELECT count(*) FROM frames"), "75000");
}

TEST(a_finished_database_keeps_the_rows_of_the_views_that_fold)
{
	static const char *const views[] = { "totals",	   "growth",  "lifetimes", "waste",
					     "leak_sites", "buckets", "_summary" };
	auto_free char *path = path_of("a.db");
	struct frame frame[] = { { .func = "f", .file = "mm/a.c", .line = 3, .addr = 16 } };
	struct callsite callsite = chain(frame, 1);
	struct site site = { .kind = SITE_SLAB, .allocs = 2, .alloc_bytes = 64, .live = 1 };

	site.lived = 1;
	begin(path);
	CHECK_OK(writer_site(writer, &site, &callsite, NULL));
	CHECK_OK(writer_site(writer, &site, &callsite, "dentry"));
	end();
	CHECK_STR(value(path, "SELECT count(*) FROM lifetimes"), "1");
	CHECK_STR(value(path, "SELECT class FROM leak_sites"), "reclaimable");
	CHECK_STR(value(path, "SELECT count(*) || ' ' || sum(allocs) FROM call_sites"), "1 4");
	CHECK_STR(value(path, "SELECT count(*) FROM (SELECT * FROM main.call_sites "
			      "INTERSECT SELECT * FROM call_sites)"),
		  "1");
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		auto_free char *sql = xasprintf("SELECT count(*) FROM (SELECT * FROM main.%s "
						"EXCEPT SELECT * FROM %s)",
						views[i], views[i]);

		CHECK_STR(value(path, sql), "0");
	}
	/* They are what is read. */
	CHECK_STR(value(path, "SELECT count(*) FROM temp.sqlite_schema WHERE type = 'view' "
			      "AND sql LIKE '%FROM main.\"_folded_%'"),
		  "8");
}

TEST(views_are_stored_as_create_view_would_store_them)
{
	auto_free char *path = path_of("a.db"), *other = path_of("b.db");
	sqlite3 *db = NULL;

	begin(path);
	end();
	CHECK_EQ(sqlite3_open(other, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, schema_views, NULL, NULL, NULL), SQLITE_OK);
	auto_free char *sql = xasprintf("ATTACH '%s' AS written", path);

	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	static const char *const checks[] = {
		"SELECT count(*) FROM main.sqlite_schema a JOIN written.sqlite_schema b USING "
		"(type, name, tbl_name, rootpage, sql) WHERE type = 'view'",
		"SELECT count(*) FROM main.sqlite_schema",
		"SELECT count(*) FROM written.sqlite_schema WHERE type = 'view'",
	};
	int count[3] = {};

	for (size_t i = 0; i < 3; i++) {
		sqlite3_stmt *stmt = NULL;

		CHECK_EQ(sqlite3_prepare_v2(db, checks[i], -1, &stmt, NULL), SQLITE_OK);
		CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
		count[i] = sqlite3_column_int(stmt, 0);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	CHECK(count[0] > 30);
	CHECK_EQ(count[1], count[0]);
	CHECK_EQ(count[2], count[0]);
}
