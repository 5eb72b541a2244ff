/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/source.h - where the events of a recording come from
 *
 * In:     which CPUs, kinds of memory and allocations, by the names that users give
 * Out:    an instance with its buffers, filters, stacks, events and probes, ready to
 *         be switched on; in the recording its CPUs, clock, formats and events
 * Not:    reads no event
 * Use:    source_plan, source_open, …, source_end, source_deinit
 * Rules:  (1) nothing in tracefs is changed before source_open(), but that what
 *             killed recorders left goes
 *         (2) what the kernel lacks is a note; an error only where nothing is left,
 *             or where it was asked for by name
 *         (3) until source_end() nobody but source_end() removes anything
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "capture/evfilter.h"
#include "capture/instance.h"
#include "capture/probes.h"
#include "capture/recording.h"
#include "capture/wishes.h"

struct source_opts {
	const char *cpus;      /* list; NULL: all that are online */
	const char *events;    /* list of kinds; NULL: all this kernel has */
	uint64_t buffer_bytes; /* per CPU; 0: source_default_buffer() of what is there */
	bool no_probes;	       /* tracepoints only */
	const struct wishes *wishes;
};

struct source {
	char *tracedir;
	struct instance instance;
	struct probes probes;
	struct evfilter filter;
	struct text stack_sites; /* the filter of events that have a stack by wish */
	unsigned int kinds;	 /* enum tracepoint_kind */
	uint64_t buffer_bytes;	 /* per CPU, what the kernel made of it */
	bool all_cpus;		 /* the recording's are all that are online */
};

/* What can be refused without tracefs; sets the CPUs of @rec. @ret: of zeros. */
struct err *source_plan(const struct source_opts *opts, struct recording *rec,
			struct source *ret) MUST_CHECK;
/* @rec has kallsyms. What a user should know is added to @notes. */
struct err *source_open(struct source *source, const struct source_opts *opts,
			struct recording *rec, struct texts *notes) MUST_CHECK;
/* Calls that its probes missed. */
uint64_t source_missed(const struct source *source);
/* The instance and the probes are gone; accepts one that has none. */
struct err *source_end(struct source *source) MUST_CHECK;
/* Accepts one of zeros. */
void source_deinit(struct source *source);

/* A default buffer per CPU: at most an eighth of @available in all. */
uint64_t source_default_buffer(uint64_t available_bytes, size_t nr_cpus);

#endif
