// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/blocks.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/pairs.h"
#include "store/quickview.h"
#include "store/rows.h"
#include "store/rowtab.h"

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

static void give_rows(const struct scan *scan, struct rowtab_rows *rows)
{
	for (size_t n = 0; n < scan->nr; n++) {
		const struct block *block = &scan->block[n];
		struct cell *row = rowtab_row(rows, SUMS + NR_SUMS);

		for (int i = 0; i < SUMS; i++)
			if (block->key[i].known)
				row[i] = (struct cell){ .type = CELL_INT,
							.i = block->key[i].value };
		for (int i = 0; i < NR_SUMS; i++)
			row[SUMS + i] = (struct cell){ .type = CELL_INT, .i = block->sum[i] };
	}
}

static struct err *make(void *db, struct rowtab_rows *rows)
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
	give_rows(&scan, rows);
	return NULL;
}

int blocks_use(struct query_db *db)
{
	static const struct rowtab table = { "_page_blocks", declaration, SUMS + NR_SUMS,
					     make };
	int rc = rowtab_register(db, &table, db);

	return rc == SQLITE_OK ? quickview_define(query_db_handle(db), "page_orders", words,
						  sizeof(words) / sizeof(*words))
			       : rc;
}
