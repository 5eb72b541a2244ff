/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/squeeze.h - sub-buffers into files, compressed where there is time for it
 *
 * In:     sub-buffers of each CPU, by way of a sink (capture/streams.h)
 * Out:    segments in FILE.part/ (capture/segments.h), in the order they came
 * Use:    squeeze_open, streams with squeeze_sink(), squeeze_hold and
 *         squeeze_release around what shall not see the threads at work,
 *         squeeze_finish once the streams are drained, squeeze_close
 * Rules:  (1) who brings sub-buffers never waits for the compressor: where no
 *             memory is free, the oldest chunk is stored without compression
 *         (2) compressing takes only time that nobody else wants (SCHED_IDLE);
 *             what holds locks, here or in the kernel, does not run so
 *         (3) all memory is there from the start
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_SQUEEZE_H
#define CAPTURE_SQUEEZE_H

#include <sys/types.h>

#include "base/err.h"
#include "capture/cpulist.h"
#include "capture/segments.h"
#include "capture/streams.h"

struct squeeze;

struct squeeze_opts {
	int dir_fd; /* of FILE.part/; borrowed */
	const struct cpulist *cpus;
	uint32_t subbuf_size;
	int level;	 /* of zstd; 0: nothing is compressed, and no thread needed */
	bool early;	 /* each CPU's first file is there from the start */
	uint64_t memory; /* per CPU, for what waits to be compressed */
};

struct err *squeeze_open(const struct squeeze_opts *opts, struct squeeze **ret) MUST_CHECK;
/* Ends the threads wherever they are; accepts NULL. */
void squeeze_close(struct squeeze *squeeze);

struct sink squeeze_sink(struct squeeze *squeeze);

/* The threads sleep, until released. */
void squeeze_hold(struct squeeze *squeeze);
void squeeze_release(struct squeeze *squeeze);
/* Nobody brings anything any more: all into the files. The first error. */
struct err *squeeze_finish(struct squeeze *squeeze) MUST_CHECK;

/* Of the i-th CPU, from segment @first to before @end; adds to @ret. */
void squeeze_segments(struct squeeze *squeeze, size_t i, uint32_t first, uint32_t end,
		      struct segments *ret);
/* Whether all of the segments before @end, which are complete, is in the files. */
bool squeeze_settled(struct squeeze *squeeze, uint32_t end);
/* Puts it there without compressing. */
void squeeze_settle(struct squeeze *squeeze, uint32_t end);
/* Removes the segments before @end, of all CPUs. */
void squeeze_drop(struct squeeze *squeeze, uint32_t end);
/* Of a CPU without compression: the first @bytes will not be read again. */
void squeeze_forget(struct squeeze *squeeze, size_t i, uint64_t bytes);
/* Bytes in the files. */
uint64_t squeeze_stored(struct squeeze *squeeze);

/* The i-th thread; 0 past the last. */
pid_t squeeze_tid(const struct squeeze *squeeze, size_t i);

#endif
