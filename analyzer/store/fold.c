// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/fold.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "match/life.h"
#include "match/series.h"
#include "store/kindbuckets.h"
#include "store/schema.h"
#include "store/stmt.h"
#include "store/wobble.h"

/* In this order: what comes later is made of call_sites, and of growth. */
static const struct {
	const char *view;
	const char *key; /* columns that tell rows apart and give their order, or NULL */
} tables[] = {
	{ "call_sites", "id" },
	{ "totals", NULL },
	{ "growth", "call_site, recording" },
	{ "lifetimes", "call_site, recording" },
	{ "waste", NULL },
	{ "leak_sites", "call_site" },
	{ "buckets", NULL },
	{ "_summary", NULL },
};

struct fold {
	sqlite3 *db;
	bool has_kinds; /* temp._kind_buckets is made */
};

/* What a call site has in one recording, by bucket or bin. */
struct sums {
	int64_t call_site, recording;
	int64_t a[LIFE_BINS], b[LIFE_BINS]; /* bytes and calls, or ended and live */
	uint32_t end;			    /* the last that it has, and one */
};

/* Reads rows in the order of call site and recording. */
struct reader {
	sqlite3_stmt *stmt;
	bool row;	/* there is one that was not taken yet */
	bool plain;	/* no row so far that is left to the view */
	uint32_t limit; /* of buckets or bins */
	int64_t least;
	struct kindbuckets *kinds; /* or NULL */
};

static_assert((int)LIFE_BINS >= (int)SERIES_BUCKETS, "sums have room for buckets");

static void reader_deinit(struct reader *reader)
{
	sqlite3_finalize(reader->stmt);
}

static struct err *db_err(const struct fold *fold)
{
	if (sqlite3_errcode(fold->db) == SQLITE_FULL)
		return err_new(ERR_DB, "no space left on the disk");
	return err_new(ERR_DB, "%s", sqlite3_errmsg(fold->db));
}

static struct err *exec(const struct fold *fold, const char *sql)
{
	return sqlite3_exec(fold->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : db_err(fold);
}

static struct err *prepare(const struct fold *fold, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(fold->db, sql, -1, ret, NULL) == SQLITE_OK ? NULL
									     : db_err(fold);
}

/* Sets *ret_row to false at the end. */
static struct err *next(const struct fold *fold, sqlite3_stmt *stmt, bool *ret_row)
{
	int rc = sqlite3_step(stmt);

	*ret_row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? NULL : db_err(fold);
}

static bool is_exact(int64_t n)
{
	return n <= FOLD_EXACT && n >= -FOLD_EXACT;
}

/*
 * @sql: call site, recording, and a place with two numbers or four, in that order. What
 * is not @plain at the end is left to the view.
 */
static struct err *reader_init(struct reader *reader, const struct fold *fold, const char *sql)
{
	reader->plain = true;
	TRY(prepare(fold, sql, &reader->stmt));
	return next(fold, reader->stmt, &reader->row);
}

/* Takes the row that the reader is at. */
static void take(struct reader *reader, struct sums *sums)
{
	sqlite3_stmt *stmt = reader->stmt;
	int64_t at = sqlite3_column_int64(stmt, 2);
	int64_t a = sqlite3_column_int64(stmt, 3), b = sqlite3_column_int64(stmt, 4);

	reader->plain = at >= 0 && at < reader->limit && is_exact(a) && is_exact(b) &&
			a >= reader->least && b >= reader->least;
	if (!reader->plain)
		return;
	sums->a[at] = a;
	sums->b[at] = b;
	sums->end = (uint32_t)at + 1;
	if (reader->kinds)
		kindbuckets_add(reader->kinds, sums->call_site, sums->recording, (uint32_t)at,
				(const int64_t[]){ a, b, sqlite3_column_int64(stmt, 5),
						   sqlite3_column_int64(stmt, 6) });
}

/* The next call site; @sums->end is 0 where there is none, or it is not plain. */
static struct err *next_sums(struct reader *reader, const struct fold *fold, struct sums *sums)
{
	memset(sums, 0, sizeof(*sums));
	if (reader->row && reader->plain) {
		sums->call_site = sqlite3_column_int64(reader->stmt, 0);
		sums->recording = sqlite3_column_int64(reader->stmt, 1);
	}
	while (reader->row && reader->plain &&
	       sqlite3_column_int64(reader->stmt, 0) == sums->call_site &&
	       sqlite3_column_int64(reader->stmt, 1) == sums->recording) {
		take(reader, sums);
		TRY(next(fold, reader->stmt, &reader->row));
	}
	if (!reader->plain)
		sums->end = 0;
	return NULL;
}

static struct err *insert(const struct fold *fold, sqlite3_stmt *stmt)
{
	bool row;

