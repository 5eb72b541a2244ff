// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/groups.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

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
	{ "r.net_bytes", BIT(SUMS_NET_BYTES), 0 },
	{ "r.net_calls", BIT(SUMS_NET_CALLS), 0 },
	{ "r.alloc_bytes", BIT(SUMS_ALLOC_BYTES), 0 },
	{ "r.allocs", BIT(SUMS_ALLOCS), 0 },
	{ "r.frees", BIT(SUMS_FREES), 0 },
	{ "r.bytes_req", BIT(SUMS_BYTES_REQ), 0 },
	{ "r.failures", BIT(SUMS_FAILURES), 0 },
	{ "r.uncertain_calls", BIT(SUMS_UNCERTAIN_CALLS), 0 },
	{ "r.uncertain_bytes", BIT(SUMS_UNCERTAIN_BYTES), 0 },
	{ "r.peak_bytes", BIT(SUMS_PEAK_BYTES), 0 },
	{ "r.unknown_frees", BIT(SUMS_UNKNOWN_FREES), 0 },
	{ "r.preexisting_frees", BIT(SUMS_PREEXISTING_FREES), 0 },
	{ "r.preexisting_bytes", BIT(SUMS_PREEXISTING_BYTES), 0 },
	{ "r.reuse_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "r.slab_page_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "r.overlap_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "r.area_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "r.rcu_frees", BIT(SUMS_INFERRED_FREES), 0 },
	{ "r.reuse_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "r.slab_page_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "r.overlap_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "r.area_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
	{ "r.rcu_bytes", BIT(SUMS_INFERRED_BYTES), 0 },
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
	intern_deinit(&groups->callers);
	free(groups->caller);
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

static void add_numbers(const struct scan *scan, struct sums_row *row, sqlite3_value **value)
{
	bool *overflow = &scan->groups->sums.overflow;

	for (int i = 0; i < scan->nr_addends; i++) {
		const struct wanted_addend *addend = &scan->addend[i];
		int64_t v = sqlite3_value_int64(value[i]);

		for (int n = 0; n < 2 && addend->sum[n] < NR_SUMS; n++) {
			int64_t *sum = &row->sum[addend->sum[n]];

			*overflow |= addend->taken_off[n]
					     ? __builtin_sub_overflow(*sum, v, sum)
					     : __builtin_add_overflow(*sum, v, sum);
		}
	}
}

static void add(struct groups *groups, struct sums_row *row, const struct raw_place *raw)
{
	row->kind = raw->kind;
	row->raw_site = (uint32_t)(raw - groups->sites.raw);
	row->call_site = raw->call_site;
	row->same = raw->same;
	row->self = raw->self;
	sums_add(&groups->sums, row);
}

static struct who_key key_of(sqlite3_value *value)
{
	bool known = sqlite3_value_type(value) != SQLITE_NULL;

	return (struct who_key){ known, known ? sqlite3_value_int64(value) : 0 };
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
	char *list = xstrdup(scan->groups->needs_cache ? "raw_site, cache" : "raw_site, NULL");

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

static void add_account(const struct scan *scan, sqlite3_value **value)
{
	struct groups *groups = scan->groups;
	const struct raw_place *raw =
		rawsites_find(&groups->sites, sqlite3_value_int64(*value++));

	if (!raw || !raw->wanted)
		return;
	struct who_key cache = key_of(*value++), key[WHO_DIMS] = {};
	struct sums_row row = { .first_ns = INT64_MAX, .last_ns = INT64_MIN };

	for (int i = 0; i < WHO_DIMS; i++)
		if (groups->who.dim[i].needed)
			key[i] = key_of(*value++);
	if (!who_find(&groups->who, raw, key, &cache, &row.name, &row.cache))
		return;
	add_numbers(scan, &row, value);
	add(groups, &row, raw);
	if (!groups->filtered)
		return;
	row.name = row.kind;
	sums_add(&groups->kinds, &row);
}

/* ---- raw sites */

static uint32_t caller_name(struct groups *groups, sqlite3_value *frame)
{
	int64_t id = sqlite3_value_int64(frame);
	bool is_new;

	if (sqlite3_value_type(frame) == SQLITE_NULL)
		return 0;
	uint32_t nr = intern_id(&groups->callers, &id, sizeof(id), &is_new);

	return is_new || nr > groups->nr_callers ? 0 : groups->caller[nr - 1];
}

enum { SITE_ID, SITE_FRAME, SITE_VAR, SITE_FIRST_NS, SITE_LAST_NS, SITE_NUMBERS };

static char *site_columns(struct scan *scan, bool caller)
{
	const struct groups *groups = scan->groups;
	char *list =
		xasprintf("r.id, %s, %s, %s", caller ? "s.frame" : "NULL",
			  groups->wanted & BIT(SUMS_NET_SE_BYTES) ? "r.net_bytes_var" : "NULL",
			  groups->needs_times ? "r.first_ns, r.last_ns" : "NULL, NULL");

	return columns(scan, site_addends, MAX_ADDENDS, list);
}

static void add_site(const struct scan *scan, sqlite3_value **value)
{
	struct groups *groups = scan->groups;
	const struct raw_place *raw =
		rawsites_find(&groups->sites, sqlite3_value_int64(value[SITE_ID]));

	if (!raw || !raw->wanted)
		return;
	struct who_key first = key_of(value[SITE_FIRST_NS]), last = key_of(value[SITE_LAST_NS]);
	struct sums_row row = {
		.name = groups->opts.by == RAWSITES_BY_CALLER
				? caller_name(groups, value[SITE_FRAME])
				: raw->name,
		.cache = raw->cache,
		.first_ns = first.known ? first.value : INT64_MAX,
		.last_ns = last.known ? last.value : INT64_MIN,
	};

	add_numbers(scan, &row, value + SITE_NUMBERS);
	row.sum[SUMS_NET_SE_BYTES] = (int64_t)sqrt(fabs(sqlite3_value_double(value[SITE_VAR])));
	add(groups, &row, raw);
}

/* How each frame is called as a caller. */
static struct err *load_callers(struct groups *groups, struct query_db *db)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db,
			  "SELECT id, func || coalesce(' ' || file || ':' || line, "
			  "printf('+%#x', sym_off), '') FROM _frame",
			  NULL, &query));
	for (;;) {
		bool is_new;

		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		intern_id(&groups->callers, &row[0].i, sizeof(row[0].i), &is_new);
		if (!is_new)
			continue;
		vec_room(groups->caller, groups->nr_callers, groups->cap_callers);
		groups->caller[groups->nr_callers++] =
			row[1].type == CELL_NULL
				? 0
				: strings_id(&groups->sites.strings, row[1].text, row[1].len);
	}
}

