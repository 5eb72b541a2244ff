/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/siterows.h - all call sites in an order, without SQL
 *
 * In:     kinds; whether the recorder's own count; the columns of call_sites that are
 *         wanted; an order by such columns
 * Out:    what schema/queries/sites.sql gives in that order
 * Rules:  (1) terms of the order are a column, or "column IS NULL"
 *         (2) rows come out of the file's pages where they can (store/rows.h)
 */
#ifndef STORE_SITEROWS_H
#define STORE_SITEROWS_H

#include "store/query.h"

struct siterows {
	const char *kinds; /* "slab,page" */
	bool self;
	const char *columns; /* "file, line"; NULL: all */
	const char *order;   /* as behind ORDER BY */
};

struct err *siterows_query(struct query_db *db, const struct siterows *wanted,
			   struct query **ret) MUST_CHECK;

#endif