	TRY(next(fold, stmt, &row));
	sqlite3_reset(stmt);
	return NULL;
}

/* ---- growth */

/* One recording's buckets; nr 0: not plain. */
struct buckets {
	int64_t recording, nr, ns;
};

static struct err *read_buckets(const struct fold *fold, struct buckets **ret, size_t *ret_nr)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	size_t cap = 0;
	bool row;

	TRY(prepare(fold, "SELECT id, buckets, bucket_ns FROM main._recording ORDER BY id",
		    &stmt));
	for (;;) {
		TRY(next(fold, stmt, &row));
		if (!row)
			return NULL;
		struct buckets buckets = {
			.recording = sqlite3_column_int64(stmt, 0),
			.nr = sqlite3_column_int64(stmt, 1),
			.ns = sqlite3_column_int64(stmt, 2),
		};

		if (buckets.nr < 0 || buckets.nr > SERIES_BUCKETS ||
		    sqlite3_column_type(stmt, 2) != SQLITE_INTEGER)
			buckets.nr = 0;
		vec_room(*ret, *ret_nr, cap);
		(*ret)[(*ret_nr)++] = buckets;
	}
}

static int by_recording(const void *key, const void *member)
{
	int64_t a = *(const int64_t *)key, b = ((const struct buckets *)member)->recording;

	return (a > b) - (a < b);
}

static struct err *write_growth(const struct fold *fold, const struct sums *sums,
				const struct buckets *buckets, sqlite3_stmt *stmt)
{
	int64_t n = buckets->nr, half = n / 2;
	int64_t net = 0, calls = 0, moved = 0, rises = 0, falls = 0;
	double y = 0, xy = 0, late_y = 0, late_xy = 0, all = (double)n * ((double)n - 1.0);

	for (int64_t i = 0; i < sums->end; i++) {
		int64_t d = sums->a[i], late = i > half ? i : half;
		double bytes = (double)d;

		y += bytes * (double)(n - i);
		xy += bytes * (all - (double)i * ((double)i - 1.0)) / 2;
		late_y += bytes * (double)(n - late);
		late_xy += bytes * (all - (double)late * ((double)late - 1.0)) / 2;
		net += d;
		calls += sums->b[i];
		moved += d < 0 ? -d : d;
		rises += d > 0;
		falls += d < 0;
	}
	sqlite3_bind_int64(stmt, 1, sums->call_site);
	sqlite3_bind_int64(stmt, 2, sums->recording);
	sqlite3_bind_int64(stmt, 3, n);
	sqlite3_bind_int64(stmt, 4, n - half);
	sqlite3_bind_double(stmt, 5, (double)buckets->ns / 1e9);
	sqlite3_bind_double(stmt, 6, y);
	sqlite3_bind_double(stmt, 7, xy);
	sqlite3_bind_double(stmt, 8, late_y);
	sqlite3_bind_double(stmt, 9, late_xy);
	sqlite3_bind_int64(stmt, 10, net);
	sqlite3_bind_int64(stmt, 11, calls);
	sqlite3_bind_int64(stmt, 12, moved);
	sqlite3_bind_int64(stmt, 13, rises);
	sqlite3_bind_int64(stmt, 14, falls);
	return insert(fold, stmt);
}

/* A row only where the later half has one: elsewhere nothing is known to move. */
static struct err *write_noise(const struct fold *fold, const struct sums *sums,
			       const struct buckets *buckets, sqlite3_stmt *stmt)
{
	int64_t half = buckets->nr / 2;
	size_t nr = (size_t)(buckets->nr - half);
	double bytes[SERIES_BUCKETS] = {}, calls[SERIES_BUCKETS] = {};

	if (sums->end <= half)
		return NULL;
	for (int64_t i = half; i < sums->end; i++) {
		bytes[i - half] = (double)sums->a[i];
		calls[i - half] = (double)sums->b[i];
	}
	sqlite3_bind_int64(stmt, 1, sums->call_site);
	sqlite3_bind_double(stmt, 2, wobble_variance(bytes, nr, true));
	sqlite3_bind_double(stmt, 3, wobble_variance(calls, nr, true));
	return insert(fold, stmt);
}

