/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/image.h - rows as the pages of a database, for SQLite to copy
 *
 * An INSERT takes 1 us for a row of 19 numbers, most of it for its way through the
 * statement. Rows that lie in tables of the same form are copied by INSERT … SELECT as
 * they are, in 0.1 us; to put them there takes as much, in the file format that SQLite
 * documents.
 *
 * In:     rows of integers and NULLs
 * Out:    a whole database with these tables, for sqlite3_deserialize()
 * Not:    knows no constraints but the primary key of a table WITHOUT ROWID, which is
 *         its first two columns
 * Use:    image_new; image_table for each; image_add; image_take, and again
 * Rules:  (1) rows of a table without such a key are in the order they came
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/query.h"

enum { IMAGE_MAX_COLUMNS = 32, IMAGE_MAX_TABLES = 8 };

struct image;

struct image *image_new(void);
void image_free(struct image *image);
DEFINE_CLEANUP(struct image *, image, image_free)

/* A table that CREATE TABLE statement @sql makes; returns its number, from 0. */
size_t image_table(struct image *image, const char *name, const char *sql, size_t nr_columns,
		   bool without_rowid);

void image_add(struct image *image, size_t table, const struct cell *row);

/* What its rows take, in bytes. */
size_t image_size(const struct image *image);

/*
 * The database, in memory of sqlite3_malloc(); the image has no rows then. An error
 * when a key is there twice.
 */
struct err *image_take(struct image *image, unsigned char **ret, size_t *ret_len) MUST_CHECK;

#endif
