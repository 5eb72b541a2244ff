// SPDX-License-Identifier: GPL-2.0-or-later
#include "analyze.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "facts.h"
#include "store/origin.h"
#include "store/query.h"
#include "tests/lib/smallrec.h"
#include "tests/lib/test.h"

static char *dat, *db;

static struct err *analyzed(const struct smallrec_opts *opts, struct analyze_result *result)
{
	dat = xasprintf("%s/r.dat", test_dir());
	db = xasprintf("%s/r.db", test_dir());
	smallrec_write(dat, opts);
	return analyze(&(struct analyze_opts){ .input = dat, .output = db }, result);
}

static void analyzed_well(const struct smallrec_opts *opts)
{
	struct analyze_result result;

	CHECK_OK(analyzed(opts, &result));
	CHECK_EQ(result.sites, 7);
}

/* The first row of a query, its cells with blanks between. */
static const char *row_of(const char *sql)
{
	static char text[512];
	CLEANUP(query_db_cleanup) struct query_db *opened = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	size_t len = 0;

	CHECK_OK(query_db_open(db, &opened));
	CHECK_OK(query_prepare(opened, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	text[0] = '\0';
	for (size_t i = 0; row && i < query_nr_columns(query); i++) {
		const char *gap = i ? " " : "";

		if (row[i].type == CELL_INT)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRId64,
						gap, row[i].i);
		else if (row[i].type == CELL_REAL)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%g", gap,
						row[i].real);
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", gap,
						row[i].type == CELL_NULL ? "-" : row[i].text);
	}
	return text;
}

