/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/source.h - the recording behind a database, opened when a query asks for it
 *
 * In:     a connection, whose view `recording` names the file; or its path
 * Out:    the open file, the names of its tasks and functions
 * Rules:  (1) the last one asked for stays open, for the next query
 *         (2) a database of several recordings has no recording of its own: the
 *             query must name one
 */
#ifndef VIEW_SOURCE_H
#define VIEW_SOURCE_H

#include "decode/cmdlines.h"
#include "decode/tracefile.h"
#include "resolve/kallsyms.h"
#include "view/sqlite.h"

struct source;

/* Counted: each user holds one, and lets it go. */
struct source *source_new(sqlite3 *db);
struct source *source_hold(struct source *source);
void source_release(void *source);

struct source_file {
	struct tracefile *file;
	struct cmdlines *cmdlines;
	struct kallsyms *kallsyms; /* empty when the recording's cannot be used */
	char *path;
	size_t users;
};

/*
 * The recording at @path, or that of the database when it is NULL. To be put back
 * before the connection ends.
 */
struct err *source_get(struct source *source, const char *path,
		       struct source_file **ret) MUST_CHECK;
void source_put(struct source_file *file);

/* "func+0x12/0x34 [module]" of an address; NULL when none is known. Owned by the caller. */
char *source_symbol(const struct source_file *file, uint64_t addr);

#endif
