// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/eventtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decode/merge.h"

enum column {
	SEQ,
	TS_NS,
	TIME_S,
	CPU,
	PID,
	COMM,
	CONTEXT,
	EVENT,
	KIND,
	ADDR,
	CALL_SITE,
	BYTES_REQ,
	BYTES_ALLOC,
	PAGE_ORDER,
	GFP_FLAGS,
	MIGRATETYPE,
	CACHE,
	/* events */
	STACK_DEPTH,
	LOST,
	EVENTS_RECORDING,
	/* stacks */
	DEPTH = STACK_DEPTH,
	ADDRESS,
	SYMBOL,
	STACKS_RECORDING,
};

#define COMMON_COLUMNS                                                        \
	"seq INTEGER, ts_ns INTEGER, time_s REAL, cpu INTEGER, pid INTEGER, " \
	"comm TEXT, context TEXT, event TEXT, kind TEXT, addr INTEGER, "      \
	"call_site INTEGER, bytes_req INTEGER, bytes_alloc INTEGER, "         \
	"page_order INTEGER, gfp_flags INTEGER, migratetype INTEGER, cache TEXT, "

static const char events_columns[] = "CREATE TABLE events(" COMMON_COLUMNS
				     "stack_depth INTEGER, lost INTEGER, recording HIDDEN)";
static const char stacks_columns[] =
	"CREATE TABLE stacks(" COMMON_COLUMNS "depth INTEGER, address INTEGER, symbol TEXT, "
	"recording HIDDEN)";

struct module {
	struct source *source;
	bool stacks;
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	struct source *source;
	bool stacks;
};

struct row_cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	struct source_file *file;
	struct names *names;
	struct merge *merge;
	const struct event *ev; /* NULL past the last */
	int64_t seq;
	size_t depth; /* stacks: of the frame */
	uint64_t first_ns;
	/* Bounds, both included. */
	int64_t seq_min, seq_max, ns_min, ns_max;
};

static void tell(struct tab *tab, struct err *err)
{
	sqlite3_free(tab->base.zErrMsg);
	tab->base.zErrMsg = sqlite3_mprintf("%s", err_text(err));
	err_free(err);
}

static int tab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
		       sqlite3_vtab **ret, char **ret_error)
{
	const struct module *module = aux;
	int rc = sqlite3_declare_vtab(db, module->stacks ? stacks_columns : events_columns);

	(void)argc, (void)argv, (void)ret_error;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	struct tab *tab = xcalloc(1, sizeof(*tab));

	tab->source = source_hold(module->source);
	tab->stacks = module->stacks;
	*ret = &tab->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *base)
{
	struct tab *tab = (struct tab *)base;

	source_release(tab->source);
	free(tab);
	return SQLITE_OK;
}

/* What a constraint is for: a letter for tab_filter(), 0 for none. */
static char use_of(const struct sqlite3_index_constraint *c, bool stacks)
{
	int op = c->op, recording = stacks ? STACKS_RECORDING : EVENTS_RECORDING;

	if (c->iColumn == recording)
		return op == SQLITE_INDEX_CONSTRAINT_EQ ? 'r' : 0;
	if (c->iColumn != TS_NS && c->iColumn != SEQ && (c->iColumn != -1 || stacks))
		return 0;
	bool time = c->iColumn == TS_NS;

	if (op == SQLITE_INDEX_CONSTRAINT_EQ)
		return time ? 'e' : 'E';
	if (op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_GT)
		return time ? 'g' : 'G';
	if (op == SQLITE_INDEX_CONSTRAINT_LE || op == SQLITE_INDEX_CONSTRAINT_LT)
		return time ? 'l' : 'L';
	return 0;
}

static int tab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	bool stacks = ((struct tab *)base)->stacks;
	char uses[16];
	int nr = 0;

	for (int i = 0; i < info->nConstraint; i++) {
		char use = use_of(&info->aConstraint[i], stacks);

		if (!use)
			continue;
		if (!info->aConstraint[i].usable) {
			/* The file must be known before the first row is. */
			if (use == 'r')
				return SQLITE_CONSTRAINT;
			continue;
		}
		if (nr + 1 == sizeof(uses))
			break;
		uses[nr++] = use;
		info->aConstraintUsage[i].argvIndex = nr;
		info->aConstraintUsage[i].omit = use == 'r';
	}
	uses[nr] = '\0';
	info->idxStr = sqlite3_mprintf("%s", uses);
	if (!info->idxStr)
		return SQLITE_NOMEM;
	info->needToFreeIdxStr = 1;
	info->estimatedCost = strpbrk(uses, "eEgGlL") ? 1e6 : 1e7;
	info->orderByConsumed = info->nOrderBy == 1 && !info->aOrderBy[0].desc &&
				info->aOrderBy[0].iColumn == SEQ;
	return SQLITE_OK;
}

