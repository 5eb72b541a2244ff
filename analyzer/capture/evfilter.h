/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/evfilter.h - which events are worth recording, as the kernel's filters say it
 *
 * In:     what part of memory and which allocations are wanted
 * Out:    for each event the expression for its filter file
 * Rules:  (1) whoever sees an allocation sees its free: a free is left out only by
 *             what it tells as the allocation does, its address or its cache
 *         (2) attempts that got no memory are recorded as if nothing was sampled
 *         (3) an expression has at most EVFILTER_MAX_BYTES bytes, which is what kernels take
 * Theory: Documentation/design/sampling.md
 */
#ifndef CAPTURE_EVFILTER_H
#define CAPTURE_EVFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/texts.h"

enum { EVFILTER_MAX_BYTES = 4000, EVFILTER_MAX_SAMPLE = 4096 };

/* Return addresses above @low, up to @high. */
struct evfilter_range {
	uint64_t low, high;
};

/* What an event is about. */
enum evfilter_class {
	EVFILTER_ALWAYS, /* always recorded */
	EVFILTER_KMALLOC,
	EVFILTER_CACHE_ALLOC,
	EVFILTER_KFREE,
	EVFILTER_CACHE_FREE,
	EVFILTER_PAGE_ALLOC,
	EVFILTER_PAGE_FREE,
	EVFILTER_PERCPU_ALLOC,
	EVFILTER_VMAP_ALLOC,
};

struct evfilter {
	/* One in so many chunks of eight pages, and which: 0 and 1 are all of them. */
	uint32_t one_in, chunk;
	unsigned int page_shift;

	/* Of allocations; what is empty or 0 asks for nothing. */
	uint64_t min_size; /* bytes they take */
	const char *expr;  /* in the language of tracefs */
	struct text sites; /* a term each, as the functions below make them */
	struct text tasks;
	struct text caches;	   /* by name … */
	struct text cache_sizes;   /* … where an allocation tells no name */
	struct text kmalloc_sizes; /* caches of kmalloc */
	struct text wishes;	   /* all that, for people, a line each */
	bool only_caches;	   /* that are named: any other is left out */
};

void evfilter_deinit(struct evfilter *filter);

/* Whether some allocations are left out for what they are: not by sampling. */
bool evfilter_selects(const struct evfilter *filter);

/* Allocations that return to one of the @nr ranges, called @names. */
struct err *evfilter_sites(struct evfilter *filter, const char *names,
			   const struct evfilter_range *range, size_t nr) MUST_CHECK;
/* "12,34": allocations of these tasks, out of interrupts. */
struct err *evfilter_tasks(struct evfilter *filter, const char *list) MUST_CHECK;
/* "dentry,kmalloc-64": of these slab caches, or of all but these. */
struct err *evfilter_caches(struct evfilter *filter, const char *list, bool exclude) MUST_CHECK;
/* Of at least @bytes, and as @expr says; 0 and NULL: all. */
void evfilter_sizes(struct evfilter *filter, uint64_t bytes, const char *expr);

/* Whether @n is a number that can be sampled by; else an error that names some. */
struct err *evfilter_check_sample(uint64_t n) MUST_CHECK;

bool evfilter_is_alloc(enum evfilter_class class);

/*
 * The filter of events of @class; stays empty where all are recorded. @named: it
 * tells the name of its cache. *ret_none: none of these is wanted.
 */
struct err *evfilter_event(const struct evfilter *filter, enum evfilter_class class, bool named,
			   struct text *ret, bool *ret_none) MUST_CHECK;

#endif
