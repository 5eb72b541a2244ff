// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/blocks.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/pairs.h"
#include "store/quickview.h"
#include "store/rows.h"

/* Columns of _page_blocks; the sums are columns of _account. */
enum column { PAGE_ORDER, MIGRATETYPE, SELF, RECORDING, SUMS };
#define SUM_COLUMNS \
	"alloc_bytes, free_bytes, inferred_bytes, allocs, frees, inferred_frees, failures"
enum { NR_SUMS = 7 };

static const char declaration[] =
	"CREATE TABLE x(page_order INTEGER, migratetype INTEGER, self INTEGER, "
	"recording INTEGER, " SUM_COLUMNS ")";

static const struct quickview_words words[] = {
	{ "FROM _account a\nJOIN _raw_site r ON r.id = a.raw_site\n"
	  "JOIN _callsite c ON c.id = r.callsite AND c.kind = 'page'",
	  "FROM _page_blocks a" },
	{ "r.self", "a.self" },
	{ "r.recording", "a.recording" },
};

struct number {
	bool known; /* not NULL */
	int64_t value;
};

struct block {
	struct number key[SUMS];
	int64_t sum[NR_SUMS];
};

/* A raw site of pages, by id. */
struct raw {
	int64_t id;
	uint32_t whose;
};

struct scan {
	struct pairs sites; /* call sites of pages */
	struct raw *raw;
	size_t nr_raw, cap_raw;
	/* Equal ones of each as a number: who, order, type, order and type, all of it. */
	struct pairs whose, orders, types, both, keys;
	struct number (*who)[2]; /* self and recording, by number */
	size_t nr_whose, cap_whose;
	struct block *block;
	size_t nr, cap;
	bool overflow;
};

struct tab {
	sqlite3_vtab base; /* first, as SQLite wants it */
	struct query_db *db;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, likewise */
	struct block *block;
	size_t nr, at;
};

/* ---- sums */

static void scan_deinit(struct scan *scan)
{
	pairs_deinit(&scan->sites);
	pairs_deinit(&scan->whose);
	pairs_deinit(&scan->orders);
	pairs_deinit(&scan->types);
	pairs_deinit(&scan->both);
	pairs_deinit(&scan->keys);
	free(scan->raw);
	free(scan->who);
	free(scan->block);
}

static struct number number_of(const struct cell *cell)
{
	bool known = cell->type == CELL_INT;

	return (struct number){ known, known ? cell->i : 0 };
}

static struct err *add_site(void *arg, const struct cell *value)
{
	struct scan *scan = arg;
	bool is_new;

	if (value[1].type == CELL_TEXT && !strcmp(value[1].text, "page"))
		pairs_id(&scan->sites, 0, value[0].i, &is_new);
	return NULL;
}

static struct err *add_raw(void *arg, const struct cell *value)
{
	struct scan *scan = arg;
	struct number self = number_of(&value[2]), recording = number_of(&value[3]);
	bool is_new;

	if (!pairs_find(&scan->sites, 0, value[1].i))
		return NULL;
	uint32_t whose = pairs_id(&scan->whose, self.value, recording.value, &is_new);

	if (is_new) {
		vec_room(scan->who, scan->nr_whose, scan->cap_whose);
		scan->who[scan->nr_whose][0] = self;
		scan->who[scan->nr_whose++][1] = recording;
	}
	vec_room(scan->raw, scan->nr_raw, scan->cap_raw);
	scan->raw[scan->nr_raw++] = (struct raw){ value[0].i, whose };
	return NULL;
}

