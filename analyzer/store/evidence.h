/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/evidence.h - how a call site grew and how long things live there, as an SQL function
 *
 * In:     _evidence(call_site): an id of view call_sites
 * Out:    one row, with the sums of views growth and lifetimes over all recordings; NULL
 *         where they have no row. As sum(), min() and max() would have them
 * Rules:  (1) both views are read once, when the first call site is asked for: two GROUP BY
 *             of 10,000 rows, joined to the call sites by indices that SQLite makes for the
 *             purpose, were half of what allocprof leaks took
 *         (2) call sites may be asked for in any order; ascending is quickest
 */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include <sqlite3.h>

/* A code of SQLite. */
int evidence_register(sqlite3 *db);

#endif
