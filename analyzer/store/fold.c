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
#include "store/schema.h"
#include "store/wobble.h"

/* Up to here a double holds each integer, so that no order of adding matters. */
#define EXACT (INT64_C(1) << 53)

/* In this order: what comes later is made of call_sites. */
static const struct {
	const char *view;
	const char *by; /* column of its index, or NULL */
	bool unique;
} tables[] = {
	{ "call_sites", "id", true },	  { "totals", NULL, false },
	{ "growth", "call_site", false }, { "lifetimes", "call_site", false },
	{ "waste", NULL, false },	  { "leak_sites", "call_site", false },
};

/* What a raw site has in one bucket, or in one bin of lives. */
struct entry {
	uint32_t at;
	int64_t a, b; /* bytes and calls, or ended and live */
};

struct raw {
	int64_t id, call_site, recording;
	size_t first, nr; /* entries */
};

struct fold {
	sqlite3 *db;
	struct raw *raw;	  /* by id */
	const struct raw **order; /* by call site and recording */
	size_t nr_raw;
	struct entry *entry; /* of what is being added up */
	size_t nr_entries, cap_entries;
};

/* The sums of a call site in one recording. */
struct sums {
	int64_t call_site, recording;
	int64_t a[LIFE_BINS], b[LIFE_BINS];
	uint32_t end; /* the last that it has, and one */
};

static_assert((int)LIFE_BINS >= (int)SERIES_BUCKETS, "sums have room for buckets");

static void stmt_finalize(sqlite3_stmt *stmt)
{
	sqlite3_finalize(stmt);
}
DEFINE_CLEANUP(sqlite3_stmt *, stmt, stmt_finalize)

static void fold_deinit(struct fold *fold)
{
	free(fold->raw);
	free(fold->order);
	free(fold->entry);
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

static int by_call_site(const void *a, const void *b)
{
	const struct raw *x = *(const struct raw *const *)a, *y = *(const struct raw *const *)b;

	if (x->call_site != y->call_site)
		return x->call_site < y->call_site ? -1 : 1;
	if (x->recording != y->recording)
		return x->recording < y->recording ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static struct err *read_raw_sites(struct fold *fold)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	size_t cap = 0;
	bool row;

	TRY(prepare(fold,
		    "SELECT id, 2 * callsite + self, recording FROM main._raw_site ORDER BY id",
		    &stmt));
	for (;;) {
		TRY(next(fold, stmt, &row));
		if (!row)
			break;
		vec_room(fold->raw, fold->nr_raw, cap);
		fold->raw[fold->nr_raw++] = (struct raw){
			.id = sqlite3_column_int64(stmt, 0),
			.call_site = sqlite3_column_int64(stmt, 1),
			.recording = sqlite3_column_int64(stmt, 2),
		};
	}
	fold->order = xcalloc(fold->nr_raw + 1, sizeof(*fold->order));
	for (size_t i = 0; i < fold->nr_raw; i++)
		fold->order[i] = &fold->raw[i];
	qsort(fold->order, fold->nr_raw, sizeof(*fold->order), by_call_site);
	return NULL;
}

static bool is_exact(int64_t n)
{
	return n <= EXACT && n >= -EXACT;
}

/*
 * The rows of @sql: raw site and place, both ascending, and two numbers. Sets *ret_plain
 * to false for what is left to the view.
 */
static struct err *read_entries(struct fold *fold, const char *sql, uint32_t limit,
				int64_t least, bool *ret_plain)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	size_t i = 0;
	bool row;

	*ret_plain = false;
	fold->nr_entries = 0;
	for (size_t n = 0; n < fold->nr_raw; n++)
		fold->raw[n].first = fold->raw[n].nr = 0;
	TRY(prepare(fold, sql, &stmt));
	for (;;) {
		TRY(next(fold, stmt, &row));
		if (!row)
			break;
		int64_t id = sqlite3_column_int64(stmt, 0);
		int64_t at = sqlite3_column_int64(stmt, 1);
		int64_t a = sqlite3_column_int64(stmt, 2), b = sqlite3_column_int64(stmt, 3);

		while (i < fold->nr_raw && fold->raw[i].id < id)
			i++;
		if (i == fold->nr_raw || fold->raw[i].id != id || at < 0 || at >= limit ||
		    !is_exact(a) || !is_exact(b) || a < least || b < least)
			return NULL;
		if (!fold->raw[i].nr++)
			fold->raw[i].first = fold->nr_entries;
		vec_room(fold->entry, fold->nr_entries, fold->cap_entries);
		fold->entry[fold->nr_entries++] = (struct entry){ (uint32_t)at, a, b };
	}
	*ret_plain = true;
	return NULL;
}