static const struct raw *find_raw(const struct scan *scan, int64_t id)
{
	size_t low = 0, high = scan->nr_raw;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (scan->raw[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < scan->nr_raw && scan->raw[low].id == id ? &scan->raw[low] : NULL;
}

static bool is_of_pages(const void *arg, int64_t raw_site)
{
	return find_raw(arg, raw_site);
}

static struct block *find_block(struct scan *scan, const struct raw *raw, struct number order,
				struct number type)
{
	bool is_new;
	uint32_t a = pairs_id(&scan->orders, order.known, order.value, &is_new);
	uint32_t b = pairs_id(&scan->types, type.known, type.value, &is_new);
	uint32_t both = pairs_id(&scan->both, a, b, &is_new);
	uint32_t id = pairs_id(&scan->keys, both, raw->whose, &is_new);

	if (is_new) {
		const struct number *who = scan->who[raw->whose - 1];

		vec_room(scan->block, scan->nr, scan->cap);
		scan->block[scan->nr++] =
			(struct block){ .key = { order, type, who[0], who[1] } };
	}
	return &scan->block[id - 1];
}

/* Of a raw site of pages. */
static struct err *add_account(void *arg, const struct cell *value)
{
	struct scan *scan = arg;
	const struct raw *raw = find_raw(scan, value[0].i);
	struct block *block = find_block(scan, raw, number_of(&value[1]), number_of(&value[2]));

	for (int i = 0; i < NR_SUMS; i++)
		scan->overflow |=
			__builtin_add_overflow(block->sum[i], value[3 + i].i, &block->sum[i]);
	return NULL;
}

static struct err *sum_up(struct query_db *db, struct cursor *cursor)
{
	CLEANUP(scan_deinit) struct scan scan = {};

	TRY(rows_each(db, &(struct rows_query){ "_callsite", "id, kind", .fn = add_site,
						.arg = &scan }));
	TRY(rows_each(db, &(struct rows_query){ "_raw_site", "id, callsite, self, recording",
						.order = "id", .fn = add_raw, .arg = &scan }));
	TRY(rows_each(db, &(struct rows_query){
				  "_account", "raw_site, page_order, migratetype, " SUM_COLUMNS,
				  .fn = add_account, .arg = &scan, .wanted = is_of_pages }));
	if (scan.overflow)
		return err_new(ERR_DB, "integer overflow");
	cursor->block = take_ptr(scan.block);
	cursor->nr = scan.nr;
	return NULL;
}

/* ---- as SQLite asks for them */

static int tab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
		       sqlite3_vtab **ret, char **ret_error)
{
	int rc = sqlite3_declare_vtab(db, declaration);

	(void)argc, (void)argv, (void)ret_error;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	struct tab *tab = xcalloc(1, sizeof(*tab));

	tab->db = aux;
	*ret = &tab->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

static int tab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	info->estimatedCost = 1e6;
	info->estimatedRows = 100;
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

	free(cursor->block);
	free(cursor);
	return SQLITE_OK;
}

static int tab_filter(sqlite3_vtab_cursor *base, int index, const char *text, int argc,
		      sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	struct tab *tab = (struct tab *)base->pVtab;

	(void)index, (void)text, (void)argc, (void)argv;
	free(take_ptr(cursor->block));
	cursor->nr = cursor->at = 0;
	auto_err struct err *err = sum_up(tab->db, cursor);

	if (!err)
		return SQLITE_OK;
	sqlite3_free(tab->base.zErrMsg);
	tab->base.zErrMsg = sqlite3_mprintf("%s", err_text(err));
	return SQLITE_ERROR;
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->at++;
	return SQLITE_OK;
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (const struct cursor *)base;

	return cursor->at >= cursor->nr;
}

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
	const struct cursor *cursor = (const struct cursor *)base;
	const struct block *block = &cursor->block[cursor->at];

	if (i >= SUMS)
		sqlite3_result_int64(context, block->sum[i - SUMS]);
	else if (block->key[i].known)
		sqlite3_result_int64(context, block->key[i].value);
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((const struct cursor *)base)->at;
	return SQLITE_OK;
}

int blocks_use(struct query_db *query_db)
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
	int rc = sqlite3_create_module(db, "_page_blocks", &functions, query_db);

	return rc == SQLITE_OK ? quickview_define(db, "page_orders", words,
						  sizeof(words) / sizeof(*words))
			       : rc;
}
