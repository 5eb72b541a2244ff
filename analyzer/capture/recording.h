/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/recording.h - all that goes into the file, and putting it there
 *
 * In:     texts gathered by the recorder, sub-buffers in FILE.part/
 * Out:    FILE.part/new and FILE.part/meta, each a trace.dat
 * Use:    recording_write_begin, recording_write_step until done,
 *         recording_write_end; steps are short, so that the caller can show
 *         progress and stop between them
 * Rules:  (1) memory does not grow with the recording
 * Theory: Documentation/man/allocprof-trace.5.adoc
 */
#ifndef CAPTURE_RECORDING_H
#define CAPTURE_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/cpulist.h"
#include "capture/datfile.h"
#include "capture/part.h"
#include "capture/segments.h"

struct recording {
	/*
	 * Standard parts of a trace.dat, by the names of tracefs: header_page,
	 * header_event, kallsyms, printk_formats, saved_cmdlines, trace_clock,
	 * uname. Formats by "SYSTEM/EVENT". blobs.h tells ours.
	 */
	struct texts standard;
	struct texts ftrace_formats;
	struct texts formats;
	struct texts blobs;
	struct texts cpustat;
	struct cpulist cpus;
	const char *clock;
	uint32_t subbuf_size;
	uint32_t nr_cpus; /* highest number + 1, of the machine */
	uint64_t trace_id;
};

void recording_deinit(struct recording *recording);

/* Where the sub-buffers are. */
struct recording_data {
	const struct part *part;
	struct segments *cpu; /* for each of the recording's CPUs */
	bool packed;
};

/*
 * A new file with all but the CPU data, which the caller adds: for each of
 * recording->cpus, in their order; then datfile_data_end() and datfile_finish().
 * @fd as in datfile_begin().
 */
struct err *recording_create(const struct recording *recording, int fd, int level,
			     struct datfile **ret) MUST_CHECK;

struct recording_writer;

/* @recording, and what @data refers to, are borrowed until the writer is closed. */
struct err *recording_write_begin(const struct recording *recording,
				  const struct recording_data *data, int level,
				  struct recording_writer **ret) MUST_CHECK;
struct err *recording_write_step(struct recording_writer *writer, bool *ret_done) MUST_CHECK;
/* The file is on disk. *ret_bytes is its size. */
struct err *recording_write_end(struct recording_writer *writer,
				uint64_t *ret_bytes) MUST_CHECK;
/*
 * What is known so far as the part's meta: a trace.dat without CPU data, on disk
 * when this returns.
 */
struct err *recording_write_meta(const struct recording *recording, const struct part *part,
				 int level) MUST_CHECK;
/* Accepts NULL. */
void recording_write_close(struct recording_writer *writer);

#endif
