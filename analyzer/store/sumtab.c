// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sumtab.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/sums.h"
#include "store/who.h"

enum column {
	KIND,
	NAME,
	FILE_NAME,
	LINE,
	FUNC,
	MODULE,
	CACHE,
	SUBSYSTEM,
	CALL_SITES,
	RAW_SITES,
	SUMS, /* as enum sums_of */
	FIRST_NS = SUMS + NR_SUMS,
	LAST_NS,
	RECORDING,
	HOST,
	CALL_SITE,
	SELF,
	/* Arguments. */
	BY,
	DEPTH,
	KINDS,
	WITH_SELF,
	FILTER,
	COLUMNS = FILTER + FILTER_KEYS,
};

static const char declaration[] =
	"CREATE TABLE x(kind, name, file, line, func, module, cache, subsystem, call_sites, "
	"raw_sites, net_bytes, net_calls, alloc_bytes, allocs, frees, bytes_req, failures, "
	"inferred_frees, inferred_bytes, uncertain_calls, uncertain_bytes, net_se_bytes, "
	"peak_bytes, unknown_frees, preexisting_frees, preexisting_freed_bytes, first_ns, "
	"last_ns, recording, host, call_site, self, by_ HIDDEN, depth_ HIDDEN, kinds_ HIDDEN, "
	"self_ HIDDEN, pid_ HIDDEN, tgid_ HIDDEN, comm_ HIDDEN, cgroup_ HIDDEN, cpu_ HIDDEN, "
	"node_ HIDDEN, context_ HIDDEN, gfp_ HIDDEN, order_ HIDDEN, migratetype_ HIDDEN, "
	"cache_ HIDDEN, file_ HIDDEN, func_ HIDDEN, module_ HIDDEN, recording_ HIDDEN, "
	"host_ HIDDEN)";

/* All that is known of the rows that were asked for. */
struct work {
	struct rawsites_opts opts;
	char *argument[COLUMNS - BY]; /* owned; what opts refers to */
	struct rawsites sites;
	struct who who;
	struct sums sums;  /* by what is asked for … */
	struct sums kinds; /* … and by kind */
	struct intern callers;
	uint32_t *caller; /* names by number of the frame's */
	size_t nr_callers, cap_callers;
	bool filtered; /* a report asks for the sums by kind, too */
	unsigned int users;
};

struct module {
	struct query_db *db;
	struct work *work; /* being summed */
	struct work *last; /* of accounts */
	bool ready;
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	struct module *module;
	bool accounts;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	struct work *work;
	const struct sums *sums;
	size_t at;
};

static void work_release(struct work *work)
{
	if (!work || --work->users)
		return;
	for (int i = 0; i < COLUMNS - BY; i++)
		free(work->argument[i]);
	sums_deinit(&work->sums);
	sums_deinit(&work->kinds);
	who_deinit(&work->who);
	rawsites_deinit(&work->sites);
	intern_deinit(&work->callers);
	free(work->caller);
	free(work);
}

static void module_free(void *arg)
{
	struct module *module = arg;

	work_release(module->last);
	free(module);
}

static void add(struct work *work, struct sums_row *row, const struct raw_place *raw)
{
	row->kind = raw->kind;
	row->raw_site = (uint32_t)(raw - work->sites.raw);
	row->call_site = raw->call_site;
	row->same = raw->same;
	row->self = raw->self;
	sums_add(&work->sums, row);
}

static struct who_key key_of(sqlite3_value *value)
{
	bool known = sqlite3_value_type(value) != SQLITE_NULL;

	return (struct who_key){ known, known ? sqlite3_value_int64(value) : 0 };
}

/* Arguments of _sum_account(): columns of _account. */
enum {
	A_RAW_SITE,
	A_DIMS,
	A_CACHE = A_DIMS + WHO_DIMS,
	A_ALLOC_BYTES,
	A_FREE_BYTES,
	A_INFERRED_BYTES,
	A_ALLOCS,
	A_FREES,
	A_INFERRED_FREES,
	A_PIECES,
	A_BYTES_REQ,
	A_FAILURES,
	A_UNCERTAIN_CALLS,
	A_UNCERTAIN_BYTES,
	A_ARGUMENTS
};

