/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts.h - what a recording says about itself, beside the events
 *
 * In:     an open trace file and what came out of reading its events
 * Out:    the tables _recording, _cpu, _snapshot and _snapshot_value
 * Not:    takes any of its texts for granted: what is missing, or not in the form
 *         that the kernel gives it, is left out
 */
#ifndef FACTS_H
#define FACTS_H

#include "decode/merge.h"
#include "match/match.h"
#include "resolve/resolver.h"
#include "store/writer.h"

/* The kernel release of the recording, owned by the caller; NULL if not told. */
char *facts_release(const struct tracefile *file);

/* Start and end as the recorder took them; false where they do not compare with events. */
bool facts_times(const struct tracefile *file, uint64_t *ret_start_ns, uint64_t *ret_end_ns);

/* When recording ended, but not before its last event, of @last_ns. */
uint64_t facts_end(const struct tracefile *file, uint64_t last_ns);

/* The tasks of the recorder, *ret_nr of them, owned by the caller. */
int32_t *facts_self(const struct tracefile *file, size_t *ret_nr);

/* Calls that the probes had no room to watch. */
uint64_t facts_probe_misses(const struct tracefile *file);

/* Which part of memory was recorded. */
struct sample_rate facts_sample(const struct tracefile *file);

/*
 * Which of several files of a recording it is, from 0 on, where those before it are not
 * there; 0 of one that reads from its start.
 */
uint64_t facts_continues(const struct tracefile *file);

/*
 * Between which times the recording has the events of all CPUs: of a window that was cut
 * out of a longer one, others are of some CPUs only. 0 and UINT64_MAX for any other.
 */
void facts_window(const struct tracefile *file, uint64_t *ret_start_ns, uint64_t *ret_end_ns);

/* Whether allocations were left out by a filter in the kernel. */
bool facts_filtered(const struct tracefile *file);

/* *ret_lost is the number of events lost as far as it was counted. */
struct err *facts_write(struct writer *writer, const struct tracefile *file,
			const struct merge *merge, const struct match_totals *totals,
			uint64_t *ret_lost) MUST_CHECK;

/* Which debug information was used and what was missing: known when all sites are resolved. */
struct err *facts_write_symbols(struct writer *writer,
				const struct resolver *resolver) MUST_CHECK;

/*
 * The counters of one CPU from the text of per_cpu/cpuN/stats; moves @text past
 * them. A "CPU: N" line names the CPU and ends the one before. False at the end.
 */
bool facts_cpu_stats(struct span *text, struct cpu_stats *ret);

#endif
