// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/siterows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/conditions.h"
#include "store/order.h"
#include "store/rows.h"
#include "store/sorted.h"

static const char is_null[] = " IS NULL";

/* Columns that are read: those that are shown first. */
struct columns {
	char *list; /* "file, line"; owned */
	size_t nr, nr_shown;
};

struct scan {
	const struct siterows *wanted;
	int kind, self;	       /* cells */
	int null[ORDER_TERMS]; /* cells, behind which those come that say whether they are */
	size_t nr_nulls, nr_read;
	struct cell *row;
	struct sorted *sorted;
};

static void columns_deinit(struct columns *columns)
{
	free(columns->list);
}

static void need(struct columns *columns, const char *name)
{
	if (columns->list && order_column(columns->list, name) >= 0)
		return;
	auto_free char *before = columns->list;

	columns->list = before ? xasprintf("%s, %s", before, name) : xstrdup(name);
	columns->nr++;
}

static struct err *shown_columns(struct query_db *db, const char *wanted, struct columns *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql = xasprintf("SELECT %s FROM call_sites", wanted ? wanted : "*");

	TRY(query_prepare(db, sql, NULL, &query));
	for (size_t i = 0; i < query_nr_columns(query); i++)
		need(ret, query_column(query, i));
	ret->nr_shown = ret->nr;
	return NULL;
}

/* The column of a term; sets *ret_null where it asks whether that is NULL. */
static char *column_of(const char *term, bool *ret_null)
{
	size_t len = strlen(term), end = strlen(is_null);

	*ret_null = len > end && !strcmp(term + len - end, is_null);
	return xstrndup(term, *ret_null ? len - end : len);
}

static void make_keys(const struct order *order, const struct columns *columns,
		      struct scan *scan, struct sorted_key key[ORDER_TERMS])
{
	for (size_t i = 0; i < order->nr; i++) {
		bool null;
		auto_free char *name = column_of(order->term[i].text, &null);
		int column = order_column(columns->list, name);

		key[i] = (struct sorted_key){ (size_t)column, order->term[i].descending };
		if (!null)
			continue;
		key[i].column = columns->nr + scan->nr_nulls;
		scan->null[scan->nr_nulls++] = column;
	}
}

static struct err *add(void *arg, const struct cell *row)
{
	struct scan *scan = arg;
	const struct cell *kind = &row[scan->kind];

	if (row[scan->self].i > scan->wanted->self ||
	    !conditions_kind(scan->wanted->kinds, kind->text))
		return NULL;
	if (scan->nr_nulls) {
		memcpy(scan->row, row, scan->nr_read * sizeof(*row));
		for (size_t i = 0; i < scan->nr_nulls; i++)
			scan->row[scan->nr_read + i] =
				(struct cell){ .type = CELL_INT,
					       .i = row[scan->null[i]].type == CELL_NULL };
		row = scan->row;
	}
	sorted_add(scan->sorted, row);
	return NULL;
}

struct err *siterows_query(struct query_db *db, const struct siterows *wanted,
			   struct query **ret)
{
	CLEANUP(order_deinit) struct order order = {};
	CLEANUP(columns_deinit) struct columns columns = {};
	struct sorted_key key[ORDER_TERMS];
	struct scan scan = { .wanted = wanted };
	bool parsed = order_parse(wanted->order, &order);

	assert(parsed);
	TRY(shown_columns(db, wanted->columns, &columns));
	need(&columns, "kind");
	need(&columns, "self");
	for (size_t i = 0; i < order.nr; i++) {
		bool null;
		auto_free char *name = column_of(order.term[i].text, &null);

		need(&columns, name);
	}
	make_keys(&order, &columns, &scan, key);
	scan.kind = order_column(columns.list, "kind");
	scan.self = order_column(columns.list, "self");
	scan.nr_read = columns.nr;
	auto_free struct cell *row = xcalloc(columns.nr + scan.nr_nulls, sizeof(*row));
	CLEANUP(sorted_cleanup)
	struct sorted *sorted = sorted_new(columns.nr + scan.nr_nulls, key, order.nr);

	scan.row = row;
	scan.sorted = sorted;
	TRY(rows_each(db, &(struct rows_query){ "call_sites", columns.list, .fn = add,
						.arg = &scan }));
	*ret = query_of(db, take_ptr(sorted), columns.list, columns.nr + scan.nr_nulls,
			columns.nr_shown);
	return NULL;
}
