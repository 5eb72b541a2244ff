/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/snapsums.h - the numbers of snapshots of /proc, summed before SQL has them
 *
 * In:     an open database whose views are today's
 * Out:    on its connection, temporary views that hide snapshot_values and reconcile_sites:
 *         the same text, but of rows that are summed already; both sum once, whoever asks
 * Rules:  (1) /proc/allocinfo has thousands of lines, at two times, with two numbers each:
 *             SQLite would sort them for each part of a report that compares with the kernel
 */
#ifndef STORE_SNAPSUMS_H
#define STORE_SNAPSUMS_H

#include "store/query.h"

struct snapsums;

struct snapsums *snapsums_new(struct query_db *db);
/* Once the connection is closed. */
void snapsums_free(struct snapsums *sums);

/* A result code of SQLite's. */
int snapsums_use(struct snapsums *sums);

#endif
