/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/spill.h - the memory of large tables: past a limit it is a file
 *
 * In:     tables that grow
 * Out:    their slots, on the heap while all of them together stay below the limit;
 *         then, a table at a time, in a file without a name that is mapped, so
 *         that the system can write out what is not in use
 * Rules:  (1) blocks of the file are taken before they are mapped: a full disk is
 *             told, and kills nobody
 *         (2) after a failure tables stay on the heap; the caller is to give up
 */
#ifndef MATCH_SPILL_H
#define MATCH_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct table;
struct spill;

/* @dir is borrowed: where the files lie. @limit is of tables, in bytes. */
struct spill *spill_new(const char *dir, uint64_t limit);
void spill_free(struct spill *spill);

/* From now on the table is kept so; it must not move, and ends before the spill. */
void spill_add(struct spill *spill, struct table *table);

/* Gives the table new_bytes of slots for old_bytes, what is new as zeros. */
void spill_resize(struct spill *spill, struct table *table, size_t old_bytes, size_t new_bytes);

/* The slots of a table that ends. */
void spill_release(struct spill *spill, struct table *table, size_t bytes);

/* Of the files, what is in memory need not be: it comes back when it is used. */
void spill_trim(struct spill *spill);

/*
 * The memory that the process takes, in bytes, 0 when that is not known; in *@ret_own, without
 * what is mapped of files.
 */
uint64_t spill_resident(uint64_t *ret_own);

/* An error for a process that takes @bytes and may take @limit. */
struct err *spill_check(uint64_t bytes, uint64_t limit) MUST_CHECK;

/* What went wrong, once; NULL when nothing did. */
struct err *spill_error(struct spill *spill) MUST_CHECK;

#endif
