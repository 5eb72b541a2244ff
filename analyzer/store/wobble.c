// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/wobble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/rows.h"

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

/* A change in a bucket, of a site. */
struct move {
	size_t site;
	size_t bucket;
	double change;
};

static void sort(struct side_id *id, size_t nr)
{
	size_t i = 1;

	while (i < nr && id[i - 1].id <= id[i].id)
		i++;
	if (i < nr)
		qsort(id, nr, sizeof(*id), compare);
}

static struct err *set_kept(void *arg, const struct cell *row)
{
	struct side *side = arg;
	const struct side_id *id = find(side->id, side->nr_ids, row[0].i);

	if (!id)
		return NULL;
	side_figures(side, id->site)->variance = fmax(row[1].real, 0);
	side->moves = true;
	return NULL;
}

struct moves {
	const struct side *side;
	struct move *move;
	size_t nr, cap;
	size_t nr_buckets;
	int64_t first;		    /* bucket */
	const struct side_id *last; /* that came; the next is mostly the same */
};

static void moves_deinit(struct moves *moves)
{
	free(moves->move);
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

/* Columns of _bucket; what changed is behind them. */
enum { CALLSITE, SELF, BUCKET, CHANGE };

static struct err *add_move(void *arg, const struct cell *row)
{
	struct moves *moves = arg;
	uint64_t bucket = (uint64_t)row[BUCKET].i - (uint64_t)moves->first;
	int64_t id = (int64_t)(2 * (uint64_t)row[CALLSITE].i + (uint64_t)row[SELF].i);

	if (bucket >= moves->nr_buckets)
		return NULL;
	if (!moves->last || moves->last->id != id)
		moves->last = find(moves->side->id, moves->side->nr_ids, id);
	if (!moves->last)
		return NULL;
	vec_room(moves->move, moves->nr, moves->cap);
	moves->move[moves->nr++] = (struct move){
		.site = moves->last->site,
		.bucket = bucket,
		.change = (double)row[CHANGE].i,
	};
	return NULL;
}

/* How a figure moved from bucket to bucket of time; where nothing did, there is no row. */
static struct err *load_moves(struct moves *moves, struct query_db *db, const char *change)
{
	auto_free char *columns = xasprintf("callsite, self, bucket, %s", change);

	return rows_each(db, &(struct rows_query){ "_bucket", columns, .fn = add_move,
						   .arg = moves });
}

/* One site after the other, so that all of them need one series in memory. */
static void set_variances(struct side *side, const struct moves *moves, bool level)
{
	auto_free size_t *end = xcalloc(side->nr_sites + 1, sizeof(*end));
	auto_free const struct move **order = xcalloc(moves->nr + 1, sizeof(*order));
	auto_free double *change = xcalloc(moves->nr_buckets, sizeof(*change));

	for (size_t i = 0; i < moves->nr; i++)
		end[moves->move[i].site + 1]++;
	for (size_t i = 0; i < side->nr_sites; i++)
		end[i + 1] += end[i];
	/* Each start becomes an end, which is the start of the next. */
	for (size_t i = 0; i < moves->nr; i++)
		order[end[moves->move[i].site]++] = &moves->move[i];
	for (size_t site = 0, at = 0; site < side->nr_sites; site++) {
		if (at == end[site])
			continue;
		memset(change, 0, moves->nr_buckets * sizeof(*change));
		for (; at < end[site]; at++)
			change[order[at]->bucket] += order[at]->change;
		side_figures(side, site)->variance =
			wobble_variance(change, moves->nr_buckets, level);
		side->moves = true;
	}
}

/* Sets *ret_kept to false where the database does not have it, or not of these sites. */
static struct err *load_kept(struct side *side, struct query_db *db, const char *metric,
			     bool *ret_kept)
{
	CLEANUP(query_cleanup) struct query *known = NULL;
	auto_free char *columns = xasprintf("call_site, %s_variance", metric);
	auto_free char *has = xasprintf("SELECT 1 FROM pragma_table_info('_folded_noise') "
					"WHERE name = '%s_variance'",
					metric);
	const struct cell *row;

	*ret_kept = false;
	/* What several call sites have together is not known from what each has. */
	if (query_db_is_older(db) || side->nr_ids != side->nr_sites)
		return NULL;
	TRY(query_prepare(db, has, NULL, &known));
	TRY(query_next(known, &row));
	if (!row)
		return NULL;
	*ret_kept = true;
	return rows_each(db, &(struct rows_query){ "_folded_noise", columns, .fn = set_kept,
						   .arg = side });
}

/* The column of _bucket that a figure changed by; NULL: the buckets say nothing of it. */
static const char *change_of(const char *metric)
{
	static const char *const known[][2] = {
		{ "bytes", "net_bytes" },
		{ "calls", "net_calls" },
		{ "alloc_bytes", "alloc_bytes" },
		{ "allocs", "allocs" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(metric, known[i][0]))
			return known[i][1];
	return NULL;
}

struct err *wobble_load(struct side *side, struct query_db *db, const struct side_opts *opts)
{
	CLEANUP(moves_deinit) struct moves moves = {};
	bool level = !strcmp(opts->metric, "bytes") || !strcmp(opts->metric, "calls");
	bool kept = false;
	int64_t nr = 0;

	TRY(count_buckets(db, &nr));
	int64_t first = level ? nr / 2 : 0;

	const char *change = change_of(opts->metric);

	if (!side->nr_ids || !change || nr > MAX_BUCKETS || nr - first < WOBBLE_BUCKETS)
		return NULL;
	sort(side->id, side->nr_ids);
	if (level)
		TRY(load_kept(side, db, opts->metric, &kept));
	if (kept)
		return NULL;
	moves.side = side;
	moves.first = first;
	moves.nr_buckets = (size_t)(nr - first);
	TRY(load_moves(&moves, db, change));
	set_variances(side, &moves, level);
	return NULL;
}
