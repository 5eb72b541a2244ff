/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/reconciled.h - what the kernel counted beside what was recorded, of all recordings
 *
 * In:     an open database
 * Out:    the rows of schema/queries/reconcile.sql in their order; what that groups comes from
 *         SQL, a row for each recording
 * Rules:  (1) SQLite would sort thousands of rows by their names to sum them, and again to
 *             order them: 18,000 instructions a row, and here 8,000
 */
#ifndef STORE_RECONCILED_H
#define STORE_RECONCILED_H

#include "store/query.h"

/* Columns: section, name, unit, kernel_change, recorded_change, difference, covers. */
struct err *reconciled_query(struct query_db *db, struct query **ret) MUST_CHECK;

#endif