static struct err *write_kinds(struct fold *fold, const struct kindbuckets *kinds)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;

	TRY(exec(fold, "CREATE TEMP TABLE _kind_buckets (kind, self, recording, bucket, "
		       "change_bytes, change_calls, alloc_bytes, allocs)"));
	TRY(prepare(fold, "INSERT INTO temp._kind_buckets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		    &stmt));
	fold->has_kinds = true;
	for (size_t i = 0; kindbuckets_bind(kinds, &i, stmt);)
		TRY(insert(fold, stmt));
	return NULL;
}

/* *ret_noise: whether main._folded_noise is for use. */
static struct err *growth_sums(struct fold *fold, struct sums *sums, bool *ret_plain,
			       bool *ret_noise)
{
	CLEANUP(kindbuckets_deinit) struct kindbuckets kinds = {};
	CLEANUP(reader_deinit)
	struct reader reader = {
		.limit = SERIES_BUCKETS,
		.least = -FOLD_EXACT,
		.kinds = &kinds,
	};
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *noise = NULL;
	auto_free struct buckets *list = NULL;
	size_t nr = 0;

	TRY(read_buckets(fold, &list, &nr));
	TRY(kindbuckets_init(&kinds, fold->db));
	TRY(reader_init(&reader, fold,
			"SELECT 2 * callsite + self, recording, bucket, net_bytes, net_calls, "
			"alloc_bytes, allocs FROM main._bucket "
			"ORDER BY callsite, self, recording, bucket"));
	TRY(exec(fold,
		 "CREATE TEMP TABLE _growth_sums (call_site, recording, n, late_n, width, "
		 "y, xy, late_y, late_xy, net, calls, moved, rises, falls)"));
	TRY(prepare(fold,
		    "INSERT INTO temp._growth_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		    "?, ?)",
		    &stmt));
	TRY(exec(fold, "CREATE TABLE main._folded_noise "
		       "(call_site INTEGER PRIMARY KEY, bytes_variance REAL, "
		       "calls_variance REAL)"));
	TRY(prepare(fold, "INSERT INTO main._folded_noise VALUES (?, ?, ?)", &noise));
	for (;;) {
		TRY(next_sums(&reader, fold, sums));
		if (!sums->end)
			break;
		const struct buckets *buckets =
			bsearch(&sums->recording, list, nr, sizeof(*list), by_recording);

		reader.plain = buckets && sums->end <= buckets->nr;
		if (!reader.plain)
			break;
		TRY(write_growth(fold, sums, buckets, stmt));
		if (nr == 1)
			TRY(write_noise(fold, sums, buckets, noise));
	}
	*ret_plain = reader.plain;
	*ret_noise = reader.plain && nr == 1;
	return reader.plain && kinds.plain ? write_kinds(fold, &kinds) : NULL;
}

/* ---- lives */

/* Quantiles are in thousandths. */
static const int quantiles[] = { 500, 900, 990, 999 };
enum { NR_QUANTILES = sizeof(quantiles) / sizeof(*quantiles) };

/* In seconds, as the views have it. */
static double middle_of(uint32_t bin)
{
	return ((double)life_from_ns(bin) / 1e9 + (double)life_from_ns(bin + 1) / 1e9) / 2;
}

static struct err *write_lives(const struct fold *fold, const struct sums *sums,
			       sqlite3_stmt *stmt)
{
	int64_t ended = 0, live = 0, so_far = 0, live_so_far = 0;
	size_t q = 0;

	for (uint32_t bin = 0; bin < sums->end; bin++) {
		ended += sums->a[bin];
		live += sums->b[bin];
	}
	sqlite3_clear_bindings(stmt);
	sqlite3_bind_int64(stmt, 1, sums->call_site);
	sqlite3_bind_int64(stmt, 2, sums->recording);
	for (uint32_t bin = 0; bin < sums->end && q < NR_QUANTILES; bin++) {
		so_far += sums->a[bin];
		live_so_far += sums->b[bin];
		if (!sums->a[bin])
			continue;
		for (; q < NR_QUANTILES &&
		       (__int128)so_far * 1000 >= (__int128)ended * quantiles[q];
		     q++) {
			sqlite3_bind_double(stmt, 3 + (int)q, middle_of(bin));
			sqlite3_bind_int64(stmt, 7 + (int)q, live - live_so_far);
		}
	}
	for (int i = 0; !ended && i < NR_QUANTILES; i++)
		sqlite3_bind_int64(stmt, 7 + i, 0);
	return insert(fold, stmt);
}

static struct err *life_quantiles(struct fold *fold, struct sums *sums, bool *ret_plain)
{
	CLEANUP(reader_deinit) struct reader reader = { .limit = LIFE_BINS };
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;

