/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/combine.h - the recordings of several databases in one
 *
 * In:     databases, of one recording or many, of this version or an earlier one
 * Out:    their rows in a new database, renumbered
 * Use:    combine_new; combine_add for each; writer_commit; combine_free
 * Rules:  (1) every table is copied by what schema/tables.sql declares: a row's id
 *             gets a number that is free, a reference the number of what it names
 *         (2) call sites and frames of equal content are one row
 *         (3) a recording that is there already is left out, with all that is of it
 *         (4) a reference to a row that is not there is an error: the input is damaged
 */
#ifndef STORE_COMBINE_H
#define STORE_COMBINE_H

#include "store/query.h"
#include "store/writer.h"

struct combine;

/* @writer is as writer_open() gave it, and outlives it. */
struct err *combine_new(struct writer *writer, struct combine **ret) MUST_CHECK;
void combine_free(struct combine *combine);
DEFINE_CLEANUP(struct combine *, combine, combine_free)

/* *ret_left_out is the number of recordings of @db that were there already. */
struct err *combine_add(struct combine *combine, struct query_db *db, const char *path,
			size_t *ret_left_out) MUST_CHECK;

/* Recordings so far. */
size_t combine_nr_recordings(const struct combine *combine);

#endif