/* Only the dimensions that are asked for are read. */
static char *account_sql(const struct who *who)
{
	static const char *const columns[WHO_DIMS] = {
		[WHO_TASK] = "pid",	    [WHO_CPU] = "cpu",
		[WHO_CONTEXT] = "context",  [WHO_GFP] = "gfp",
		[WHO_ORDER] = "page_order", [WHO_MIGRATETYPE] = "migratetype",
	};
	const char *column[WHO_DIMS];

	for (int i = 0; i < WHO_DIMS; i++)
		column[i] = who->dim[i].needed ? columns[i] : "NULL";
	return xasprintf("SELECT _sum_account(raw_site, %s, %s, %s, %s, %s, %s, cache, "
			 "alloc_bytes, free_bytes, inferred_bytes, allocs, frees, "
			 "inferred_frees, pieces, bytes_req, failures, uncertain_calls, "
			 "uncertain_bytes) FROM _account",
			 column[0], column[1], column[2], column[3], column[4], column[5]);
}

/* The sum of numbers, those from @negative on taken off. */
static int64_t net(sqlite3_value **argv, size_t nr, size_t negative, bool *overflow)
{
	int64_t sum = 0;

	for (size_t i = 0; i < nr; i++) {
		int64_t v = sqlite3_value_int64(argv[i]);

		*overflow |= i < negative ? __builtin_add_overflow(sum, v, &sum)
					  : __builtin_sub_overflow(sum, v, &sum);
	}
	return sum;
}

/* An aggregate: its arguments come without a row of results between. */
static void account_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct work *work = ((struct module *)sqlite3_user_data(context))->work;
	struct who_key key[WHO_DIMS] = {};

	(void)argc;
	if (!work)
		return;
	const struct raw_place *raw =
		rawsites_find(&work->sites, sqlite3_value_int64(argv[A_RAW_SITE]));

	if (!raw || !raw->wanted)
		return;
	for (int i = 0; i < WHO_DIMS; i++)
		if (work->who.dim[i].needed)
			key[i] = key_of(argv[A_DIMS + i]);
	struct who_key cache = key_of(argv[A_CACHE]);
	bool *overflow = &work->sums.overflow;
	int64_t allocs = sqlite3_value_int64(argv[A_ALLOCS]);
	int64_t pieces = sqlite3_value_int64(argv[A_PIECES]), net_calls;
	struct sums_row row = {
		.sum = {
			[SUMS_NET_BYTES] = net(argv + A_ALLOC_BYTES, 3, 1, overflow),
			[SUMS_ALLOC_BYTES] = sqlite3_value_int64(argv[A_ALLOC_BYTES]),
			[SUMS_ALLOCS] = allocs,
			[SUMS_FREES] = sqlite3_value_int64(argv[A_FREES]),
			[SUMS_BYTES_REQ] = sqlite3_value_int64(argv[A_BYTES_REQ]),
			[SUMS_FAILURES] = sqlite3_value_int64(argv[A_FAILURES]),
			[SUMS_INFERRED_FREES] = sqlite3_value_int64(argv[A_INFERRED_FREES]),
			[SUMS_INFERRED_BYTES] = sqlite3_value_int64(argv[A_INFERRED_BYTES]),
			[SUMS_UNCERTAIN_CALLS] = sqlite3_value_int64(argv[A_UNCERTAIN_CALLS]),
			[SUMS_UNCERTAIN_BYTES] = sqlite3_value_int64(argv[A_UNCERTAIN_BYTES]),
		},
		.first_ns = INT64_MAX,
		.last_ns = INT64_MIN,
	};

	*overflow |= __builtin_add_overflow(net(argv + A_ALLOCS, 3, 1, overflow), pieces,
					    &net_calls);
	row.sum[SUMS_NET_CALLS] = net_calls;
	if (!who_find(&work->who, raw, key, &cache, &row.name, &row.cache))
		return;
	add(work, &row, raw);
	if (!work->filtered)
		return;
	row.name = row.kind;
	sums_add(&work->kinds, &row);
}

/* Arguments of _sum_site(): columns of _raw_site, and the frame that called. */
enum {
	S_ID,
	S_FRAME,
	S_NET_BYTES_VAR,
	S_FIRST_NS,
	S_LAST_NS,
	S_INFERRED_FREES, /* five kinds of them */
	S_INFERRED_BYTES = S_INFERRED_FREES + 5,
	S_SUMS = S_INFERRED_BYTES + 5,
	S_ARGUMENTS = S_SUMS + 13
};

