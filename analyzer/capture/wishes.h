/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/wishes.h - what of all allocations a user wants to see
 *
 * In:     options of the command line, places in the code found
 * Out:    the filters of the events; lines by which an analysis knows of it
 * Rules:  (1) 0 and NULL ask for nothing
 *         (2) conditions add up: all have to hold
 */
#ifndef CAPTURE_WISHES_H
#define CAPTURE_WISHES_H

#include "capture/tracepoints.h"

/* Places in the code that a user named. */
struct wishes_sites {
	const char *names; /* NULL: none */
	const struct evfilter_range *range;
	size_t nr;
};

struct wishes {
	uint32_t sample;		   /* one in so many chunks of memory */
	uint64_t min_size;		   /* of an allocation, bytes */
	const char *caches, *other_caches; /* names; only these, all but these */
	const char *expr;		   /* as tracefs takes it */
	const char *tids;
	struct wishes_sites call_sites;
	enum tracepoint_stack_mode stacks;
	struct wishes_sites stack_sites; /* these have stacks too */
	/* Left to the analysis: who they are changes while it is recorded. */
	const char *pids;
	const char *cgroup;
};

/* The kinds of memory that can be asked so, where the user names none. */
unsigned int wishes_kinds(const struct wishes *wishes);

/* evfilter_deinit() @ret in any case. @random: any number. */
struct err *wishes_filter(const struct wishes *wishes, uint32_t random,
			  struct evfilter *ret) MUST_CHECK;

/* The filter of events that get a stack for wishes->stack_sites. */
struct err *wishes_stacks(const struct wishes *wishes, struct text *ret) MUST_CHECK;

/* Lines for BLOB_RECORDER. */
void wishes_describe(const struct wishes *wishes, const struct evfilter *filter,
		     struct text *ret);

#endif
