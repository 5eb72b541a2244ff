/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/memsums.h - what raw sites hold by field, area and cache in /proc, summed before SQL
 *
 * In:     an open database whose views are today's, on which store/snapsums.h is in use
 * Out:    on its connection, temporary views that hide reconcile_meminfo, reconcile_vmalloc
 *         and reconcile_caches: the same text, but of rows that are summed already; all sum
 *         once, whoever asks
 * Rules:  (1) frames of stacks are the largest table: it is read once for all of them, and
 *             not at all where no snapshot is compared
 */
#ifndef STORE_MEMSUMS_H
#define STORE_MEMSUMS_H

#include "store/query.h"

struct memsums;

struct memsums *memsums_new(struct query_db *db);
/* Once the connection is closed. */
void memsums_free(struct memsums *sums);

/* A result code of SQLite's. */
int memsums_use(struct memsums *sums);

#endif
