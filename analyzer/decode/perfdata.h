/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/perfdata.h - a perf.data file: what surrounds the samples, and these
 *
 * In:     a file that perf record wrote, also by way of a pipe, on a machine of our
 *         byte order; hostile
 * Out:    its records in file order, those of compressed ones among them
 * Not:    orders nothing; a directory is refused, and so is a pipe itself
 * Use:    perfdata_open; perfdata_next until *ret_any is false; perfdata_close
 * Rules:  (1) a sample is parsed by the sample_type of its own event, which its id
 *             names
 *         (2) memory is bounded by a record's largest size, however much a compressed
 *             one inflates to
 *         (3) a record that is cut short, by the end of the file or by a field that
 *             passes its end, ends the reading with an error, or counts as malformed
 *             where the next one is known to be whole
 */
#ifndef DECODE_PERFDATA_H
#define DECODE_PERFDATA_H

#include "decode/container.h"

enum perfdata_type {
	PERFDATA_SAMPLE,   /* of a tracepoint */
	PERFDATA_LOST,	   /* events of one CPU that found its buffer full */
	PERFDATA_UNPLACED, /* the same, of a CPU and time that are not told; perhaps those
			    * that PERFDATA_LOST tells too */
	PERFDATA_ROUND,	   /* all records before the last round's have come */
	PERFDATA_COMM,	   /* a task has a name */
	PERFDATA_MMAP,	   /* the kernel's text, or a module's */
};

struct perfdata_record {
	enum perfdata_type type;
	uint64_t ns;
	uint32_t cpu;
	int32_t pid, tid;
	struct span raw;	/* SAMPLE: as ftrace has it, common_type first */
	struct span chain;	/* SAMPLE: 8-byte addresses, not aligned; with marks */
	struct span name;	/* COMM, MMAP */
	uint64_t lost;		/* LOST, UNPLACED */
	uint64_t start, length; /* MMAP */
};

/* Texts of the header; "" where it has none. */
struct perfdata_facts {
	char *hostname, *release, *version, *arch;
	uint32_t nr_cpus; /* highest number + 1; 0: not told */
	bool clock_is_mono;
};

struct perfdata;

/* True when the file begins as perf's do. */
bool perfdata_is(struct span head);

struct err *perfdata_open(const char *path, struct perfdata **ret) MUST_CHECK;
void perfdata_close(struct perfdata *perf);
DEFINE_CLEANUP(struct perfdata *, perfdata, perfdata_close)

const struct perfdata_facts *perfdata_facts(const struct perfdata *perf);
/* The formats of the events, and long_size and page_size of the machine. */
const struct container *perfdata_formats(const struct perfdata *perf);
/* The i-th build-id, in hexadecimal; false past the last. */
bool perfdata_build_id(const struct perfdata *perf, size_t i, const char **ret_file,
		       const char **ret_hex);

/* The next record, borrowed until the next call. */
struct err *perfdata_next(struct perfdata *perf, struct perfdata_record *ret,
			  bool *ret_any) MUST_CHECK;
/* Records that passed their own end. */
uint64_t perfdata_malformed(const struct perfdata *perf);

#endif
