/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/fold.h - makes the tables that stand for slow views (store/folded.h)
 *
 * In:     a connection to a database whose rows are all in; it need not know the views
 * Out:    a table _folded_VIEW with the rows of each such view, and its index
 *         _folded_noise, of a single recording: by how much the bytes and the calls of
 *         a call site move (store/wobble.h)
 * Use:    fold_write, once
 * Rules:  (1) the text of the view makes the rows; only what views share, and the
 *             innermost sums over buckets and lives, are put in its way as temporary
 *             tables under the names of the views that define them
 *         (2) numbers that could make these sums differ from the view's own (too large,
 *             negative, out of range) are left to the view
 */
#ifndef STORE_FOLD_H
#define STORE_FOLD_H

#include <sqlite3.h>

#include "base/err.h"

struct err *fold_write(sqlite3 *db) MUST_CHECK;

#endif
