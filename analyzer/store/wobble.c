// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/wobble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/library.h"

enum { MAX_BUCKETS = 4096 };

/* Around the line that fits best. */
static double around_line(const double *change, size_t nr)
{
	double n = (double)nr, y = 0, sum = 0, sum_xy = 0, sum_yy = 0;

	for (size_t i = 0; i < nr; i++) {
		y += change[i];
		sum += y;
	}
	double mean = sum / n;

	y = 0;
	for (size_t i = 0; i < nr; i++) {
		y += change[i];
		sum_xy += ((double)i - (n - 1) / 2) * (y - mean);
		sum_yy += (y - mean) * (y - mean);
	}
	double explained = sum_xy * sum_xy / (n * (n * n - 1) / 12);

	return fmax(sum_yy - explained, 0) / (n - 2);
}

static double of_sum(const double *change, size_t nr)
{
	double n = (double)nr, sum = 0, squares = 0;

	for (size_t i = 0; i < nr; i++)
		sum += change[i];
	for (size_t i = 0; i < nr; i++)
		squares += (change[i] - sum / n) * (change[i] - sum / n);
	return squares / (n - 1) * n;
}

double wobble_variance(const double *change, size_t nr, bool level)
{
	if (nr < WOBBLE_BUCKETS)
		return 0;
	return level ? around_line(change, nr) : of_sum(change, nr);
}

static int compare(const void *a, const void *b)
{
	const struct side_id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static const struct side_id *find(const struct side_id *id, size_t nr, int64_t wanted)
{
	const struct side_id key = { .id = wanted };

	return nr ? bsearch(&key, id, nr, sizeof(key), compare) : NULL;
}

struct moves {
	struct side_id *raw; /* raw sites, ascending, and the sites they are of */
	size_t nr_raw, cap_raw;
	double **change; /* of each site; NULL: none */
	size_t nr_sites, nr_buckets;
};

static void moves_deinit(struct moves *moves)
{
	for (size_t i = 0; i < moves->nr_sites; i++)
		free(moves->change[i]);
	free(moves->change);
	free(moves->raw);
}

static struct err *load_raw_sites(struct moves *moves, struct side *side, struct query_db *db)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	qsort(side->id, side->nr_ids, sizeof(*side->id), compare);
	TRY(query_prepare(db,
			  "SELECT id, 2 * callsite + self AS site FROM _raw_site ORDER BY id",
			  NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		const struct side_id *id = find(side->id, side->nr_ids, row[1].i);

		if (!id)
			continue;
		vec_room(moves->raw, moves->nr_raw, moves->cap_raw);
		moves->raw[moves->nr_raw++] = (struct side_id){ row[0].i, id->site };
	}
}

static struct err *count_buckets(struct query_db *db, int64_t *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, "SELECT buckets FROM _recording", NULL, &query));
	TRY(query_next(query, &row));
	*ret = row ? row[0].i : 0;
	return NULL;
}

/* Columns of schema/queries/diff_noise.sql. */
enum { RAW_SITE, BUCKET, CHANGE };

static struct err *load_changes(struct moves *moves, struct query_db *db, const char *metric,
				int64_t first)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct side_id *id = NULL;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("diff_noise"), NULL, &query));
	query_bind_text(query, ":metric", metric);
	query_bind_int(query, ":first", first);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		uint64_t bucket = (uint64_t)row[BUCKET].i - (uint64_t)first;

		if (!id || id->id != row[RAW_SITE].i)
			id = find(moves->raw, moves->nr_raw, row[RAW_SITE].i);
		if (!id || bucket >= moves->nr_buckets)
			continue;
		double **change = &moves->change[id->site];

		if (!*change)
			*change = xcalloc(moves->nr_buckets, sizeof(**change));
		(*change)[bucket] += (double)row[CHANGE].i;
	}
}

/* Of other figures the buckets say nothing. */
static bool has_buckets(const char *metric)
{
	static const char *const known[] = { "bytes", "calls", "alloc_bytes", "allocs" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(metric, known[i]))
			return true;
	return false;
}

struct err *wobble_load(struct side *side, struct query_db *db, const struct side_opts *opts)
{
	CLEANUP(moves_deinit) struct moves moves = {};
	bool level = !strcmp(opts->metric, "bytes") || !strcmp(opts->metric, "calls");
	int64_t nr = 0;

	TRY(count_buckets(db, &nr));
	int64_t first = level ? nr / 2 : 0;

	if (!side->nr_ids || !has_buckets(opts->metric) || nr > MAX_BUCKETS ||
	    nr - first < WOBBLE_BUCKETS)
		return NULL;
	moves.change = xcalloc(side->nr_sites, sizeof(*moves.change));
	moves.nr_sites = side->nr_sites;
	moves.nr_buckets = (size_t)(nr - first);
	TRY(load_raw_sites(&moves, side, db));
	TRY(load_changes(&moves, db, opts->metric, first));
	for (size_t i = 0; i < side->nr_sites; i++) {
		if (!moves.change[i])
			continue;
		side_figures(side, i)->variance =
			wobble_variance(moves.change[i], moves.nr_buckets, level);
		side->moves = true;
	}
	return NULL;
}
