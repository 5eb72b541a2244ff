/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analyze.h - a recording to a database: the whole pipeline
 */
#ifndef ANALYZE_H
#define ANALYZE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "decode/merge.h"
#include "match/match.h"
#include "resolve/resolver.h"
#include "window.h"

enum { ANALYZE_LEAST_MEMORY = 64 << 20 };

struct analyze_opts {
	const char *input;  /* trace.dat, v6 or v7 */
	const char *output; /* database; replaced when it exists */
	const char *origin; /* what the input was made of, and the database is of; or NULL */
	const char *vmlinux;
	const char *cache_dir;	       /* or NULL: resolve/cache.h */
	const char *wrappers;	       /* rules on top of the built-in ones; or NULL */
	const char *kallsyms;	       /* used instead of the recording's own */
	const char *const *debug_dirs; /* NULL-terminated, or NULL */
	bool debuginfod;	       /* ask servers for what no directory has */
	struct window_time from, to;   /* only what happened between them */
	uint64_t memory_limit; /* bytes; 0: all there is. What is more lies beside the output */
	unsigned int threads;  /* that work, this one among them; 0: as CPUs are there */

	/* Called some ten times a second with the share done, 0…1; may be NULL. */
	void (*progress)(void *arg, const char *stage, double share);
	void *progress_arg;
};

struct analyze_result {
	uint64_t events; /* read */
	uint64_t sites;	 /* rows of call_sites */
};

struct err *analyze(const struct analyze_opts *opts, struct analyze_result *ret) MUST_CHECK;

/*
 * The same in steps, of a recording at work too, whose events are matched as they
 * come:
 *
 *	analysis_open(live), analysis_extend() again and again, the last time up to
 *	UINT64_MAX when the recorder has stopped, analysis_write(), analysis_close()
 *
 * opts is borrowed; its input is FILE.part/ there. Between two steps may be asked
 * what is known by now.
 */
struct analysis;

struct err *analysis_open(const struct analyze_opts *opts, bool live,
			  struct analysis **ret) MUST_CHECK;
void analysis_close(struct analysis *analysis);
DEFINE_CLEANUP(struct analysis *, analysis, analysis_close)

/* Takes all events before @until_ns: they are in the files by now. */
struct err *analysis_extend(struct analysis *analysis, uint64_t until_ns) MUST_CHECK;

/* Of the i-th CPU's file the bytes that nobody will read again; false past the last. */
bool analysis_consumed(const struct analysis *analysis, size_t i, unsigned int *ret_cpu,
		       uint64_t *ret_bytes);

const struct match *analysis_match(const struct analysis *analysis);
const struct merge_stats *analysis_stats(const struct analysis *analysis);
/* Where a site of analysis_match() is, by the symbols there were at the start. */
void analysis_resolve(struct analysis *analysis, const struct site *site, struct callsite *ret);

/*
 * @recording: where it is kept, whole by now; NULL when it is not, and FILE.part/ is
 * still there.
 */
struct err *analysis_write(struct analysis *analysis, const char *recording, const char *output,
			   struct analyze_result *ret) MUST_CHECK;

#endif