static int tab_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct row_cursor *cursor = xcalloc(1, sizeof(*cursor));

	(void)base;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static void cursor_reset(struct row_cursor *cursor)
{
	merge_close(take_ptr(cursor->merge));
	if (cursor->names)
		names_free(take_ptr(cursor->names));
	source_put(take_ptr(cursor->file));
	cursor->ev = NULL;
}

static int tab_close(sqlite3_vtab_cursor *base)
{
	struct row_cursor *cursor = (struct row_cursor *)base;

	cursor_reset(cursor);
	free(cursor);
	return SQLITE_OK;
}

static struct err *advance(struct row_cursor *cursor, bool stacks)
{
	for (;;) {
		if (stacks && cursor->ev && cursor->depth + 1 < cursor->ev->nr_stack) {
			cursor->depth++;
			return NULL;
		}
		cursor->depth = 0;
		TRY(merge_next(cursor->merge, &cursor->ev));
		if (!cursor->ev)
			return NULL;
		cursor->seq++;
		if (cursor->seq == 1)
			cursor->first_ns = cursor->ev->ts_ns;
		if (cursor->seq > cursor->seq_max) {
			cursor->ev = NULL;
			return NULL;
		}
		if (cursor->seq >= cursor->seq_min &&
		    (int64_t)cursor->ev->ts_ns >= cursor->ns_min &&
		    (int64_t)cursor->ev->ts_ns <= cursor->ns_max &&
		    (!stacks || cursor->ev->nr_stack))
			return NULL;
	}
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	struct row_cursor *cursor = (struct row_cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;
	struct err *err = advance(cursor, tab->stacks);

	if (!err)
		return SQLITE_OK;
	tell(tab, err);
	return SQLITE_ERROR;
}

/* A bound of any type: what is no number bounds nothing, and SQLite checks again. */
static void take_bound(struct row_cursor *cursor, char use, sqlite3_value *value)
{
	bool time = use >= 'a';
	int64_t *min = time ? &cursor->ns_min : &cursor->seq_min;
	int64_t *max = time ? &cursor->ns_max : &cursor->seq_max;

	if (sqlite3_value_type(value) != SQLITE_INTEGER)
		return;
	int64_t bound = sqlite3_value_int64(value);

	if (use != 'l' && use != 'L' && bound > *min)
		*min = bound;
	if (use != 'g' && use != 'G' && bound < *max)
		*max = bound;
}

static struct err *begin(struct tab *tab, struct row_cursor *cursor, const char *path)
{
	TRY(source_get(tab->source, path, &cursor->file));
	cursor->names = names_new();
	TRY(merge_open(cursor->file->file, cursor->names, &cursor->merge));
	return advance(cursor, tab->stacks);
}

static int tab_filter(sqlite3_vtab_cursor *base, int nr, const char *uses, int argc,
		      sqlite3_value **argv)
{
	struct row_cursor *cursor = (struct row_cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;
	const char *path = NULL;

	(void)nr;
	cursor_reset(cursor);
	cursor->seq = 0;
	cursor->depth = 0;
	cursor->seq_min = cursor->ns_min = INT64_MIN;
	cursor->seq_max = cursor->ns_max = INT64_MAX;
	for (int i = 0; i < argc; i++) {
		if (uses[i] == 'r')
			path = (const char *)sqlite3_value_text(argv[i]);
		else
			take_bound(cursor, uses[i], argv[i]);
	}
	struct err *err = begin(tab, cursor, path);

	if (!err)
		return SQLITE_OK;
	tell(tab, err);
	return SQLITE_ERROR;
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	return !((struct row_cursor *)base)->ev;
}

/* NULL for an event that is of no memory. */
static const char *kind_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_SPACE_NONE] = NULL,	[EVENT_SPACE_SLAB] = "slab",
		[EVENT_SPACE_PAGE] = "page",	[EVENT_SPACE_PERCPU] = "percpu",
		[EVENT_SPACE_VMAP] = "vmalloc",
	};

	return names[event_space(kind)];
}

static bool is_alloc(enum event_kind kind)
{
	return kind == EVENT_KMALLOC || kind == EVENT_CACHE_ALLOC || kind == EVENT_PAGE_ALLOC ||
	       kind == EVENT_PERCPU_ALLOC;
}

static const char *context_name(unsigned int context)
{
	if (context & EVENT_NMI)
		return "nmi";
	if (context & EVENT_HARDIRQ)
		return "hardirq";
	return context & EVENT_SOFTIRQ ? "softirq" : "task";
}

