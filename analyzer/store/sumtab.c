// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sumtab.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/groups.h"

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

static const uint8_t same_columns[NR_SAMES] = {
	[SUMS_FILE] = FILE_NAME, [SUMS_FUNC] = FUNC,	       [SUMS_MODULE] = MODULE,
	[SUMS_CACHE] = CACHE,	 [SUMS_SUBSYSTEM] = SUBSYSTEM, [SUMS_HOST] = HOST,
	[SUMS_LINE] = LINE,	 [SUMS_RECORDING] = RECORDING, [SUMS_CALL_SITE] = CALL_SITE,
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

/* Groups, and the arguments that they were asked for with. */
struct work {
	char *argument[COLUMNS - BY]; /* owned; what the groups refer to */
	struct groups *groups;
	unsigned int users;
};

struct module {
	struct query_db *db;
	struct work *last; /* of accounts */
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	struct module *module;
	bool accounts;
};

/* An order that SQLite asks for. */
enum { MOST_TERMS = 16 };

struct order {
	struct term {
		int column;
		bool descending;
	} term[MOST_TERMS];
	int nr;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	struct work *work;
	const struct sums *sums;
	struct order order;
	uint32_t *row; /* groups in that order; NULL: as they were met */
	size_t at;
};

/* As SQLite orders values: NULL, numbers, texts. */
struct value {
	enum value_type { VALUE_NULL, VALUE_NUMBER, VALUE_TEXT } type;
	int64_t i;
	const char *text; /* lives as long as the work */
};

static void work_release(struct work *work)
{
	if (!work || --work->users)
		return;
	groups_put(work->groups);
	for (int i = 0; i < COLUMNS - BY; i++)
		free(work->argument[i]);
	free(work);
}

static void module_free(void *arg)
{
	struct module *module = arg;

	work_release(module->last);
	free(module);
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

/* What idxStr says: which columns are read, and an order if it is one of theirs. */
static char *plan_text(const struct sqlite3_index_info *info, bool *ret_ordered)
{
	char *text = sqlite3_mprintf("%llx", (unsigned long long)info->colUsed);

	*ret_ordered = info->nOrderBy > 0 && info->nOrderBy <= MOST_TERMS;
	for (int i = 0; i < info->nOrderBy; i++)
		*ret_ordered &=
			info->aOrderBy[i].iColumn >= 0 && info->aOrderBy[i].iColumn < BY;
	for (int i = 0; *ret_ordered && text && i < info->nOrderBy; i++)
		text = sqlite3_mprintf("%z%c%d", text, info->aOrderBy[i].desc ? '-' : '+',
				       info->aOrderBy[i].iColumn);
	return text;
}

static uint64_t plan_read(const char *text, struct order *ret)
{
	char *end;
	uint64_t used = strtoull(text, &end, 16);

	for (ret->nr = 0; *end && ret->nr < MOST_TERMS; ret->nr++) {
		struct term *term = &ret->term[ret->nr];

		term->descending = *end == '-';
		term->column = (int)strtol(end + 1, &end, 10);
	}
	return used;
}

/*
 * All arguments that are given, in their order; which ones is in the number, the rest in
 * the text.
 */
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
	bool ordered;

	info->idxStr = plan_text(info, &ordered);
	if (!info->idxStr)
		return SQLITE_NOMEM;
	info->orderByConsumed = ordered;
	info->needToFreeIdxStr = 1;
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
	struct cursor *cursor = (struct cursor *)base;

	work_release(cursor->work);
	free(cursor->row);
	free(cursor);
	return SQLITE_OK;
}

/* @used: bits of the columns that are read. */
static struct work *work_new(int given, sqlite3_value **argv, uint64_t used)
{
	struct work *work = xcalloc(1, sizeof(*work));
	struct groups *groups = groups_new();
	int nr = 0;

	work->users = 1;
	work->groups = groups;
	for (int i = 0; i < COLUMNS - BY; i++) {
		const char *text =
			given >> i & 1 ? (const char *)sqlite3_value_text(argv[nr++]) : NULL;

		work->argument[i] = xstrdup(text ? text : "");
	}
	groups->opts = (struct rawsites_opts){
		.by = rawsites_by(work->argument[0]),
		.depth = strtoll(work->argument[DEPTH - BY], NULL, 10),
		.kinds = work->argument[KINDS - BY],
		.self = strtoll(work->argument[WITH_SELF - BY], NULL, 10),
	};
	for (int i = 0; i < FILTER_KEYS; i++) {
		groups->opts.filter[i] = work->argument[FILTER - BY + i];
		groups->filtered |= *groups->opts.filter[i] != '\0';
	}
	groups->wanted = (uint32_t)(used >> SUMS) & ((UINT32_C(1) << NR_SUMS) - 1);
	for (int i = 0; i < NR_SAMES; i++)
		groups->opts.same |= (uint32_t)(used >> same_columns[i] & 1) << i;
	groups->needs_times = used >> FIRST_NS & 1 || used >> LAST_NS & 1;
	return work;
}

/* True when the other's sums per kind are what is asked for. */
static bool answers(const struct work *work, const struct work *last)
{
	if (!last || work->groups->opts.by != RAWSITES_BY_KIND ||
	    (work->groups->wanted & ~last->groups->wanted) ||
	    (work->groups->opts.same & ~last->groups->opts.same))
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

static struct value number(int64_t i)
{
	return (struct value){ .type = VALUE_NUMBER, .i = i };
}

static struct value text_of(const struct groups *groups, int64_t id)
{
	const char *text = strings_text(&groups->sites.strings, (uint32_t)id);

	return (struct value){ .type = text ? VALUE_TEXT : VALUE_NULL, .text = text };
}

static struct value time_of(const struct sums_group *group, bool first)
{
	int64_t ns = first ? group->first_ns : group->last_ns;

	/* Of several recordings times do not compare. */
	if (group->same[SUMS_RECORDING] && ns != (first ? INT64_MAX : INT64_MIN))
		return number(ns);
	return (struct value){};
}

/* Column @i, no argument, of a group. */
static struct value value_of(const struct cursor *cursor, const struct sums_group *group, int i)
{
	const struct groups *groups = cursor->work->groups;
	bool accounts = ((const struct tab *)cursor->base.pVtab)->accounts;
	static const enum sums_same texts[] = {
		[FILE_NAME] = SUMS_FILE, [FUNC] = SUMS_FUNC,	       [MODULE] = SUMS_MODULE,
		[CACHE] = SUMS_CACHE,	 [SUBSYSTEM] = SUMS_SUBSYSTEM, [HOST] = SUMS_HOST,
	};

	switch (i) {
	case KIND:
		return text_of(groups, group->kind);
	case NAME:
		return text_of(groups, group->name);
	case FILE_NAME:
	case FUNC:
	case MODULE:
	case CACHE:
	case SUBSYSTEM:
	case HOST:
		return text_of(groups, group->same[texts[i]]);
	case LINE:
		if (group->same[SUMS_LINE])
			return number(group->same[SUMS_LINE] - 1);
		break;
	case CALL_SITES:
		return number(group->call_sites);
	case RAW_SITES:
		return number(group->raw_sites);
	case FIRST_NS:
	case LAST_NS:
		return time_of(group, i == FIRST_NS);
	case RECORDING:
		if (group->same[SUMS_RECORDING])
			return number(rawsites_recording(
				&groups->sites, (size_t)group->same[SUMS_RECORDING] - 1));
		break;
	case CALL_SITE:
		if (group->same[SUMS_CALL_SITE])
			return number(groups->sites.call_site[group->same[SUMS_CALL_SITE] - 1]);
		break;
	case SELF:
		return number(group->self);
	default:
		if (i >= SUMS && i < FIRST_NS && !(accounts && i - SUMS >= SUMS_NET_SE_BYTES))
			return number(group->sum[i - SUMS]);
	}
	return (struct value){};
}

static int compare_values(struct value a, struct value b)
{
	if (a.type != b.type)
		return a.type < b.type ? -1 : 1;
	if (a.type == VALUE_TEXT)
		return strcmp(a.text, b.text);
	return (a.i > b.i) - (a.i < b.i);
}

/* A row, and what comes first in its order: that mostly decides. */
struct sort_key {
	struct value first;
	uint32_t row;
};

static int compare_rows(const void *va, const void *vb, void *arg)
{
	const struct cursor *cursor = arg;
	const struct sort_key *a = va, *b = vb;
	int order = compare_values(a->first, b->first);

	if (order)
		return cursor->order.term[0].descending ? -order : order;
	for (int i = 1; i < cursor->order.nr; i++) {
		const struct term *term = &cursor->order.term[i];

		order = compare_values(
			value_of(cursor, &cursor->sums->group[a->row], term->column),
			value_of(cursor, &cursor->sums->group[b->row], term->column));
		if (order)
			return term->descending ? -order : order;
	}
	return (a->row > b->row) - (a->row < b->row);
}

/* SQLite would make a record of each row, sort these and take them apart again. */
static void sort_rows(struct cursor *cursor)
{
	size_t nr = cursor->sums->nr;

	free(cursor->row);
	cursor->row = NULL;
	if (!cursor->order.nr)
		return;
	auto_free struct sort_key *key = xcalloc(nr + 1, sizeof(*key));

	cursor->row = xcalloc(nr + 1, sizeof(*cursor->row));
	for (size_t i = 0; i < nr; i++)
		key[i] = (struct sort_key){
			.first = value_of(cursor, &cursor->sums->group[i],
					  cursor->order.term[0].column),
			.row = (uint32_t)i,
		};
	qsort_r(key, nr, sizeof(*key), compare_rows, cursor);
	for (size_t i = 0; i < nr; i++)
		cursor->row[i] = key[i].row;
}

static size_t row_at(const struct cursor *cursor)
{
	return cursor->row ? cursor->row[cursor->at] : cursor->at;
}

static int tab_filter(sqlite3_vtab_cursor *base, int given, const char *text, int argc,
		      sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;
	struct module *module = tab->module;
	struct work *work = work_new(given, argv, plan_read(text, &cursor->order));

	(void)argc;
	work_release(take_ptr(cursor->work));
	cursor->at = 0;
	cursor->sums = NULL;
	if (tab->accounts && answers(work, module->last)) {
		work_release(work);
		work = module->last;
		work->users++;
		cursor->work = work;
		cursor->sums = &work->groups->kinds;
		sort_rows(cursor);
		return SQLITE_OK;
	}
	struct err *err = groups_sum(work->groups, module->db, tab->accounts);

	if (err) {
		work_release(work);
		return fail(tab, err);
	}
	cursor->work = work;
	cursor->sums = &work->groups->sums;
	sort_rows(cursor);
	if (tab->accounts && work->groups->filtered) {
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

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
	const struct cursor *cursor = (const struct cursor *)base;

	/* SQLite looks itself whether arguments past the 16th are met. */
	if (i >= BY) {
		sqlite3_result_text(context, cursor->work->argument[i - BY], -1, SQLITE_STATIC);
		return SQLITE_OK;
	}
	struct value value = value_of(cursor, &cursor->sums->group[row_at(cursor)], i);

	if (value.type == VALUE_NUMBER)
		sqlite3_result_int64(context, value.i);
	else if (value.type == VALUE_TEXT)
		sqlite3_result_text(context, value.text, -1, SQLITE_STATIC);
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)row_at((const struct cursor *)base);
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

	module->db = query_db;
	/* The one that comes first takes the module with it, at the latest. */
	if (sqlite3_create_module_v2(db, "_account_groups", &functions, module, module_free) !=
		    SQLITE_OK ||
	    sqlite3_create_module(db, "_site_groups", &functions, module) != SQLITE_OK)
		return err_new(ERR_DB, "%s", sqlite3_errmsg(db));
	return NULL;
}
