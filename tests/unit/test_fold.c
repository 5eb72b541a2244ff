// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/fold.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "match/life.h"
#include "match/series.h"
#include "store/query.h"
#include "store/writer.h"
#include "tests/lib/test.h"

enum { SITES = 60, PLACES = 17, BUCKETS = 40 };

static const char *const views[] = { "call_sites", "totals", "growth",
				     "lifetimes",  "waste",  "leak_sites" };

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

static void write_series(struct writer *writer, int64_t last_bucket, int64_t last_bytes)
{
	for (int64_t site = 1; site <= SITES; site++) {
		if (!pick(4))
			continue;
		for (int64_t at = (int64_t)pick(6); at < BUCKETS; at += 1 + (int64_t)pick(20)) {
			int64_t bytes = (int64_t)pick(1 << 20) - (1 << 19);
			const struct cell row[] = {
				integer(site),	integer(at),
				integer(bytes), integer((int64_t)pick(9) - 4),
				integer(1),	integer(1)
			};

			CHECK_OK(writer_row(writer, WRITER_BUCKET, row));
		}
	}
	const struct cell row[] = {
		integer(SITES + 1), integer(last_bucket), integer(last_bytes),
		integer(1),	    integer(1),		  integer(1),
	};

	CHECK_OK(writer_row(writer, WRITER_BUCKET, row));
}

static void write_lives(struct writer *writer, int64_t last_bin, int64_t last_ended)
{
	for (int64_t site = 1; site <= SITES; site++) {
		bool ended = pick(4);

		if (!pick(4))
			continue;
		for (int64_t bin = (int64_t)pick(40); bin < LIFE_BINS - 1;
		     bin += 1 + (int64_t)pick(90)) {
			const struct cell row[] = { integer(site), integer(bin),
						    integer(ended ? (int64_t)pick(1000) : 0),
						    integer((int64_t)pick(50)) };

			CHECK_OK(writer_row(writer, WRITER_LIFE, row));
		}
	}
	const struct cell row[] = { integer(SITES + 1), integer(last_bin), integer(last_ended),
				    integer(2) };

	CHECK_OK(writer_row(writer, WRITER_LIFE, row));
}

/* A database with such last rows has tables that say what the views say. */
static void check(uint64_t start, int64_t buckets, int64_t last_bucket, int64_t last_bytes,
		  int64_t last_bin, int64_t last_ended)
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
	write_series(writer, last_bucket, last_bytes);
	write_lives(writer, last_bin, last_ended);
	CHECK_OK(writer_commit(writer));
	writer_close(writer);

	CHECK_OK(query_db_open(path, &db));
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

		CHECK_EQ(value(db, only_view), 0);
		CHECK_EQ(value(db, only_table), 0);
		CHECK(value(db, rows) > 1);
	}
	query_db_close(db);
}

TEST(tables_say_what_views_say)
{
	for (uint64_t i = 1; i <= 30; i++)
		check(i, BUCKETS, BUCKETS - 1, 5, LIFE_BINS - 1, 7);
}

TEST(what_is_at_the_ends_counts)
{
	check(1, SERIES_BUCKETS, SERIES_BUCKETS - 1, -5, LIFE_BINS - 1, 0);
	check(2, BUCKETS, 0, 0, 0, 1);
}

/* Of these the views themselves make the tables. */
TEST(numbers_that_no_analysis_writes_are_left_to_the_views)
{
	check(3, BUCKETS, BUCKETS - 1, INT64_C(1) << 60, LIFE_BINS - 1, INT64_C(1) << 58);
	check(4, BUCKETS, SERIES_BUCKETS, 5, LIFE_BINS, 3);
	check(5, BUCKETS, -1, 5, LIFE_BINS - 1, -5);
	check(6, BUCKETS, BUCKETS, 5, LIFE_BINS + 200, 3);
	check(7, 100000, BUCKETS, 5, 3, 3);
}
