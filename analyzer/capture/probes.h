/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/probes.h - dynamic events on what the kernel does without a tracepoint
 *
 * In:     an instance, the kinds of memory to record
 * Out:    kprobe events in a group of our own, enabled in the instance; what
 *         became of each
 * Use:    probes_sweep, probes_enable; after instance_remove() probes_remove
 * Rules:  (1) a probe that this kernel does without or refuses costs accuracy, never
 *             the recording
 *         (2) the group's name tells the owner as an instance's does, so that
 *             what a killed recorder left is removed by the next
 *         (3) a probe only reads: arguments, the return value and memory they
 *             point to, which the kernel fetches such that no address can fault
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_PROBES_H
#define CAPTURE_PROBES_H

#include "base/bytes.h"
#include "base/err.h"
#include "capture/relay.h"
#include "capture/texts.h"

struct probes {
	char *group; /* NULL: none were made */
	struct relays relays;
	bool fprobes; /* the kernel has them */
	bool vmalloc; /* they stand in for the vmalloc tracepoints */
};

/* Removes the groups whose owner is gone. */
void probes_sweep(const char *tracedir);

struct probes_opts {
	const char *tracedir;
	const char *instance; /* its directory; its tracing_on is 0 */
	unsigned int kinds;   /* set of tracepoint_kind */
	bool frees_only;      /* these probes do not tell which allocations are wanted */
	struct span kallsyms; /* the kernel's functions; may be empty */
	bool vmemmap;	      /* the recording tells where struct page are */
};

/**
 * probes_enable() - makes probes, sets filters and triggers, switches on
 * @ret:      probes_remove() it, however far this came
 * @ret_list: gets a line for each, as BLOB_EVENTS documents
 * @ret_note: gets one line that names what this kernel lacks or refuses; stays empty
 *            otherwise, and where it has no kprobes at all
 */
void probes_enable(const struct probes_opts *opts, struct probes *ret, struct text *ret_list,
		   struct text *ret_note);

/* How many calls and returns the kernel had no room to watch, of all our probes. */
uint64_t probes_missed(const struct probes *probes, const char *tracedir, const char *instance);

/* The group is gone; accepts one that never was. */
void probes_remove(struct probes *probes, const char *tracedir);

#endif
