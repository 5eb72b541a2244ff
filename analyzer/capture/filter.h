/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/filter.h - which events are worth recording, as the kernel's filters say it
 *
 * In:     what part of memory and which allocations are wanted
 * Out:    for each event the expression for its filter file
 * Rules:  (1) whoever sees an allocation sees its free: a free is left out only by
 *             what it tells as the allocation does, its address or its cache
 *         (2) attempts that got no memory are recorded as if nothing was sampled
 *         (3) an expression has at most FILTER_MAX bytes, which is what kernels take
 * Theory: Documentation/design/sampling.md
 */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/texts.h"

enum { FILTER_MAX = 4000, FILTER_MAX_SAMPLE = 4096 };

/* What an event is about. */
enum filter_class {
	FILTER_ALWAYS, /* always recorded */
	FILTER_KMALLOC,
	FILTER_CACHE_ALLOC,
	FILTER_KFREE,
	FILTER_CACHE_FREE,
	FILTER_PAGE_ALLOC,
	FILTER_PAGE_FREE,
	FILTER_PERCPU_ALLOC,
	FILTER_VMAP_ALLOC,
};

struct filter {
	/* One in so many chunks of eight pages, and which: 0 and 1 are all of them. */
	uint32_t one_in, chunk;
	unsigned int page_shift;
};

/* Whether @n is a number that can be sampled by; else an error that names some. */
struct err *filter_check_sample(uint64_t n) MUST_CHECK;

/* The filter of events of @class; stays empty where all are recorded. */
struct err *filter_event(const struct filter *filter, enum filter_class class,
			 struct text *ret) MUST_CHECK;

#endif