#define SITE_SQL(frame)                                                                     \
	"SELECT _sum_site(r.id, " frame ", r.net_bytes_var, r.first_ns, r.last_ns, "        \
	"r.reuse_frees, r.slab_page_frees, r.overlap_frees, r.area_frees, r.rcu_frees, "    \
	"r.reuse_bytes, r.slab_page_bytes, r.overlap_bytes, r.area_bytes, r.rcu_bytes, "    \
	"r.net_bytes, r.net_calls, r.alloc_bytes, r.allocs, r.frees, r.bytes_req, "         \
	"r.failures, r.uncertain_calls, r.uncertain_bytes, r.peak_bytes, r.unknown_frees, " \
	"r.preexisting_frees, r.preexisting_bytes) FROM _raw_site r"

/* What the last arguments are sums of. */
static const enum sums_of site_sums[S_ARGUMENTS - S_SUMS] = {
	SUMS_NET_BYTES,
	SUMS_NET_CALLS,
	SUMS_ALLOC_BYTES,
	SUMS_ALLOCS,
	SUMS_FREES,
	SUMS_BYTES_REQ,
	SUMS_FAILURES,
	SUMS_UNCERTAIN_CALLS,
	SUMS_UNCERTAIN_BYTES,
	SUMS_PEAK_BYTES,
	SUMS_UNKNOWN_FREES,
	SUMS_PREEXISTING_FREES,
	SUMS_PREEXISTING_BYTES,
};

static uint32_t caller_name(struct work *work, sqlite3_value *frame)
{
	int64_t id = sqlite3_value_int64(frame);
	bool is_new;

	if (sqlite3_value_type(frame) == SQLITE_NULL)
		return 0;
	uint32_t nr = intern_id(&work->callers, &id, sizeof(id), &is_new);

	return is_new || nr > work->nr_callers ? 0 : work->caller[nr - 1];
}

static void site_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct work *work = ((struct module *)sqlite3_user_data(context))->work;

	(void)argc;
	if (!work)
		return;
	const struct raw_place *raw =
		rawsites_find(&work->sites, sqlite3_value_int64(argv[S_ID]));

	if (!raw || !raw->wanted)
		return;
	bool *overflow = &work->sums.overflow;
	struct who_key first = key_of(argv[S_FIRST_NS]), last = key_of(argv[S_LAST_NS]);
	struct sums_row row = {
		.name = work->opts.by == RAWSITES_BY_CALLER ? caller_name(work, argv[S_FRAME])
							    : raw->name,
		.cache = raw->cache,
		.sum = {
			[SUMS_INFERRED_FREES] = net(argv + S_INFERRED_FREES, 5, 5, overflow),
			[SUMS_INFERRED_BYTES] = net(argv + S_INFERRED_BYTES, 5, 5, overflow),
			[SUMS_NET_SE_BYTES] =
				(int64_t)sqrt(fabs(sqlite3_value_double(argv[S_NET_BYTES_VAR]))),
		},
		.first_ns = first.known ? first.value : INT64_MAX,
		.last_ns = last.known ? last.value : INT64_MIN,
	};

	for (int i = S_SUMS; i < S_ARGUMENTS; i++)
		row.sum[site_sums[i - S_SUMS]] = sqlite3_value_int64(argv[i]);
	add(work, &row, raw);
}

static void no_result(sqlite3_context *context)
{
	(void)context;
}

/* How each frame is called as a caller. */
static struct err *load_callers(struct work *work, struct query_db *db)
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
		intern_id(&work->callers, &row[0].i, sizeof(row[0].i), &is_new);
		if (!is_new)
			continue;
		vec_room(work->caller, work->nr_callers, work->cap_callers);
		work->caller[work->nr_callers++] =
			row[1].type == CELL_NULL
				? 0
				: strings_id(&work->sites.strings, row[1].text, row[1].len);
	}
}

static struct err *sum_up(struct module *module, struct work *work, bool accounts)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	bool caller = !accounts && work->opts.by == RAWSITES_BY_CALLER;
	const struct cell *row;

	TRY(rawsites_load(&work->sites, module->db, &work->opts));
	if (accounts)
		TRY(who_load(&work->who, module->db, &work->sites));
	if (caller)
		TRY(load_callers(work, module->db));
	auto_free char *sql =
		accounts ? account_sql(&work->who)
		: caller ? xstrdup(SITE_SQL(
				   "s.frame") " LEFT JOIN _raw_frame s ON s.raw_site = r.id "
					      "AND s.depth = r.caller_depth + :depth - 1")
			 : xstrdup(SITE_SQL("NULL"));

	TRY(query_prepare(module->db, sql, NULL, &query));
	if (caller)
		query_bind_int(query, ":depth", work->opts.depth);
	module->work = work;
	struct err *err = query_next(query, &row);

	module->work = NULL;
	TRY(err);
	size_t nr_raw = work->sites.nr_raw, nr_sites = work->sites.nr_call_sites;

	TRY(sums_finish(&work->sums, nr_raw, nr_sites));
	return sums_finish(&work->kinds, nr_raw, nr_sites);
}

