/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/sorted.h - rows of cells in an order
 *
 * In:     rows, copied; by which of their columns they are ordered
 * Out:    the same rows as SQLite's ORDER BY would give them, which keeps those in the
 *         order they came in that are equal
 * Use:    sorted_new; sorted_add for each row; sorted_next until it is false; sorted_free
 * Rules:  (1) NULLs come first, numbers by value, texts and then blobs by their bytes
 *         (2) a row takes about as much memory as in SQLite's file
 */
#ifndef STORE_SORTED_H
#define STORE_SORTED_H

#include "store/query.h"

struct sorted_key {
	size_t column;
	bool descending;
};

struct sorted;

/* @key: at least one, the one that decides first in front; a column is in it once. */
struct sorted *sorted_new(size_t nr_columns, const struct sorted_key *key, size_t nr_keys);
void sorted_free(struct sorted *sorted);
DEFINE_CLEANUP(struct sorted *, sorted, sorted_free)

void sorted_add(struct sorted *sorted, const struct cell *row);

/*
 * Into @ret, all columns; texts live until a row is added. False past the last. All rows are
 * added before the first is taken.
 */
bool sorted_next(struct sorted *sorted, struct cell *ret);

#endif
