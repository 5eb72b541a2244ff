/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/blocks.h - accounts of pages by order and migrate type, summed before SQL has them
 *
 * In:     an open database whose views are today's
 * Out:    on its connection, a temporary view that hides page_orders: the same text, but of
 *         rows that are summed already, _page_blocks
 * Rules:  (1) SQLite would join each account with two tables, and sort the rows to group
 *             them: 4,700 instructions an account, and here 600
 */
#ifndef STORE_BLOCKS_H
#define STORE_BLOCKS_H

#include "store/query.h"

/* @db must outlive the connection's use. A result code of SQLite's. */
int blocks_use(struct query_db *db);

#endif
