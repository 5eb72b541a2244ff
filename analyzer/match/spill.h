/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/spill.h - the memory of large tables: past a limit it is a file
 *
 * In:     pieces of memory that grow, each of one table
 * Out:    on the heap while all of them together stay below the limit; then, one
 *         at a time, in a file without a name that is mapped, so that the
 *         system can write out what is not in use
 * Rules:  (1) blocks of the file are taken before they are mapped: a full disk is
 *             told, and kills nobody
 *         (2) after a failure all stay on the heap; the caller is to give up
 */
#ifndef MATCH_SPILL_H
#define MATCH_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct spill;

/* All zeros: none, and on the heap whatever it will take. */
struct spill_mem {
	char *at;
	size_t bytes;
	struct spill *spill; /* whose limit it is under; NULL: none */
	int fd;		     /* of the file, … */
	bool mapped;	     /* … if it is one */
};

/* @dir is borrowed: where the files lie. @limit is of all its memory, in bytes. */
struct spill *spill_new(const char *dir, uint64_t limit);
void spill_free(struct spill *spill);

/* From now on @mem is kept so; it must not move, and ends before the spill. */
void spill_add(struct spill *spill, struct spill_mem *mem);

/* More of it; what is new is zeros in a file, and anything on the heap. */
void spill_grow(struct spill_mem *mem, size_t bytes);

/* Leaves it as nothing, under the same limit. */
void spill_release(struct spill_mem *mem);

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
