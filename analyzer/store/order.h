/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/order.h - an ORDER BY, made here in place of SQLite
 *
 * In:     "net_bytes DESC, coalesce(a, b), file": expressions over columns
 * Out:    its terms; what a query has to select besides, so that each is a column of it;
 *         the query's rows in that order
 * Use:    order_parse; order_extra, which goes behind the columns of the query's text;
 *         order_rows on the query once it is bound; order_deinit
 * Rules:  (1) all rows are wanted: where a limit asks for few, SQLite keeps but these
 *         (2) SQLite would make a record of all columns of each row, sort these and take
 *             them apart again: of 10,000 rows of 17 columns that is 9,000 instructions each
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include "store/query.h"

enum { ORDER_TERMS = 32 };

struct order {
	struct order_term {
		char *text; /* without DESC; owned */
		bool descending;
	} term[ORDER_TERMS];
	size_t nr;
};

/* False for more terms than there is room for. */
bool order_parse(const char *text, struct order *ret);
void order_deinit(struct order *order);

/* Where @name is in "file, line, net_bytes"; -1: it is not. */
int order_column(const char *columns, const char *name);

/* ", a + b, c": terms that are none of @columns, all of them where it is NULL; owned. */
char *order_extra(const struct order *order, const char *columns);

/* @columns: as it was for order_extra(). What that gave is no column of the query's then. */
struct err *order_rows(const struct order *order, const char *columns,
		       struct query *query) MUST_CHECK;

#endif
