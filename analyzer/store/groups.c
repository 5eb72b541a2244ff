// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/outward.h"
#include "store/rows.h"

/* What one column of a table adds to. */
struct addend {
	const char *column;
	uint32_t to;   /* bits of enum sums_of */
	uint32_t from; /* likewise: it is taken off */
};

#define BIT(sum) (UINT32_C(1) << (sum))

/* Columns of _account. */
static const struct addend account_addends[] = {
	{ "alloc_bytes", BIT(SUMS_NET_BYTES) | BIT(SUMS_ALLOC_BYTES), 0 },
	{ "free_bytes", 0, BIT(SUMS_NET_BYTES) },
	{ "inferred_bytes", BIT(SUMS_INFERRED_BYTES), BIT(SUMS_NET_BYTES) },
	{ "allocs", BIT(SUMS_NET_CALLS) | BIT(SUMS_ALLOCS), 0 },
	{ "frees", BIT(SUMS_FREES), BIT(SUMS_NET_CALLS) },
	{ "inferred_frees", BIT(SUMS_INFERRED_FREES), BIT(SUMS_NET_CALLS) },
	{ "pieces", BIT(SUMS_NET_CALLS), 0 },
	{ "bytes_req", BIT(SUMS_BYTES_REQ), 0 },
	{ "failures", BIT(SUMS_FAILURES), 0 },
	{ "uncertain_calls", BIT(SUMS_UNCERTAIN_CALLS), 0 },
	{ "uncertain_bytes", BIT(SUMS_UNCERTAIN_BYTES), 0 },
};

