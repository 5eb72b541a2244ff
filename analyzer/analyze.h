/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analyze.h - a recording to a database: the whole pipeline
 */
#ifndef ANALYZE_H
#define ANALYZE_H

#include <stdint.h>

#include "base/err.h"

struct analyze_opts {
	const char *input;  /* trace.dat, v6 or v7 */
	const char *output; /* database; replaced when it exists */
	const char *vmlinux;
	const char *cache_dir;	       /* or NULL: resolve/cache.h */
	const char *wrappers;	       /* rules on top of the built-in ones; or NULL */
	const char *kallsyms;	       /* used instead of the recording's own */
	const char *const *debug_dirs; /* NULL-terminated, or NULL */
	unsigned int threads; /* that work, this one among them; 0: as CPUs are there */

	/* Called some ten times a second with the share done, 0…1; may be NULL. */
	void (*progress)(void *arg, const char *stage, double share);
	void *progress_arg;
};

struct analyze_result {
	uint64_t events; /* read */
	uint64_t sites;	 /* rows of call_sites */
};

struct err *analyze(const struct analyze_opts *opts, struct analyze_result *ret) MUST_CHECK;

#endif
