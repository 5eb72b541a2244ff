/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/tracefile.h - the container: trace.dat v6 and v7
 *
 * In:     a path; any bytes
 * Out:    texts by name (formats, kallsyms, our own blobs) and, per ring buffer
 *         and CPU, a reader of sub-buffers
 * Not:    does not know what an event is; never maps more than it was given,
 *         never inflates more than one chunk per CPU at a time
 * Use:    tracefile_open, the accessors, page_reader_open for each CPU,
 *         page_reader_close, tracefile_close; a tracefile never changes after
 *         it is opened, so that threads may share it
 * Rules:  (1) a container that contradicts itself is refused with the offset
 *         (2) CPU data that ends early is read up to the last whole sub-buffer
 *             and said so (tracefile_truncated_bytes)
 *         (3) an error begins with the path
 *         (4) the directory FILE.part/ of a recorder that was killed reads like the
 *             file it did not get to write (tracefile_unfinished)
 *         (5) a file that is the first of a chain reads like all of them
 *         (6) no part of the file must be there but the header and, in v7, the
 *             options: who needs event formats or data asks for them
 * Theory: Documentation/man/allocprof-trace.5.adoc
 */
#ifndef DECODE_TRACEFILE_H
#define DECODE_TRACEFILE_H

#include "base/bytes.h"
#include "decode/page_reader.h"

struct tracefile;

struct err *tracefile_open(const char *path, struct tracefile **ret) MUST_CHECK;
void tracefile_close(struct tracefile *file);
DEFINE_CLEANUP(struct tracefile *, tracefile, tracefile_close)

/*
 * The text called @name, borrowed until tracefile_close(); false when the file
 * has none. Standard sections go by: "header_page", "header_event", "kallsyms",
 * "printk_formats", "cmdlines", "uname", "version" (of the recorder),
 * "trace_clock", "cpustat" (all CPUs, concatenated), "trace_id" (0x and hex),
 * "tsc2nsec" ("mult shift offset"). Our own blobs go by the names of BLOB_* in
 * capture/blobs.h.
 */
bool tracefile_text(const struct tracefile *file, const char *name, struct span *ret);

/* Calls nothing: the i-th event format, false past the last. System "ftrace"
 * for the formats of events/ftrace. Both borrowed. */
bool tracefile_format(const struct tracefile *file, size_t i, const char **ret_system,
		      struct span *ret_format);

/* The i-th of our own blobs, in file order; false past the last. */
bool tracefile_blob(const struct tracefile *file, size_t i, const char **ret_name,
		    struct span *ret);

/* True when the recording machine's byte order is not ours. */
bool tracefile_swapped(const struct tracefile *file);
unsigned int tracefile_long_size(const struct tracefile *file);
unsigned int tracefile_version(const struct tracefile *file); /* 6 or 7 */

/*
 * Ring buffers: the top one has the name "". Those without data are not listed,
 * nor are CPUs without data. Two buffers may have one name, two entries of a
 * buffer one CPU: no byte of the file is in both. The clock is "" when the file
 * does not tell it.
 */
size_t tracefile_nr_buffers(const struct tracefile *file);
const char *tracefile_buffer_name(const struct tracefile *file, size_t buffer);
const char *tracefile_buffer_clock(const struct tracefile *file, size_t buffer);
unsigned int tracefile_subbuf_size(const struct tracefile *file, size_t buffer);
size_t tracefile_nr_cpus(const struct tracefile *file, size_t buffer);

/* Bytes of CPU data in the file, as stored, over all buffers: for progress. */
uint64_t tracefile_data_bytes(const struct tracefile *file);
/*
 * Bytes of CPU data that the file promises and does not have, as stored, and
 * those that are no whole sub-buffer. The readers report them as damage too.
 */
uint64_t tracefile_truncated_bytes(const struct tracefile *file);

/* Read from FILE.part/: the recorder did not get to its end. */
bool tracefile_unfinished(const struct tracefile *file);
/* … since it was at work when the file was opened. */
bool tracefile_growing(const struct tracefile *file);

/*
 * How many files it was read from, FILE, FILE.1 …, where FILE says that it is the first
 * of several; else 0. *ret_broken: the last of them was not there.
 */
uint32_t tracefile_chain(const struct tracefile *file, bool *ret_broken);

/* The sub-buffers of the i-th CPU of a buffer, oldest first; to be closed
 * before the tracefile. */
struct err *page_reader_open(const struct tracefile *file, size_t buffer, size_t i,
			     struct page_reader **ret) MUST_CHECK;

#endif
