/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/container.h - what was found in a trace.dat, of either version
 *
 * In:     parts, handed over by decode/dat6.c and decode/dat7.c in file order
 * Out:    the parts, for decode/tracefile.c
 * Rules:  (1) of two texts with one name the first counts
 *         (2) CPU data is kept only where some is promised; a buffer without
 *             any is dropped
 *         (3) no byte of the file is CPU data twice
 */
#ifndef DECODE_CONTAINER_H
#define DECODE_CONTAINER_H

#include "decode/metadata.h"
#include "decode/page_reader.h"

/* Option numbers that both versions share. */
enum container_option {
	CONTAINER_DONE = 0,
	CONTAINER_CPUSTAT = 2,
	CONTAINER_BUFFER = 3,
	CONTAINER_CLOCK = 4,
	CONTAINER_UNAME = 5,
	CONTAINER_VERSION = 9,
	CONTAINER_TRACE_ID = 11,
	CONTAINER_TSC2NSEC = 14,
};

struct container_text {
	const char *name; /* of a blob or a constant */
	struct span text;
};

struct container_format {
	const char *system;
	struct span text;
};

struct container_buffer {
	const char *name; /* borrowed from metadata */
	char *clock;
	uint32_t subbuf_size;
	struct cpu_data *cpu;
	size_t nr_cpus, cap_cpus;
};

struct container {
	struct metadata meta;
	unsigned int version;
	unsigned int long_size;
	uint32_t page_size; /* as the header has it, not checked */
	struct container_text *text;
	size_t nr_texts, cap_texts;
	struct container_text *blob;
	size_t nr_blobs, cap_blobs;
	struct container_format *format;
	size_t nr_formats, cap_formats;
	struct container_buffer *buffer;
	size_t nr_buffers, cap_buffers;
	char *cpustat;
	size_t cpustat_len, cpustat_cap;
	char *trace_id;
	char *tsc2nsec;
	int *kept_fd; /* that data refers to */
	size_t nr_kept, cap_kept;
};

void container_deinit(struct container *c);

void container_add_text(struct container *c, const char *name, struct span text);
bool container_text(const struct container *c, const char *name, struct span *ret);
/* One of our own. */
bool container_blob(const struct container *c, const char *name, struct span *ret);
void container_add_blob(struct container *c, const char *name, struct span text);

/* The bodies that are alike in both versions. */
struct err *container_header_info(struct container *c, struct metadata_src *src) MUST_CHECK;
struct err *container_ftrace_formats(struct container *c, struct metadata_src *src) MUST_CHECK;
struct err *container_event_formats(struct container *c, struct metadata_src *src) MUST_CHECK;

/* An option other than DONE and BUFFER; unknown ones are passed over. */
struct err *container_option(struct container *c, uint16_t id,
			     struct metadata_src data) MUST_CHECK;

/* A new buffer; valid until the next is added. */
struct container_buffer *container_add_buffer(struct container *c, const char *name);
/* Also compares with the size of the file. */
struct err *container_add_cpu(struct container *c, struct container_buffer *buffer,
			      uint32_t cpu, uint64_t off, uint64_t size) MUST_CHECK;

/* A CPU whose data are @size bytes of a file of its own; @fd is taken over. */
void container_add_file(struct container_buffer *buffer, uint32_t cpu, enum cpu_form form,
			int fd, uint64_t size, bool grows);
/* @later, taken over, is what the CPU of that number did after all that is there of it. */
void container_append(struct container_buffer *buffer, const struct cpu_data *later);

/* The name in brackets in the text of a trace_clock file; "" when there is none. */
char *container_clock_name(struct span trace_clock);

/* Drops what has no data, holds the rest against the rules. */
struct err *container_finish(struct container *c) MUST_CHECK;

#endif
