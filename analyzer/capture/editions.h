/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/editions.h - several files out of one recording
 *
 * In:     streams and squeeze of a recording, when to cut it
 * Out:    a chain (--rotate): FILE, FILE.1, FILE.2 … are one after the other, nothing
 *         is in two of them and nothing between them; or windows (--flight): each
 *         file has the last seconds before it was asked for
 * Use:    editions_open, editions_start, editions_tick some times a second; editions_mark
 *         when a file is wanted; after the streams are drained editions_settled
 *         until it is true, then editions_last for what is left; editions_close
 * Rules:  (1) a segment is cut on all CPUs, one after the other; a chain is whole
 *             all the same, a window begins and ends where all have it
 *         (2) of a window older segments are removed, but for those that a file
 *             is made of or waits for
 *         (3) what cannot be written as a file of a chain stays in the part
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_EDITIONS_H
#define CAPTURE_EDITIONS_H

#include "capture/publish.h"
#include "capture/recording.h"
#include "capture/squeeze.h"
#include "capture/streams.h"

struct editions_opts {
	uint64_t rotate_bytes; /* 0: not by size */
	uint64_t rotate_ns;    /* 0: not by time */
	uint64_t flight_ns;    /* 0: a chain */
	uint64_t ring_bytes;   /* of a window, in the part; 0: no limit */
	int level;
	bool packed; /* the segments are */
	const struct part *part;
	const struct recording *recording;
	struct squeeze *squeeze;
	struct streams *streams;
	/* Fills in what a file between start and end says of itself; owns nothing. */
	void (*describe)(void *arg, struct recording *edition, uint64_t start_ns,
			 uint64_t end_ns);
	void *describe_arg;
};

struct editions;

struct err *editions_open(const struct editions_opts *opts, struct editions **ret) MUST_CHECK;
/* Accepts NULL. */
void editions_close(struct editions *editions);
pid_t editions_tid(const struct editions *editions);

void editions_start(struct editions *editions, uint64_t start_ns);
/* ERR_OS where a CPU is no longer read: the recording is about to end. */
struct err *editions_tick(struct editions *editions) MUST_CHECK;
/* A file is wanted now: the window, or the next of the chain. */
struct err *editions_mark(struct editions *editions) MUST_CHECK;

void editions_hold(struct editions *editions);
void editions_release(struct editions *editions);

/* A file that was written, or not; as publisher_poll(). */
bool editions_poll(struct editions *editions, char **ret_path, uint64_t *ret_bytes,
		   struct err **ret_err);

/* After the drain: whether all files but the last are written. */
bool editions_settled(struct editions *editions);
/*
 * What the last file is made of, and its path, owned by the caller. Fails where an
 * earlier one could not be written.
 */
struct err *editions_last(struct editions *editions, uint64_t end_ns, struct texts *blobs,
			  uint64_t *ret_start_ns, uint32_t *ret_first,
			  char **ret_path) MUST_CHECK;

#endif