#define SITE_OF(func, off)                                                          \
	row_of("SELECT kind, net_bytes, net_calls, allocs, frees, inferred_frees, " \
	       "unknown_frees, failures, module FROM call_sites "                   \
	       "WHERE func = '" func "' AND sym_off = " #off)

TEST(every_event_is_accounted_to_its_call_site)
{
	analyzed_well(&(struct smallrec_opts){});
	CHECK_STR(SITE_OF("do_thing", 16), "slab 256 2 3 1 0 0 0 -");
	CHECK_STR(SITE_OF("do_other", 32), "slab 192 1 2 0 1 0 0 -");
	CHECK_STR(SITE_OF("do_other", 128), "slab 0 0 0 0 0 1 0 -");
	CHECK_STR(SITE_OF("mod_alloc", 8), "slab 0 0 0 0 0 0 1 thing");
	CHECK_STR(SITE_OF("shmem_alloc_folio", 64), "page 16384 1 1 0 0 0 0 -");
	CHECK_STR(SITE_OF("do_thing", 48), "percpu 64 1 1 0 0 0 0 -");
	CHECK_STR(SITE_OF("do_other", 80), "vmalloc 16384 1 1 0 0 0 0 -");
	CHECK_STR(row_of("SELECT group_concat(f.func, ' ') FROM frames f JOIN raw_sites r "
			 "ON r.id = raw_site WHERE kind = 'page'"),
		  "__alloc_pages_noprof shmem_alloc_folio do_thing");
}

TEST(the_recording_says_what_it_is)
{
	analyzed_well(&(struct smallrec_opts){});
	CHECK_STR(
		row_of("SELECT release, machine, hostname, kernel_build_id, cpus, page_size, clock, "
		       "duration_s, start_unix_ns, recorder, events, lost_events, input_format "
		       "FROM recording"),
		"6.12.0-small x86_64 box 0123456789abcdef 1 4096 mono 2.501 1700000000000000000 "
		"allocprof 0.1.0 13 8 trace.dat version 7");
	CHECK_STR(row_of("SELECT * FROM cpus"), "0 21 8 5 1 2 0 1 box");
	CHECK_STR(row_of("SELECT count(*), max(text) FROM snapshots WHERE name = 'meminfo'"),
		  "2 MemFree: 2\n");
	CHECK_STR(row_of("SELECT text FROM notes WHERE text LIKE '%no event%'"),
		  "the recorded kernel has no event kmem:kmalloc_node");
	CHECK_STR(row_of("SELECT first_s FROM call_sites WHERE func = 'do_thing'"), "0.001001");
}

TEST(a_recording_of_another_recorder_is_as_good)
{
	analyzed_well(&(struct smallrec_opts){ .foreign = true });
	CHECK_STR(SITE_OF("do_thing", 16), "slab 256 2 3 1 0 0 0 -");
	CHECK_STR(
		row_of("SELECT release, recorder, start_unix_ns, lost_events, start_ns FROM recording"),
		"6.12.0-small trace-cmd 3.1.6 - 0 1000001000");
	CHECK_STR(row_of("SELECT read_events, lost_events FROM cpus"), "13 0");
}

TEST(what_the_recorder_did_is_told_apart)
{
	analyzed_well(&(struct smallrec_opts){ .self = true });
	CHECK_STR(row_of("SELECT sum(self), count(*), sum(net_bytes) > 0 FROM call_sites"),
		  "7 7 1");
	CHECK_STR(row_of("SELECT count(*), sum(s.net_bytes = r.net_bytes) FROM call_sites s "
			 "JOIN raw_sites r ON r.call_site = s.id WHERE r.self"),
		  "7 7");
	CHECK_STR(row_of("SELECT net_bytes FROM totals WHERE kind = 'page' AND self"), "16384");
}

TEST(what_others_did_is_not_the_recorders)
{
	analyzed_well(&(struct smallrec_opts){});
	CHECK_STR(row_of("SELECT sum(self), count(*) FROM call_sites"), "0 7");
}

TEST(a_gap_makes_what_lives_across_it_uncertain)
{
	analyzed_well(&(struct smallrec_opts){ .lossy = true, .foreign = true });
	CHECK_STR(row_of("SELECT lost_events, lost_gaps FROM recording"), "7 1");
	CHECK_STR(
		row_of("SELECT net_bytes, uncertain_bytes FROM call_sites WHERE func = 'do_thing' "
		       "AND kind = 'slab'"),
		"256 256");
	CHECK_STR(row_of("SELECT uncertain_bytes FROM call_sites WHERE kind = 'percpu'"), "0");
	CHECK_STR(row_of("SELECT count(*) FROM notes WHERE text LIKE 'events are missing%'"),
		  "1");
}

TEST(a_failed_analysis_leaves_no_database)
{
	struct analyze_result result;
	auto_free char *bad = xasprintf("%s/bad.dat", test_dir());
	auto_free char *out = xasprintf("%s/bad.db", test_dir());
	auto_fd int fd = open(bad, O_WRONLY | O_CREAT, 0600);

	CHECK_EQ(write(fd, "not a recording", 15), 15);
	CHECK_ERR(analyze(&(struct analyze_opts){ .input = bad, .output = out }, &result),
		  "bad.dat: ");
	CHECK(access(out, F_OK));
	CHECK_ERR(analyze(&(struct analyze_opts){ .input = "/nonexistent.dat", .output = out },
			  &result),
		  "/nonexistent.dat: No such file");
	CHECK_ERR(analyze(&(struct analyze_opts){ .input = bad, .output = bad }, &result),
		  "is not a database: not replaced");
}

TEST(a_database_stands_for_its_recording_until_that_changes)
{
	analyzed_well(&(struct smallrec_opts){});
	CLEANUP(origin_deinit) struct origin same = {};
	CLEANUP(origin_deinit) struct origin with_option = {};
	CLEANUP(origin_deinit) struct origin later = {};

	CHECK_OK(origin_init(&same, dat, NULL, NULL, NULL, NULL));
	CHECK(origin_matches(&same, db));
	CHECK_OK(origin_init(&with_option, dat, "/boot/vmlinux", NULL, NULL, NULL));
	CHECK(!origin_matches(&with_option, db));
	CHECK(!origin_matches(&same, dat));
	CHECK(!origin_matches(&same, "/nonexistent.db"));

	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };

	CHECK_EQ(utimensat(AT_FDCWD, dat, times, 0), 0);
	CHECK_OK(origin_init(&later, dat, NULL, NULL, NULL, NULL));
	CHECK(!origin_matches(&later, db));
}

static bool cpu_stats(const char **text, struct cpu_stats *stats)
{
	struct span span = { (const uint8_t *)*text, strlen(*text) };
	bool found = facts_cpu_stats(&span, stats);

	*text = (const char *)span.data;
	return found;
}

TEST(the_counters_of_several_cpus_may_follow_each_other)
{
	const char *text =
		"CPU: 2\nentries: 1\noverrun: 2\ncommit overrun: 3\nbytes: 99\n"
		"oldest event ts:    27.848543\ndropped events: 4\nread events: 5\n\n"
		"CPU: 7\noverrun: 6\nread events: 18446744073709551616\n";
	struct cpu_stats stats = {};

	CHECK(cpu_stats(&text, &stats));
	CHECK_EQ(stats.cpu, 2);
	CHECK_EQ(stats.entries, 1);
	CHECK_EQ(stats.overrun, 2);
	CHECK_EQ(stats.commit_overrun, 3);
	CHECK_EQ(stats.dropped, 4);
	CHECK_EQ(stats.read_events, 5);
	CHECK(cpu_stats(&text, &stats));
	CHECK_EQ(stats.cpu, 7);
	CHECK_EQ(stats.overrun, 6);
	CHECK_EQ(stats.read_events, 0);
	CHECK(!cpu_stats(&text, &stats));
	text = "nothing of the kind\n";
	CHECK(!cpu_stats(&text, &stats));
}
