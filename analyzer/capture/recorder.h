/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/recorder.h - records the allocations of this machine
 *
 * In:     what to record and where to
 * Out:    a trace.dat with everything needed to analyse it elsewhere
 * Use:    recorder_open, recorder_start, (recorder_progress), recorder_stop,
 *         recorder_step until done, recorder_close
 * Rules:  (1) recorder_close() leaves no instance and no probe, however far the
 *             recording got, and no unfinished file, unless an error of recorder_stop()
 *             or recorder_step() says that what was recorded is there
 *         (2) the output changes only when the recording is whole
 *         (3) set-up and tear-down are outside of the recorded time, the
 *             snapshots at its two ends
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_RECORDER_H
#define CAPTURE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/wishes.h"

struct recorder;

struct recorder_opts {
	const char *output;
	const char *cpus;      /* list; NULL: all that are online */
	const char *events;    /* list of kinds; NULL: all this kernel has */
	uint64_t buffer_bytes; /* per CPU; 0: 64 MB, less where memory is short */
	bool no_probes;	       /* tracepoints only */
	struct wishes wishes;
	int level;	       /* of zstd; 0: not compressed */
	bool no_realtime;      /* readers take their turn like any task */
	bool live;	       /* somebody reads recorder_part() while it grows */
	uint64_t rotate_bytes; /* a chain of files, each of so many bytes of events */
	uint64_t rotate_ns;    /* … or of so long */
	uint64_t flight_ns;    /* keep so long, write when asked to; not with rotate */
	uint64_t ring_bytes;   /* what that may take in FILE.part; 0: no limit */
	char *const *command;  /* for the record only; may be NULL */
};

/* Everything short of recording. */
struct err *recorder_open(const struct recorder_opts *opts, struct recorder **ret) MUST_CHECK;
void recorder_close(struct recorder *recorder);
DEFINE_CLEANUP(struct recorder *, recorder, recorder_close)
#define auto_recorder CLEANUP(recorder_cleanup)

/* The i-th thing the user should know after recorder_open; NULL past the last. */
const char *recorder_note(const struct recorder *recorder, size_t i);

struct err *recorder_start(struct recorder *recorder) MUST_CHECK;
/* Readable when the recording cannot go on: recorder_stop() says why. */
int recorder_fd(const struct recorder *recorder);

/* To be called some times a second: cuts, drops, begins to write files. */
struct err *recorder_tick(struct recorder *recorder) MUST_CHECK;
/* The window, or the file of the chain, ends now. */
struct err *recorder_mark(struct recorder *recorder) MUST_CHECK;
/* Before the last: a file was written, or could not be; until false, also while stepping. */
bool recorder_written(struct recorder *recorder, char **ret_path, uint64_t *ret_bytes,
		      struct err **ret_err);
/* The last file; NULL before it is begun. Borrowed. */
const char *recorder_path(const struct recorder *recorder);

struct recorder_progress {
	uint64_t elapsed_ns;
	uint64_t events; /* recorded, lost ones not among them */
	uint64_t lost;
	uint64_t bytes; /* of events, moved or still in the buffers */
};

/* While recording a sum of what the kernel counts; exact after the stop. */
void recorder_progress(const struct recorder *recorder, struct recorder_progress *ret);

/* Bytes of events in FILE.part by now. */
uint64_t recorder_moved(const struct recorder *recorder);
size_t recorder_nr_cpus(const struct recorder *recorder);
/* Before the stop: whether the buffer of the i-th CPU was ever nearly full. */
bool recorder_brimming(const struct recorder *recorder, size_t i, unsigned int *ret_cpu);

/* The unfinished recording, FILE.part/, as decode/partdir.h reads it. */
const char *recorder_part(const struct recorder *recorder);

/*
 * Moves all that is in the buffers: every event before *ret_ns, of the trace clock,
 * is in FILE.part/ when this returns. ERR_UNSUPPORTED where that clock is not mono.
 */
struct err *recorder_flush(struct recorder *recorder, uint64_t *ret_ns) MUST_CHECK;

/* Gives the room of the first @bytes of a CPU's events back: nobody reads them again. */
void recorder_forget(struct recorder *recorder, unsigned int cpu, uint64_t bytes);

struct err *recorder_stop(struct recorder *recorder) MUST_CHECK;

/* After the stop: why it ended before it was told to; NULL if it did not. */
const char *recorder_cut(const struct recorder *recorder);

/* A little of the work of writing the file; done when it is in place. */
struct err *recorder_step(struct recorder *recorder, bool *ret_done) MUST_CHECK;

/* After the last step. */
uint64_t recorder_file_bytes(const struct recorder *recorder);
/* The i-th recorded CPU and what it lost; false past the last. */
bool recorder_cpu(const struct recorder *recorder, size_t i, unsigned int *ret_cpu,
		  uint64_t *ret_lost);
/* What happened on CPUs that came online while recording: nobody read it. */
uint64_t recorder_late_lost(const struct recorder *recorder);
uint64_t recorder_buffer_bytes(const struct recorder *recorder);

#endif
