/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/streams.h - moves the ring buffers of an instance to a sink
 *
 * In:     an instance that does not record yet, CPUs
 * Out:    whole sub-buffers, in the order the kernel wrote them, CPU by CPU, into
 *         memory that the sink offers
 * Use:    streams_open, [switch on], (streams_flush), streams_hold, [switch off],
 *         streams_drain, streams_close
 * Rules:  (1) one thread a CPU, real-time where permitted: it has to run when
 *             the machine is busiest
 *         (2) a sub-buffer that is not full takes the room of a full one: while
 *             recording it is the last that is read before the thread rests
 *         (3) between streams_hold and streams_drain the threads sleep, so that
 *             snapshots do not see them at work
 *         (4) streams_fd() becomes readable when a thread failed
 *         (5) while recording nothing is moved before a buffer is some half
 *             full: moving is what the recorder allocates for
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_STREAMS_H
#define CAPTURE_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "capture/cpulist.h"

struct streams;

/*
 * Where sub-buffers go: files (capture/squeeze.h), or whoever wants to look at them
 * while they come. Called in the threads, for one CPU by one thread at a time; what
 * fails ends the recording.
 */
struct sink {
	void *arg;
	/* Memory for at least one sub-buffer of the i-th CPU. */
	struct err *(*room)(void *arg, size_t i, uint8_t **ret, size_t *ret_len);
	/* @len bytes of it, whole sub-buffers, are filled; may be none. */
	struct err *(*filled)(void *arg, size_t i, size_t len);
	/* All that was in the buffer is with the sink now: streams_cut(). */
	struct err *(*cut)(void *arg, size_t i);
};

/**
 * streams_open() - open buffers and start the threads
 * @instance:    directory of the instance
 * @cpus:        whose buffers; borrowed until streams_close
 * @sink:        copied
 * @subbuf_size: bytes
 * @buffer_bytes: of one CPU's buffer
 * @realtime:    threads go before other tasks, where that is permitted
 */
struct err *streams_open(const char *instance, const struct cpulist *cpus,
			 const struct sink *sink, uint32_t subbuf_size, uint64_t buffer_bytes,
			 bool realtime, struct streams **ret) MUST_CHECK;
/* Ends the threads wherever they are; accepts NULL. */
void streams_close(struct streams *streams);

/*
 * All that is in the buffers when this is called, sub-buffers that are not full
 * among it, is with the sink when it returns; the threads go on. Rule 2 is broken
 * for that: each call may cost each CPU the room of a sub-buffer.
 */
struct err *streams_flush(struct streams *streams) MUST_CHECK;
/* The same, and the sink is told. */
struct err *streams_cut(struct streams *streams) MUST_CHECK;

/* All threads have finished what they had in hand, and sleep. */
void streams_hold(struct streams *streams);
/* After tracing_on=0: all that is left, partial pages included. The first error. */
struct err *streams_drain(struct streams *streams) MUST_CHECK;

int streams_fd(const struct streams *streams);
/* Bytes moved so far, over all CPUs; exact once drained. */
uint64_t streams_bytes(const struct streams *streams);
/* Whether the buffer of the i-th CPU was ever found nearly full. */
bool streams_brimming(const struct streams *streams, size_t i);
/* Thread ids, @cpus->nr of them; borrowed. */
pid_t streams_tid(const struct streams *streams, size_t i);
/* Whether all threads run with real-time priority. */
bool streams_realtime(const struct streams *streams);

#endif
