/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perfimport.h - a perf.data file as a recording
 *
 * In:     a file of perf kmem record, or perf record -e 'kmem:*', with or without
 *         stacks (-g), compressed (-z) or not
 * Out:    a trace.dat that holds the same events, which everything else reads
 * Rules:  (1) a sample becomes the record that ftrace would have kept, its call chain a
 *             kernel_stack behind it
 *         (2) samples come in the order of their times, as perf itself puts them: sorted
 *             between two rounds of reading all buffers
 *         (3) loss stays in its place; what perf counted without a place is lost at the
 *             end of the recording, on the first CPU
 *         (4) symbols are this machine's where it runs the very kernel of the recording:
 *             perf keeps none
 */
#ifndef PERFIMPORT_H
#define PERFIMPORT_H

#include <stdint.h>

#include "base/err.h"

struct perfimport_result {
	uint64_t samples;
	uint64_t lost;	    /* events */
	uint64_t malformed; /* records that were left out */
};

/* *@ret_fd is the recording, which has no name, on the file system of @dir. */
struct err *perfimport(const char *path, const char *dir, int *ret_fd,
		       struct perfimport_result *ret) MUST_CHECK;

#endif
