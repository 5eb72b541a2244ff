/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/origin.h - whether a database still stands for a recording
 */
#ifndef STORE_ORIGIN_H
#define STORE_ORIGIN_H

#include <stdbool.h>

#include "store/writer.h"

/* A recording as it was when it was looked at, and the options for it. */
struct origin {
	char *path; /* absolute; NULL: the recording was not kept */
	int64_t bytes, mtime_ns;
	char *options; /* those that change the answer, one a line; "" when none was given */
};

struct err *origin_init(struct origin *origin, const char *recording, const char *vmlinux,
			const char *kallsyms, const char *wrappers,
			const char *const *debug_dirs) MUST_CHECK;
/* The analysis is of a window: @name is "from" or "to". Such a database stands for no more. */
void origin_window(struct origin *origin, const char *name, uint64_t ns, bool from_end);
void origin_deinit(struct origin *origin);

struct err *origin_write(const struct origin *origin, struct writer *writer) MUST_CHECK;

/*
 * True when the database at @path was made by this version from that recording
 * with those options; no options match any, since who asks for nothing takes
 * what is there.
 */
bool origin_matches(const struct origin *origin, const char *path);

/* True for a database whose recording was not kept: it cannot be made anew. */
bool origin_is_orphan(const char *path);

#endif