	TRY(reader_init(&reader, fold,
			"SELECT 2 * callsite + self, recording, bin, ended, live "
			"FROM main._life ORDER BY callsite, self, recording, bin"));
	TRY(exec(fold,
		 "CREATE TEMP TABLE _life_quantiles (call_site, recording, p50, p90, p99, "
		 "p999, over_p50, over_p90, over_p99, over_p999, "
		 "PRIMARY KEY (call_site, recording)) WITHOUT ROWID"));
	TRY(prepare(fold,
		    "INSERT INTO temp._life_quantiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    &stmt));
	for (;;) {
		TRY(next_sums(&reader, fold, sums));
		if (!sums->end)
			break;
		TRY(write_lives(fold, sums, stmt));
	}
	*ret_plain = reader.plain;
	return NULL;
}

/* ---- the tables */

/* What the views' text says of @name; the program has it. */
static struct schema_view find_view(const char *name)
{
	const char *at = schema_views;
	struct schema_view view;

	while (schema_next_view(&at, &view))
		if ((size_t)view.name_len == strlen(name) &&
		    !memcmp(view.name, name, strlen(name)))
			return view;
	abort();
}

/* Other views can be asked for once they are known to the connection. */
static struct err *define(const struct fold *fold, const char *name)
{
	struct schema_view view = find_view(name);
	auto_free char *sql =
		xasprintf("CREATE TEMP VIEW %s AS %.*s", name, view.query_len, view.query);

	return exec(fold, sql);
}

/* "id, kind, …" of a query. */
static struct err *column_list(const struct fold *fold, const char *query, char **ret)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	auto_free char *list = xstrdup("");

	TRY(prepare(fold, query, &stmt));
	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		char *longer =
			xasprintf("%s%s%s", list, i ? ", " : "", sqlite3_column_name(stmt, i));

		free(list);
		list = longer;
	}
	*ret = take_ptr(list);
	return NULL;
}

/*
 * A key of one number is that of the rows, so that to find one is to look once; of
 * several columns it is their order, and no sorter has to make it.
 */
static struct err *create_keyed(const struct fold *fold, const char *view, const char *key,
				const char *query)
{
	bool one = !strchr(key, ',');
	auto_free char *list = NULL;

	TRY(column_list(fold, query, &list));
	/* Key columns come first. Without a type they would not be found by numbers. */
	const char *rest = list + strlen(key);
	auto_free char *sql =
		one ? xasprintf("CREATE TABLE main._folded_%s (%s INTEGER PRIMARY KEY%s)", view,
				key, rest)
		    : xasprintf("CREATE TABLE main._folded_%s (call_site INTEGER, "
				"recording INTEGER%s, PRIMARY KEY (call_site, recording)) "
				"WITHOUT ROWID",
				view, rest);

	return exec(fold, sql);
}

static struct err *write_table(const struct fold *fold, size_t i)
{
	const char *view = tables[i].view, *key = tables[i].key;
	struct schema_view text = find_view(view);
	auto_free char *query = xasprintf("%.*s", text.query_len, text.query);

	if (key)
		TRY(create_keyed(fold, view, key, query));
	auto_free char *sql = xasprintf(key ? "INSERT INTO main._folded_%s %s"
					    : "CREATE TABLE main._folded_%s AS %s",
					view, query);

	return exec(fold, sql);
}

/* From here on the table is what other views ask for. */
static struct err *stand_in(const struct fold *fold, const char *view)
{
	auto_free char *sql =
		xasprintf("CREATE TEMP VIEW %s AS SELECT * FROM main._folded_%s", view, view);

	return exec(fold, sql);
}

struct err *fold_write(sqlite3 *db)
{
	struct fold fold = { .db = db };
	auto_free struct sums *sums = xmalloc(sizeof(*sums));
	bool plain = false, noise = false;

	TRY(exec(&fold, "PRAGMA temp_store = MEMORY"));
	TRY(growth_sums(&fold, sums, &plain, &noise));
	if (!noise)
		TRY(exec(&fold, "DROP TABLE main._folded_noise"));
	if (!plain) {
		TRY(exec(&fold, "DROP TABLE temp._growth_sums"));
		TRY(define(&fold, "_growth_sums"));
	}
	TRY(life_quantiles(&fold, sums, &plain));
	if (!plain) {
		TRY(exec(&fold, "DROP TABLE temp._life_quantiles"));
		TRY(define(&fold, "life_bins"));
		TRY(define(&fold, "_life_quantiles"));
	}
	TRY(define(&fold, "leak_kinds"));
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		/* Sums that SQL cannot make are an error of who asks for them. */
		if (!fold.has_kinds && !strcmp(tables[i].view, "buckets"))
			continue;
		TRY(write_table(&fold, i));
		if (!strcmp(tables[i].view, "call_sites") || !strcmp(tables[i].view, "growth"))
			TRY(stand_in(&fold, tables[i].view));
	}
	return NULL;
}