/* ---- */

/* An aggregate to SQLite: it makes no row of results, half the time where rows are short. */
static void step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct groups_source *source = sqlite3_user_data(context);

	(void)argc;
	if (source->scan)
		source->accounts ? add_account(source->scan, argv)
				 : add_site(source->scan, argv);
}

static void no_result(sqlite3_context *context)
{
	(void)context;
}

struct err *groups_source_new(struct query_db *db, struct groups_source **ret)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DIRECTONLY };
	struct groups_source *source = xcalloc(1, sizeof(*source));

	source->db = db;
	if (sqlite3_create_function_v2(query_db_handle(db), "_sum_row", -1, FLAGS, source, NULL,
				       step, no_result, free) != SQLITE_OK)
		return err_new(ERR_DB, "%s", sqlite3_errmsg(query_db_handle(db)));
	*ret = source;
	return NULL;
}

static struct err *sum_up(struct groups_source *source, struct scan *scan, const char *list,
			  const char *from)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql = xasprintf("SELECT _sum_row(%s) FROM %s", list, from);
	const struct cell *row;

	TRY(query_prepare(source->db, sql, NULL, &query));
	if (query_has_param(query, ":depth"))
		query_bind_int(query, ":depth", scan->groups->opts.depth);
	source->scan = scan;
	struct err *err = query_next(query, &row);

	source->scan = NULL;
	return err;
}

struct err *groups_sum(struct groups *groups, struct groups_source *source, bool accounts)
{
	struct query_db *db = source->db;
	struct scan scan = { .groups = groups };
	bool caller = !accounts && groups->opts.by == RAWSITES_BY_CALLER;

	TRY(rawsites_load(&groups->sites, db, &groups->opts));
	if (accounts)
		TRY(who_load(&groups->who, db, &groups->sites));
	if (caller)
		TRY(load_callers(groups, db));
	auto_free char *list = accounts ? account_columns(&scan) : site_columns(&scan, caller);

	source->accounts = accounts;
	TRY(sum_up(source, &scan, list,
		   accounts ? "_account"
		   : caller ? "_raw_site r LEFT JOIN _raw_frame s ON s.raw_site = r.id AND "
			      "s.depth = r.caller_depth + :depth - 1"
			    : "_raw_site r"));
	size_t nr_raw = groups->sites.nr_raw, nr_sites = groups->sites.nr_call_sites;

	TRY(sums_finish(&groups->sums, nr_raw, nr_sites));
	return sums_finish(&groups->kinds, nr_raw, nr_sites);
}