/* Adds up the next call site that has entries, from *i of the order on; false: no more. */
static bool add_up(const struct fold *fold, size_t *i, struct sums *sums, bool *plain)
{
	memset(sums, 0, sizeof(*sums));
	for (; *i < fold->nr_raw; (*i)++) {
		const struct raw *raw = fold->order[*i];

		if (!raw->nr)
			continue;
		if (sums->end &&
		    (raw->call_site != sums->call_site || raw->recording != sums->recording))
			break;
		sums->call_site = raw->call_site;
		sums->recording = raw->recording;
		for (size_t n = 0; n < raw->nr; n++) {
			const struct entry *e = &fold->entry[raw->first + n];

			sums->a[e->at] += e->a;
			sums->b[e->at] += e->b;
			*plain &= is_exact(sums->a[e->at]) && is_exact(sums->b[e->at]);
			if (sums->end <= e->at)
				sums->end = e->at + 1;
		}
		if (!*plain)
			return false;
	}
	return sums->end;
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
	double change[SERIES_BUCKETS] = {};

	if (sums->end <= half)
		return NULL;
	for (int64_t i = half; i < sums->end; i++)
		change[i - half] = (double)sums->a[i];
	sqlite3_bind_int64(stmt, 1, sums->call_site);
	sqlite3_bind_double(stmt, 2,
			    wobble_variance(change, (size_t)(buckets->nr - half), true));
	return insert(fold, stmt);
}

static struct err *growth_sums(struct fold *fold, struct sums *sums, bool *ret_plain)
{
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;
	CLEANUP(stmt_cleanup) sqlite3_stmt *noise = NULL;
	auto_free struct buckets *list = NULL;
	size_t nr = 0;

	TRY(read_buckets(fold, &list, &nr));
	TRY(read_entries(fold,
			 "SELECT raw_site, bucket, net_bytes, net_calls FROM main._bucket "
			 "ORDER BY raw_site, bucket",
			 SERIES_BUCKETS, -EXACT, ret_plain));
	TRY(exec(fold,
		 "CREATE TEMP TABLE _growth_sums (call_site, recording, n, late_n, width, "
		 "y, xy, late_y, late_xy, net, calls, moved, rises, falls)"));
	TRY(prepare(fold,
		    "INSERT INTO temp._growth_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		    "?, ?)",
		    &stmt));
	TRY(exec(fold, "CREATE TABLE main._folded_noise "
		       "(call_site INTEGER PRIMARY KEY, bytes_variance REAL)"));
	TRY(prepare(fold, "INSERT INTO main._folded_noise VALUES (?, ?)", &noise));
	for (size_t i = 0; *ret_plain && add_up(fold, &i, sums, ret_plain);) {
		const struct buckets *buckets =
			bsearch(&sums->recording, list, nr, sizeof(*list), by_recording);

		if (!buckets || sums->end > buckets->nr)
			*ret_plain = false;
		else
			TRY(write_growth(fold, sums, buckets, stmt));
		if (*ret_plain && nr == 1)
			TRY(write_noise(fold, sums, buckets, noise));
	}
	sqlite3_finalize(take_ptr(noise));
	if (!*ret_plain || nr != 1)
		TRY(exec(fold, "DROP TABLE main._folded_noise"));
	return NULL;
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
	CLEANUP(stmt_cleanup) sqlite3_stmt *stmt = NULL;

	TRY(read_entries(fold,
			 "SELECT raw_site, bin, ended, live FROM main._life "
			 "ORDER BY raw_site, bin",
			 LIFE_BINS, 0, ret_plain));
	TRY(exec(fold,
		 "CREATE TEMP TABLE _life_quantiles (call_site, recording, p50, p90, p99, "
		 "p999, over_p50, over_p90, over_p99, over_p999, "
		 "PRIMARY KEY (call_site, recording)) WITHOUT ROWID"));
	TRY(prepare(fold,
		    "INSERT INTO temp._life_quantiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    &stmt));
	for (size_t i = 0; *ret_plain && add_up(fold, &i, sums, ret_plain);)
		TRY(write_lives(fold, sums, stmt));
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

static struct err *write_table(const struct fold *fold, size_t i)
{
	const char *view = tables[i].view, *by = tables[i].by;
	struct schema_view text = find_view(view);
	auto_free char *sql = xasprintf("CREATE TABLE main._folded_%s AS %.*s", view,
					text.query_len, text.query);

	TRY(exec(fold, sql));
	if (!by)
		return NULL;
	auto_free char *index = xasprintf("CREATE %sINDEX _folded_%s_by_%s ON _folded_%s (%s)",
					  tables[i].unique ? "UNIQUE " : "", view,
					  strcmp(by, "call_site") ? by : "site", view, by);

	return exec(fold, index);
}

struct err *fold_write(sqlite3 *db)
{
	CLEANUP(fold_deinit) struct fold fold = { .db = db };
	auto_free struct sums *sums = xmalloc(sizeof(*sums));
	bool plain;

	TRY(exec(&fold, "PRAGMA temp_store = MEMORY"));
	TRY(read_raw_sites(&fold));
	TRY(growth_sums(&fold, sums, &plain));
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
		TRY(write_table(&fold, i));
		if (!i)
			TRY(exec(&fold, "CREATE TEMP VIEW call_sites AS "
					"SELECT * FROM main._folded_call_sites"));
	}
	return NULL;
}