static int tab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
		       sqlite3_vtab **ret, char **ret_error)
{
	int rc = sqlite3_declare_vtab(db, declaration);

	(void)ret_error;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	struct tab *tab = xcalloc(1, sizeof(*tab));

	tab->module = aux;
	tab->accounts = argc > 0 && !strcmp(argv[0], "_account_groups");
	*ret = &tab->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

/* All arguments that are given, in their order; which ones is in the number. */
static int tab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	int at[COLUMNS - BY], nr = 0;

	(void)base;
	memset(at, -1, sizeof(at));
	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];

		if (c->iColumn < BY || c->op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!c->usable)
			return SQLITE_CONSTRAINT;
		at[c->iColumn - BY] = i;
	}
	for (int i = 0; i < COLUMNS - BY; i++) {
		if (at[i] < 0)
			continue;
		info->aConstraintUsage[at[i]].argvIndex = ++nr;
		info->aConstraintUsage[at[i]].omit = 1;
		info->idxNum |= 1 << i;
	}
	info->estimatedCost = 1e6;
	info->estimatedRows = 1000;
	return SQLITE_OK;
}

static int tab_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = xcalloc(1, sizeof(*cursor));

	(void)base;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int tab_close(sqlite3_vtab_cursor *base)
{
	work_release(((struct cursor *)base)->work);
	free(base);
	return SQLITE_OK;
}

static struct work *work_new(int given, sqlite3_value **argv)
{
	struct work *work = xcalloc(1, sizeof(*work));
	int nr = 0;

	work->users = 1;
	for (int i = 0; i < COLUMNS - BY; i++) {
		const char *text =
			given >> i & 1 ? (const char *)sqlite3_value_text(argv[nr++]) : NULL;

		work->argument[i] = xstrdup(text ? text : "");
	}
	work->opts = (struct rawsites_opts){
		.by = rawsites_by(work->argument[0]),
		.depth = strtoll(work->argument[DEPTH - BY], NULL, 10),
		.kinds = work->argument[KINDS - BY],
		.self = strtoll(work->argument[WITH_SELF - BY], NULL, 10),
	};
	for (int i = 0; i < FILTER_KEYS; i++) {
		work->opts.filter[i] = work->argument[FILTER - BY + i];
		work->filtered |= *work->opts.filter[i] != '\0';
	}
	return work;
}

/* True when the other's sums per kind are what is asked for. */
static bool answers(const struct work *work, const struct work *last)
{
	if (!last || work->opts.by != RAWSITES_BY_KIND)
		return false;
	for (int i = KINDS - BY; i < COLUMNS - BY; i++)
		if (strcmp(work->argument[i], last->argument[i]) != 0)
			return false;
	return true;
}

static int fail(struct tab *tab, struct err *err)
{
	sqlite3_free(tab->base.zErrMsg);
	tab->base.zErrMsg = sqlite3_mprintf("%s", err_text(err));
	err_free(err);
	return SQLITE_ERROR;
}

static int tab_filter(sqlite3_vtab_cursor *base, int given, const char *text, int argc,
		      sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;
	struct module *module = tab->module;
	struct work *work = work_new(given, argv);

	(void)text, (void)argc;
	work_release(take_ptr(cursor->work));
	cursor->at = 0;
	cursor->sums = NULL;
	if (tab->accounts && answers(work, module->last)) {
		work_release(work);
		work = module->last;
		work->users++;
		cursor->work = work;
		cursor->sums = &work->kinds;
		return SQLITE_OK;
	}
	struct err *err = sum_up(module, work, tab->accounts);

	if (err) {
		work_release(work);
		return fail(tab, err);
	}
	cursor->work = work;
	cursor->sums = &work->sums;
	if (work->filtered) {
		work_release(module->last);
		module->last = work;
		work->users++;
	}
	return SQLITE_OK;
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->at++;
	return SQLITE_OK;
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (const struct cursor *)base;

	return !cursor->sums || cursor->at >= cursor->sums->nr;
}

