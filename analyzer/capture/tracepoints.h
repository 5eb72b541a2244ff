/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/tracepoints.h - which kernel events a recording needs
 *
 * In:     an instance, the kinds of memory to record
 * Out:    enabled events with their filters and stacks; what became of each
 * Rules:  (1) a missing event is named, and fatal only when its kind was asked
 *             for by name and all of the kind is missing, or nothing is left
 *         (2) mm_page_free_batched is never recorded: each of its pages has an
 *             mm_page_free of its own, with the order
 *         (3) kfree of NULL and ZERO_SIZE_PTR is dropped in the kernel: no
 *             allocation has these addresses, and they can be 99 % of all kfree
 */
#ifndef CAPTURE_TRACEPOINTS_H
#define CAPTURE_TRACEPOINTS_H

#include <stdbool.h>

#include "base/err.h"
#include "capture/evfilter.h"
#include "capture/texts.h"

enum tracepoint_kind {
	TRACEPOINT_SLAB = 1,
	TRACEPOINT_PAGE = 2,
	TRACEPOINT_PERCPU = 4,
	TRACEPOINT_VMALLOC = 8,
	TRACEPOINT_MODULE = 16, /* always tried: addresses change their meaning */
	TRACEPOINT_TASK = 32,	/* always tried, and rare: pids do */
	TRACEPOINT_MEMORY = 15, /* all that can be asked for */
};

enum tracepoint_stack_mode {
	TRACEPOINT_STACKS_PAGE, /* of what has no call site */
	TRACEPOINT_STACKS_NONE,
	TRACEPOINT_STACKS_ALL, /* of every allocation */
};

struct tracepoint_stacks {
	enum tracepoint_stack_mode mode;
	/* Filters of events with a call site that get one (opaque.h, filter.h); may be empty. */
	const struct text *opaque, *sites;
};

/* "slab,page,percpu,vmalloc" to a set of kinds. */
struct err *tracepoint_parse(const char *list, unsigned int *ret) MUST_CHECK;
/* The set as such a list, owned by the caller. */
char *tracepoint_list(unsigned int kinds);

/**
 * tracepoint_enable() - filters, triggers, then switches on
 * @instance: directory of an instance whose tracing_on is 0
 * @kinds:    set of tracepoint_kind
 * @asked:    the user named the kinds (rule 1)
 * @filter:   which of their events
 * @stacks:   which of them get a stack
 * @ret_list: gets a line for each event, as BLOB_EVENTS documents
 * @ret_note: gets one line that names what is missing; stays empty otherwise
 *
 * Return: ERR_UNSUPPORTED when rule 1 says so.
 */
struct err *tracepoint_enable(const char *instance, unsigned int kinds, bool asked,
			      const struct evfilter *filter,
			      const struct tracepoint_stacks *stacks, struct text *ret_list,
			      struct text *ret_note) MUST_CHECK;

/*
 * The formats of the enabled events: for each "SYSTEM/EVENT" the text of its
 * format file, events of a system in one run.
 */
struct err *tracepoint_formats(const char *instance, const struct text *list,
			       struct texts *ret) MUST_CHECK;

#endif
