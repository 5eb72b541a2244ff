// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/fold.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "match/life.h"
#include "match/series.h"
#include "store/overtime.h"
#include "store/query.h"
#include "store/writer.h"
#include "tests/lib/test.h"

enum { SITES = 60, PLACES = 17, BUCKETS = 40 };

static const char *const views[] = { "call_sites", "totals",	 "growth",  "lifetimes",
				     "waste",	   "leak_sites", "buckets", "_summary" };

static uint64_t seed;

/* Below @n. */
static uint64_t pick(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (seed >> 33) % n;
}

static struct cell integer(int64_t i)
{
	return (struct cell){ .type = CELL_INT, .i = i };
}

static int64_t value(struct query_db *db, const char *sql)
{
	struct query *query;
	const struct cell *row;

	CHECK_OK(query_prepare(db, sql, NULL, &query));
	CHECK_OK(query_next(query, &row));
	CHECK(row);
	int64_t ret = row ? row->i : -1;

	query_free(query);
	return ret;
}

/* Several raw sites a place, of the recorder and of others; one more for last rows. */
static void write_sites(struct writer *writer)
{
	static const char *const caches[] = { NULL, "dentry", "filp" };

	for (size_t i = 0; i <= SITES; i++) {
		uint64_t place = pick(PLACES);
		auto_free char *func = xasprintf("f%d", (int)place);
		struct frame frame[] = {
			{ .func = place % 3 ? func : "alloc_inode",
			  .file = "mm/a.c",
			  .line = (uint32_t)place + 1,
			  .addr = 16 + place },
			{ .func = "outer", .file = "mm/b.c", .line = 3, .addr = 8 },
		};
		struct callsite callsite = { .frame = frame,
					     .nr_frames = 2,
					     .primary = frame[0],
					     .caller = 1,
					     .resolved_by = RESOLVED_DWARF,
					     .attributed_by = ATTRIBUTED_CHAIN };
		struct site site = {
			.kind = place % 2 ? SITE_SLAB : SITE_PAGE,
			.call_site = 16 + place,
			.allocs = pick(1000),
			.alloc_bytes = pick(1 << 20),
			.bytes_req = pick(1 << 18),
			.live = pick(100),
			.live_bytes = pick(1 << 16),
			.lived = pick(3),
			.lived_sum_ns = (double)pick(1 << 30) / 3,
			.aged = pick(2),
			.age_sum_ns = (double)pick(1 << 30) / 7,
			.weight = 1,
			.self = place % 5 == 0 && pick(2),
		};

		CHECK_OK(writer_site(writer, &site, &callsite, caches[pick(3)]));
	}
}

/* What raw sites hold over time, and how long things lived there; the last one apart. */
static void write_overtime(struct writer *writer, const struct cell *last_bucket,
			   const struct cell *last_life)
{
	auto_free struct overtime *overtime = xcalloc(1, sizeof(*overtime));
	uint32_t last = writer_call_site(writer, SITES + 1);

	for (uint32_t callsite = 1; callsite <= writer_nr_call_sites(writer); callsite++) {
		for (int self = 0; self <= 1; self++) {
			bool ended = pick(4);

			if (!pick(4) || (callsite == last && !self))
				continue;
			for (uint32_t at = (uint32_t)pick(6); at < BUCKETS;
			     at += 1 + (uint32_t)pick(9))
				overtime_add_change(overtime, at,
						    (int64_t)pick(1 << 20) - (1 << 19),
						    (int64_t)pick(9) - 4, (int64_t)pick(99), 1);
			for (uint32_t bin = (uint32_t)pick(40); pick(5) && bin < LIFE_BINS - 1;
			     bin += 1 + (uint32_t)pick(90))
				overtime_add_lives(overtime, bin, ended ? pick(1000) : 0,
						   pick(50));
			CHECK_OK(overtime_write(overtime, writer, callsite, self));
		}
	}
	CHECK_OK(writer_row(writer, WRITER_BUCKET, last_bucket));
	CHECK_OK(writer_row(writer, WRITER_LIFE, last_life));
}

/* A database with such last rows has tables that say what the views say. */
static void check(uint64_t start, int64_t buckets, int64_t last_bucket, int64_t last_bytes,
		  int64_t last_bin, int64_t last_ended, bool has_buckets)
{
	auto_free char *path = xasprintf("%s/a.db", test_dir());
	struct writer *writer;
	struct query_db *db;

	seed = start;
	CHECK_OK(writer_open(path, &writer));
	CHECK_OK(writer_recording_int(writer, "start_ns", 1000));
	CHECK_OK(writer_recording_int(writer, "end_ns", 3500000000));
	CHECK_OK(writer_recording_int(writer, "bucket_ns", 1000003));
	CHECK_OK(writer_recording_int(writer, "buckets", buckets));
	write_sites(writer);
	const struct cell last = integer(writer_call_site(writer, SITES + 1));
	const struct cell last_change[] = {
		last,	    integer(0), integer(last_bucket), integer(last_bytes), integer(1),
		integer(1), integer(1), integer(last_bytes),  integer(1),
	};
	const struct cell last_life[] = { last, integer(0), integer(last_bin),
					  integer(last_ended), integer(2) };

	write_overtime(writer, last_change, last_life);
	CHECK_OK(writer_commit(writer));
	writer_close(writer);

	CHECK_OK(query_db_open(path, &db));
	CHECK_EQ(value(db, "SELECT count(*) FROM sqlite_schema WHERE name = '_folded_buckets'"),
		 has_buckets);
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		/* What is not qualified is the table (store/folded.h). */
		auto_free char *only_view =
			xasprintf("SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT "
				  "SELECT * FROM main._folded_%s)",
				  views[i], views[i]);
		auto_free char *only_table =
			xasprintf("SELECT count(*) FROM (SELECT * FROM main._folded_%s EXCEPT "
				  "SELECT * FROM main.%s)",
				  views[i], views[i]);
		auto_free char *rows = xasprintf("SELECT count(*) FROM %s", views[i]);

		/* Sums that are not exact are no table: the view's would be an error. */
		if (!strcmp(views[i], "buckets") && !has_buckets)
			continue;
		CHECK_EQ(value(db, only_view), 0);
		CHECK_EQ(value(db, only_table), 0);
		CHECK(value(db, rows) > 1);
	}
	query_db_close(db);
}

TEST(tables_say_what_views_say)
{
	for (uint64_t i = 1; i <= 30; i++)
		check(i, BUCKETS, BUCKETS - 1, 5, LIFE_BINS - 1, 7, true);
}

TEST(what_is_at_the_ends_counts)
{
	check(1, SERIES_BUCKETS, SERIES_BUCKETS - 1, -5, LIFE_BINS - 1, 0, true);
	check(2, BUCKETS, 0, 0, 0, 1, true);
}

/* Of these the views themselves make the tables. */
TEST(numbers_that_no_analysis_writes_are_left_to_the_views)
{
	check(3, BUCKETS, BUCKETS - 1, INT64_C(1) << 60, LIFE_BINS - 1, INT64_C(1) << 58,
	      false);
	check(4, BUCKETS, SERIES_BUCKETS, 5, LIFE_BINS, 3, false);
	check(5, BUCKETS, -1, 5, LIFE_BINS - 1, -5, false);
	check(6, BUCKETS, BUCKETS, 5, LIFE_BINS + 200, 3, false);
	check(7, 100000, BUCKETS, 5, 3, 3, false);
}