static void result_text(sqlite3_context *context, const struct work *work, int64_t id)
{
	const char *text = strings_text(&work->sites.strings, (uint32_t)id);

	/* The cursor lives as long as the row. */
	if (text)
		sqlite3_result_text(context, text, -1, SQLITE_STATIC);
}

static void result_time(sqlite3_context *context, const struct sums_group *group, bool first)
{
	int64_t ns = first ? group->first_ns : group->last_ns;

	/* Of several recordings times do not compare. */
	if (group->same[SUMS_RECORDING] && ns != (first ? INT64_MAX : INT64_MIN))
		sqlite3_result_int64(context, ns);
}

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
	const struct cursor *cursor = (const struct cursor *)base;
	const struct work *work = cursor->work;
	const struct sums_group *group = &cursor->sums->group[cursor->at];
	bool accounts = ((const struct tab *)base->pVtab)->accounts;
	static const enum sums_same texts[] = {
		[FILE_NAME] = SUMS_FILE, [FUNC] = SUMS_FUNC,	       [MODULE] = SUMS_MODULE,
		[CACHE] = SUMS_CACHE,	 [SUBSYSTEM] = SUMS_SUBSYSTEM, [HOST] = SUMS_HOST,
	};

	switch (i) {
	case KIND:
		result_text(context, work, group->kind);
		break;
	case NAME:
		result_text(context, work, group->name);
		break;
	case FILE_NAME:
	case FUNC:
	case MODULE:
	case CACHE:
	case SUBSYSTEM:
	case HOST:
		result_text(context, work, group->same[texts[i]]);
		break;
	case LINE:
		if (group->same[SUMS_LINE])
			sqlite3_result_int64(context, group->same[SUMS_LINE] - 1);
		break;
	case CALL_SITES:
		sqlite3_result_int64(context, group->call_sites);
		break;
	case RAW_SITES:
		sqlite3_result_int64(context, group->raw_sites);
		break;
	case FIRST_NS:
	case LAST_NS:
		result_time(context, group, i == FIRST_NS);
		break;
	case RECORDING:
		if (group->same[SUMS_RECORDING])
			sqlite3_result_int64(
				context,
				rawsites_recording(&work->sites,
						   (size_t)group->same[SUMS_RECORDING] - 1));
		break;
	case CALL_SITE:
		if (group->same[SUMS_CALL_SITE])
			sqlite3_result_int64(
				context,
				work->sites.call_site[group->same[SUMS_CALL_SITE] - 1]);
		break;
	case SELF:
		sqlite3_result_int64(context, group->self);
		break;
	default:
		/* SQLite looks itself whether arguments past the 16th are met. */
		if (i >= BY)
			sqlite3_result_text(context, work->argument[i - BY], -1, SQLITE_STATIC);
		else if (i >= SUMS && i < FIRST_NS &&
			 !(accounts && i - SUMS >= SUMS_NET_SE_BYTES))
			sqlite3_result_int64(context, group->sum[i - SUMS]);
	}
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((const struct cursor *)base)->at;
	return SQLITE_OK;
}

struct err *sumtab_register(struct query_db *query_db)
{
	static const sqlite3_module functions = {
		.xConnect = tab_connect,
		.xBestIndex = tab_best_index,
		.xDisconnect = tab_disconnect,
		.xOpen = tab_open,
		.xClose = tab_close,
		.xFilter = tab_filter,
		.xNext = tab_next,
		.xEof = tab_eof,
		.xColumn = tab_column,
		.xRowid = tab_rowid,
	};
	sqlite3 *db = query_db_handle(query_db);
	struct module *module = xcalloc(1, sizeof(*module));
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DIRECTONLY };

	module->db = query_db;
	/* The function that comes first takes the module with it, at the latest. */
	if (sqlite3_create_function_v2(db, "_sum_site", S_ARGUMENTS, FLAGS, module, NULL,
				       site_step, no_result, module_free) != SQLITE_OK ||
	    sqlite3_create_function_v2(db, "_sum_account", A_ARGUMENTS, FLAGS, module, NULL,
				       account_step, no_result, NULL) != SQLITE_OK ||
	    sqlite3_create_module(db, "_account_groups", &functions, module) != SQLITE_OK ||
	    sqlite3_create_module(db, "_site_groups", &functions, module) != SQLITE_OK)
		return err_new(ERR_DB, "%s", sqlite3_errmsg(db));
	return NULL;
}
