/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/btree.h - the records of a table or index, out of the pages of SQLite's file
 *
 * In:     the file as SQLite itself has it open, while a statement holds its lock; any bytes
 * Out:    a call for each record, in the order of the key
 * Not:    reads a write-ahead log or texts in UTF-16: btree_open() tells
 * Use:    btree_open; btree_walk for each root page; btree_close
 * Rules:  (1) the format is that of sqlite.org/fileformat2.html, which is fixed for good
 *         (2) a file whose pages lead in a circle, or out of it, is an error
 *         (3) eight bytes behind a record may be read as well: they are anything
 */
#ifndef STORE_BTREE_H
#define STORE_BTREE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct btree;

/* *ret is NULL when the file is not as this module reads them. */
struct err *btree_open(sqlite3 *db, struct btree **ret) MUST_CHECK;
void btree_close(struct btree *tree);
DEFINE_CLEANUP(struct btree *, btree, btree_close)

/* @rowid: 0 in an index. The record is borrowed for the time of the call. */
typedef struct err *btree_fn(void *arg, int64_t rowid, struct span record);

/* *ret_table: the root is that of a table, not of an index (a table WITHOUT ROWID is one). */
struct err *btree_is_table(struct btree *tree, uint32_t root, bool *ret_table) MUST_CHECK;
struct err *btree_walk(struct btree *tree, uint32_t root, btree_fn *fn, void *arg) MUST_CHECK;

/* A varint, of at most 9 bytes; NULL when @end comes first. */
static inline const uint8_t *btree_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;

	if (p < end && *p < 0x80) {
		*ret = *p;
		return p + 1;
	}
	for (int i = 0; i < 9; i++, p++) {
		if (p == end)
			return NULL;
		if (i == 8) {
			*ret = v << 8 | *p;
			return p + 1;
		}
		v = v << 7 | (*p & 0x7f);
		if (*p < 0x80) {
			*ret = v;
			return p + 1;
		}
	}
	return NULL;
}

#endif
