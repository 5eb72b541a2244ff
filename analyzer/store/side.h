/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/side.h - the call sites of one side of a comparison
 *
 * In:     databases of any number of recordings, each a run of the same thing
 * Out:    call sites with a figure for each run; a site that a run does not name has
 *         0 there
 * Use:    a struct strings of all zeros; side_init; side_add for each database; side_deinit
 * Rules:  (1) equal texts of all sides of one struct strings have equal numbers, and 0
 *             is NULL
 *         (2) sites of one side are told apart as in call_sites, but for the recorder's
 *             own, which count with the others where they are wanted
 */
#ifndef STORE_SIDE_H
#define STORE_SIDE_H

#include "store/intern.h"
#include "store/query.h"

struct strings {
	struct intern ids;
};

void strings_deinit(struct strings *strings);
/* The number of a text of @len bytes. */
uint32_t strings_id(struct strings *strings, const char *text, size_t len);
/* NULL for 0. */
const char *strings_text(const struct strings *strings, uint32_t id);

/* What a figure is divided by. */
enum per { PER_RUN, PER_SECOND, PER_GB, PER_SQL };

struct side_opts {
	const char
		*metric; /* bytes, calls, alloc_bytes, allocs, frees, peak, waste, failures */
	const char *kinds;
	bool self;
	bool any_kind; /* kinds are not told apart, and vmalloc is left out */
	enum per per;
	const char *per_sql; /* its first cell divides; :recording is the recording */
};

/* Figures of a site in a run; too_much and too_little say how far off value may be. */
struct figure {
	double value, too_much, too_little, calls;
	double variance; /* of value, by how it moved in the run; 0: not known */
};

struct side_site {
	uint32_t kind, file, func, module, cache;
	uint32_t base;			 /* func without what the compiler adds: ".isra.0" */
	int64_t line, sym_off, sym_size; /* 0: not known */
	double object_bytes;		 /* mean size of an object; 0: not known */
};

struct run {
	char *name; /* of the input; with the number of the recording where it has several */
	char *host, *release, *started; /* "" where not known */
	double duration_s;
	double divisor;
	int64_t recording;
	size_t input; /* which side_add() */
};

struct side_id {
	int64_t id;
	size_t site;
};

struct side {
	struct strings *strings;
	struct intern keys;
	struct side_site *site;
	size_t nr_sites, cap_sites;
	struct figure *figure; /* max_runs for each site */
	size_t cap_figures;
	struct run *run;
	size_t nr_runs, max_runs;
	size_t nr_inputs;
	struct side_id *id; /* ids in call_sites of the input that was added last */
	size_t nr_ids, cap_ids;
	bool moves; /* some figure has a variance */
};

/* @max_runs: recordings of all databases to come. */
void side_init(struct side *side, struct strings *strings, size_t max_runs);
void side_deinit(struct side *side);

/* The figures of a site, one for each run. */
static inline struct figure *side_figures(const struct side *side, size_t site)
{
	return &side->figure[site * side->max_runs];
}

struct err *side_add(struct side *side, struct query_db *db, const char *name,
		     const struct side_opts *opts) MUST_CHECK;

/* Recordings in a database, and whether it has sites of kind any. */
struct err *side_look(struct query_db *db, size_t *ret_recordings, bool *ret_any) MUST_CHECK;

#endif