static void result_text(sqlite3_context *ctx, const char *text)
{
	if (text && *text)
		sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

static void result_stack(sqlite3_context *ctx, const struct row_cursor *cursor, int column)
{
	const struct event *ev = cursor->ev;
	uint64_t addr = ev->stack[cursor->depth];

	if (column == DEPTH) {
		sqlite3_result_int64(ctx, (int64_t)cursor->depth);
	} else if (column == ADDRESS) {
		sqlite3_result_int64(ctx, (int64_t)addr);
	} else if (column == SYMBOL) {
		auto_free char *symbol = source_symbol(cursor->file, addr);

		result_text(ctx, symbol);
	}
}

static void result_event(sqlite3_context *ctx, const struct event *ev, int column)
{
	if (column == STACK_DEPTH)
		sqlite3_result_int(ctx, ev->nr_stack);
	else if (column == LOST && ev->kind == EVENT_LOST &&
		 ev->bytes_req != EVENT_LOST_UNKNOWN)
		sqlite3_result_int64(ctx, (int64_t)ev->bytes_req);
}

/* What an event does not have stays NULL. */
static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	const struct row_cursor *cursor = (const struct row_cursor *)base;
	const struct event *ev = cursor->ev;
	bool memory = kind_name(ev->kind), page = is_alloc(ev->kind)
							  ? ev->kind == EVENT_PAGE_ALLOC
							  : ev->kind == EVENT_PAGE_FREE;

	switch (column) {
	case SEQ:
		sqlite3_result_int64(ctx, cursor->seq);
		break;
	case TS_NS:
		sqlite3_result_int64(ctx, (int64_t)ev->ts_ns);
		break;
	case TIME_S:
		sqlite3_result_double(ctx,
				      ((double)(int64_t)(ev->ts_ns - cursor->first_ns)) / 1e9);
		break;
	case CPU:
		sqlite3_result_int(ctx, ev->cpu);
		break;
	case PID:
		if (ev->kind != EVENT_LOST)
			sqlite3_result_int(ctx, ev->pid);
		break;
	case COMM:
		if (ev->kind != EVENT_LOST)
			result_text(ctx, cmdlines_name(cursor->file->cmdlines, ev->pid));
		break;
	case CONTEXT:
		if (ev->kind != EVENT_LOST)
			result_text(ctx, context_name(ev->context));
		break;
	case EVENT:
		result_text(ctx, event_name(ev->kind));
		break;
	case KIND:
		result_text(ctx, kind_name(ev->kind));
		break;
	case ADDR:
		if (memory && ev->addr != EVENT_PFN_NONE)
			sqlite3_result_int64(ctx, (int64_t)ev->addr);
		break;
	case CALL_SITE:
		if (memory && ev->call_site)
			sqlite3_result_int64(ctx, (int64_t)ev->call_site);
		break;
	case BYTES_REQ:
		if (memory && ev->bytes_req && ev->kind != EVENT_PAGE_MOVE)
			sqlite3_result_int64(ctx, (int64_t)ev->bytes_req);
		break;
	case BYTES_ALLOC:
		if (memory && ev->bytes_alloc)
			sqlite3_result_int64(ctx, (int64_t)ev->bytes_alloc);
		break;
	case PAGE_ORDER:
		if (page)
			sqlite3_result_int(ctx, ev->order);
		break;
	case GFP_FLAGS:
		if (is_alloc(ev->kind))
			sqlite3_result_int64(ctx, ev->gfp_flags);
		break;
	case MIGRATETYPE:
		if (ev->kind == EVENT_PAGE_ALLOC)
			sqlite3_result_int(ctx, ev->migratetype);
		break;
	case CACHE:
		result_text(ctx, names_text(cursor->names, ev->cache));
		break;
	default:
		if (((struct tab *)base->pVtab)->stacks)
			result_stack(ctx, cursor, column);
		else
			result_event(ctx, ev, column);
	}
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	const struct row_cursor *cursor = (const struct row_cursor *)base;

	/* A stack has less than 2048 frames. */
	*ret = ((struct tab *)base->pVtab)->stacks
		       ? (int64_t)((uint64_t)cursor->seq << 11 | cursor->depth)
		       : cursor->seq;
	return SQLITE_OK;
}

static const sqlite3_module methods = {
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

static void module_free(void *arg)
{
	struct module *module = arg;

	source_release(module->source);
	free(module);
}

int eventtab_register(sqlite3 *db, struct source *source)
{
	int rc = SQLITE_OK;

	for (int stacks = 0; stacks < 2 && rc == SQLITE_OK; stacks++) {
		struct module *module = xcalloc(1, sizeof(*module));

		module->source = source_hold(source);
		module->stacks = stacks;
		rc = sqlite3_create_module_v2(db, stacks ? "stacks" : "events", &methods,
					      module, module_free);
	}
	return rc;
}
