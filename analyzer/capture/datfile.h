/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/datfile.h - writes a trace.dat, version 7
 *
 * In:     texts, and the sub-buffers of each CPU
 * Out:    a file that trace-cmd and KernelShark read
 * Use:    datfile_create, sections and options in any order, the CPU data
 *         (datfile_data_begin, for each CPU datfile_cpu_begin and
 *         datfile_cpu_add, datfile_data_end), datfile_finish
 * Rules:  (1) integers are in the byte order of this machine, as the header says
 *         (2) each section's header holds its size in the file: readers walk
 *             from one to the next
 *         (3) the file is whole only after datfile_finish
 * Theory: Documentation/man/allocprof-trace.5.adoc
 */
#ifndef CAPTURE_DATFILE_H
#define CAPTURE_DATFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/texts.h"

/* Sections and options share their numbers. */
enum datfile_id {
	DATFILE_DONE = 0,
	DATFILE_CPUSTAT = 2,
	DATFILE_BUFFER = 3,
	DATFILE_TRACECLOCK = 4,
	DATFILE_UNAME = 5,
	DATFILE_CPUCOUNT = 8,
	DATFILE_VERSION = 9,
	DATFILE_TRACEID = 11,
	DATFILE_STRINGS = 15,
	DATFILE_HEADER_INFO = 16,
	DATFILE_FTRACE_EVENTS = 17,
	DATFILE_EVENT_FORMATS = 18,
	DATFILE_KALLSYMS = 19,
	DATFILE_PRINTK = 20,
	DATFILE_CMDLINES = 21,
};

/* Good length of a chunk of CPU data: zstd gains nothing from longer ones. */
#define DATFILE_CHUNK (512 << 10)

struct datfile;

/**
 * datfile_create() - start a new file
 * @path:        must not exist
 * @subbuf_size: bytes
 * @level:       of zstd; 0 writes an uncompressed file
 */
struct err *datfile_create(const char *path, uint32_t subbuf_size, int level,
			   struct datfile **ret) MUST_CHECK;
/* The same with @fd, an empty file, which is closed with it, also when it fails. */
struct err *datfile_begin(int fd, uint32_t subbuf_size, int level,
			  struct datfile **ret) MUST_CHECK;
/* Gives up what is not finished; the file stays. Accepts NULL. */
void datfile_close(struct datfile *file);

/* A section; all but private ones are referred to by an option of the same number. */
struct err *datfile_section(struct datfile *file, uint16_t id, const char *description,
			    const struct text *body) MUST_CHECK;
void datfile_option(struct datfile *file, uint16_t id, const void *data, size_t len);

struct err *datfile_data_begin(struct datfile *file, const char *clock,
			       uint32_t nr_cpus) MUST_CHECK;
/* So many chunks will follow; the number means nothing to an uncompressed file. */
struct err *datfile_cpu_begin(struct datfile *file, uint32_t cpu, uint64_t chunks) MUST_CHECK;
/* A chunk: whole sub-buffers. */
struct err *datfile_cpu_add(struct datfile *file, const void *data, size_t len) MUST_CHECK;
/* Chunks as they are in the file: with their sizes, compressed. */
struct err *datfile_cpu_add_stored(struct datfile *file, const void *data,
				   size_t len) MUST_CHECK;
void datfile_cpu_end(struct datfile *file);
struct err *datfile_data_end(struct datfile *file) MUST_CHECK;

/* Options, strings, header; on disk when it returns. */
struct err *datfile_finish(struct datfile *file) MUST_CHECK;
/* Bytes written so far. */
uint64_t datfile_bytes(const struct datfile *file);

#endif
