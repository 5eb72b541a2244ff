/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - snapshots of /proc/allocinfo as a recording
 *
 * In:     the texts of one or more snapshots of one machine, with their times
 * Out:    the rows of a database: of one snapshot, what was live then, as though
 *         recorded since boot; of several, what changed from the first to the last,
 *         as though recorded between them
 * Rules:  (1) net less what was freed of older memory is the change, to the byte
 *         (2) what was allocated is the sum of the increases from each snapshot to
 *             the next, and so the least it can be
 *         (3) a line of source that comes twice in a text counts as the sum
 *         (4) buckets of time are as many as there are steps between snapshots, 256 at
 *             most, and what changed is in the bucket where a snapshot first has it
 *         (5) kind is any: the kernel's account does not tell it
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "store/writer.h"

struct history;

struct history *history_new(void);
void history_free(struct history *history);
DEFINE_CLEANUP(struct history *, history, history_free)

/* @unix_ns is not before that of the last one. */
struct err *history_add(struct history *history, struct span text, int64_t unix_ns) MUST_CHECK;

/* @host: name of the machine, or NULL. */
struct err *history_write(const struct history *history, const char *host,
			  struct writer *writer) MUST_CHECK;

#endif
