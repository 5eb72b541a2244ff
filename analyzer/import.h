/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import.h - what a file of another program is, and snapshots to a database
 *
 * In:     snapshots of /proc/allocinfo, one or a series
 * Out:    a database, as analyze() writes it
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum import_type { IMPORT_UNKNOWN, IMPORT_ALLOCINFO, IMPORT_PERF };

struct import_opts {
	const char *const *inputs;
	size_t nr_inputs;
	const int64_t *times; /* of each input, Unix time in ns; NULL: that of the file */
	const char *host;     /* name of the machine, or NULL */
	const char *output;   /* database; replaced when it exists */
};

struct import_result {
	size_t snapshots;
	uint64_t sites; /* rows of call_sites */
};

/* What the file is; an error when it cannot be read. */
struct err *import_find_type(const char *path, enum import_type *ret) MUST_CHECK;

struct err *import(const struct import_opts *opts, struct import_result *ret) MUST_CHECK;

#endif