/* Columns of _raw_site, but for net_bytes_var. */
static const struct addend site_addends[] = {
	{ "net_bytes", BIT(SUMS_NET_BYTES), 0 },
	{ "net_calls", BIT(SUMS_NET_CALLS), 0 },
	{ "alloc_bytes", BIT(SUMS_ALLOC_BYTES), 0 },
	{ "allocs", BIT(SUMS_ALLOCS), 0 },
	{ "frees", BIT(SUMS_FREES), 0 },
	{ "bytes_req", BIT(SUMS_BYTES_REQ), 0 },
	{ "failures", BIT(SUMS_FAILURES), 0 },
	{ "uncertain_calls", BIT(SUMS_UNCERTAIN_CALLS), 0 },
	{ "uncertain_bytes", BIT(SUMS_UNCERTAIN_BYTES), 0 },
	{ "peak_bytes", BIT(SUMS_PEAK_BYTES), 0 },
	{ "unknown_frees", BIT(SUMS_UNKNOWN_FREES), 0 },
	{ "preexisting_frees", BIT(SUMS_PREEXISTING_FREES), 0 },
	{ "preexisting_bytes", BIT(SUMS_PREEXISTING_BYTES), 0 },
	{ "reuse_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "slab_page_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "overlap_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "area_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "rcu_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "reuse_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "slab_page_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "overlap_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "area_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "rcu_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
};

enum { MAX_ADDENDS = sizeof(site_addends) / sizeof(*site_addends) };

/* One that is asked for, behind other arguments. */
struct wanted_addend {
	uint8_t sum[2]; /* that it adds to, or is taken off; NR_SUMS: none */
	bool taken_off[2];
};

/* While rows are added up. */
struct scan {
	struct groups *groups;
	struct wanted_addend addend[MAX_ADDENDS];
	int nr_addends;
	const uint32_t *caller; /* names of groups by raw site; NULL: not by caller */
};

struct groups *groups_new(void)
{
	struct groups *groups = xcalloc(1, sizeof(*groups));

	groups->users = 1;
	return groups;
}

void groups_put(struct groups *groups)
{
	if (!groups || --groups->users)
		return;
	sums_deinit(&groups->sums);
	sums_deinit(&groups->kinds);
	who_deinit(&groups->who);
	rawsites_deinit(&groups->sites);
	free(groups);
}

static void want(struct scan *scan, const struct addend *addend)
{
	struct wanted_addend wanted = { .sum = { NR_SUMS, NR_SUMS } };
	int nr = 0;

	for (uint8_t i = 0; i < NR_SUMS && nr < 2; i++) {
		if (!((addend->to | addend->from) & scan->groups->wanted & BIT(i)))
			continue;
		wanted.sum[nr] = i;
		wanted.taken_off[nr++] = addend->from & BIT(i);
	}
	scan->addend[scan->nr_addends++] = wanted;
}

/* The columns of @addends that something of what is asked for needs, behind others. */
static char *columns(struct scan *scan, const struct addend *addends, size_t nr, char *others)
{
	char *list = others;

	for (size_t i = 0; i < nr; i++) {
		if (!((addends[i].to | addends[i].from) & scan->groups->wanted))
			continue;
		char *longer = xasprintf("%s, %s", list, addends[i].column);

		free(list);
		list = longer;
		want(scan, &addends[i]);
	}
	return list;
}

/* The sums of the row's group, to which it is added. */
static int64_t *add_numbers(const struct scan *scan, struct sums *sums,
			    const struct sums_row *row, const struct cell *value)
{
	int64_t *sum = sums_group(sums, row)->sum;

	for (int i = 0; i < scan->nr_addends; i++) {
		const struct wanted_addend *addend = &scan->addend[i];
		int64_t v = value[i].i;

		for (int n = 0; v && n < 2 && addend->sum[n] < NR_SUMS; n++) {
			int64_t *to = &sum[addend->sum[n]];

			sums->overflow |= addend->taken_off[n]
						  ? __builtin_sub_overflow(*to, v, to)
						  : __builtin_add_overflow(*to, v, to);
		}
	}
	return sum;
}

static struct sums_row row_of(const struct groups *groups, const struct raw_place *raw)
{
	return (struct sums_row){
		.kind = raw->kind,
		.name = raw->name,
		.raw_site = (uint32_t)(raw - groups->sites.raw),
		.call_site = raw->call_site,
		.same = raw->same,
		.cache = raw->cache,
		.self = raw->self,
		.first_ns = INT64_MAX,
		.last_ns = INT64_MIN,
	};
}

static struct who_key key_of(const struct cell *cell)
{
	return (struct who_key){ cell->type != CELL_NULL, cell->i };
}

/* ---- accounts */

/* Only the dimensions that are asked for are read. */
static char *account_columns(struct scan *scan)
{
	static const char *const names[WHO_DIMS] = {
		[WHO_TASK] = "pid",	    [WHO_CPU] = "cpu",
		[WHO_CONTEXT] = "context",  [WHO_GFP] = "gfp",
		[WHO_ORDER] = "page_order", [WHO_MIGRATETYPE] = "migratetype",
	};
	char *list = xstrdup(rawsites_needs_cache(&scan->groups->opts) ? "raw_site, cache"
								       : "raw_site, NULL");

	for (int i = 0; i < WHO_DIMS; i++) {
		if (!scan->groups->who.dim[i].needed)
			continue;
		char *longer = xasprintf("%s, %s", list, names[i]);

		free(list);
		list = longer;
	}
	return columns(scan, account_addends,
		       sizeof(account_addends) / sizeof(*account_addends), list);
}

static bool is_wanted(const void *arg, int64_t raw_site)
{
	const struct scan *scan = arg;
	const struct raw_place *raw = rawsites_find(&scan->groups->sites, raw_site);

	return raw && raw->wanted;
}

/* Of a raw site that is wanted. */
static struct err *add_account(void *arg, const struct cell *value)
{
	const struct scan *scan = arg;
	struct groups *groups = scan->groups;
	const struct raw_place *raw = rawsites_find(&groups->sites, value++->i);
	struct who_key cache = key_of(value++), key[WHO_DIMS] = {};
	struct sums_row row = row_of(groups, raw);

	for (int i = 0; i < WHO_DIMS; i++)
		if (groups->who.dim[i].needed)
			key[i] = key_of(value++);
	if (!who_find(&groups->who, raw, key, &cache, &row.name, &row.cache))
		return NULL;
	add_numbers(scan, &groups->sums, &row, value);
	if (!groups->filtered)
		return NULL;
	row.name = row.kind;
	add_numbers(scan, &groups->kinds, &row, value);
	return NULL;
}

/* ---- raw sites */

enum { SITE_ID, SITE_VAR, SITE_FIRST_NS, SITE_LAST_NS, SITE_NUMBERS };

static char *site_columns(struct scan *scan)
{
	const struct groups *groups = scan->groups;
	char *list =
		xasprintf("id, %s, %s",
			  groups->wanted & BIT(SUMS_NET_SE_BYTES) ? "net_bytes_var" : "NULL",
			  groups->needs_times ? "first_ns, last_ns" : "NULL, NULL");

	return columns(scan, site_addends, MAX_ADDENDS, list);
}

static struct err *add_site(void *arg, const struct cell *value)
{
	const struct scan *scan = arg;
	struct groups *groups = scan->groups;
	const struct raw_place *raw = rawsites_find(&groups->sites, value[SITE_ID].i);
	struct who_key first = key_of(&value[SITE_FIRST_NS]),
		       last = key_of(&value[SITE_LAST_NS]);
	struct sums_row row = row_of(groups, raw);

	if (scan->caller)
		row.name = scan->caller[row.raw_site];
	if (first.known)
		row.first_ns = first.value;
	if (last.known)
		row.last_ns = last.value;
	int64_t *sum = add_numbers(scan, &groups->sums, &row, value + SITE_NUMBERS);
	int64_t error = (int64_t)sqrt(fabs(value[SITE_VAR].real)),
		*errors = &sum[SUMS_NET_SE_BYTES];

	groups->sums.overflow |= __builtin_add_overflow(*errors, error, errors);
	return NULL;
}

/* ---- */

static struct err *sum_accounts(struct groups *groups, struct query_db *db)
{
	struct scan scan = { .groups = groups };

	TRY(who_load(&groups->who, db, &groups->sites));
	auto_free char *list = account_columns(&scan);

	return rows_each(db, &(struct rows_query){ "_account", list, .fn = add_account,
						   .arg = &scan, .wanted = is_wanted });
}

static struct err *sum_sites(struct groups *groups, struct query_db *db)
{
	auto_free uint32_t *caller = NULL;
	struct scan scan = { .groups = groups };

	if (groups->opts.by == RAWSITES_BY_CALLER)
		TRY(outward_names(&groups->sites, db, &caller));
	scan.caller = caller;
	auto_free char *list = site_columns(&scan);

	return rows_each(db, &(struct rows_query){ "_raw_site", list, .fn = add_site,
						   .arg = &scan, .wanted = is_wanted });
}

struct err *groups_sum(struct groups *groups, struct query_db *db, bool accounts)
{
	TRY(rawsites_load(&groups->sites, db, &groups->opts));
	TRY(accounts ? sum_accounts(groups, db) : sum_sites(groups, db));
	size_t nr_raw = groups->sites.nr_raw, nr_sites = groups->sites.nr_call_sites;

	TRY(sums_finish(&groups->sums, nr_raw, nr_sites));
	return sums_finish(&groups->kinds, nr_raw, nr_sites);
}
