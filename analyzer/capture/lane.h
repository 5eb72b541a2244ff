/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/lane.h - one CPU's chunks on their way into its files
 *
 * In:     memory that the CPU's thread fills, chunk by chunk
 * Out:    segments; each chunk as a zstd frame where a compressor came to it in
 *         time, else as a frame that holds it as it is, or without any frame
 * Rules:  (1) chunks reach the file in the order they were filled
 *         (2) lane_room() never waits for a compressor: it takes the oldest chunk
 *             out of its hands, and writes it
 *         (3) the lock lends its holder the priority of whoever waits for it
 */
#ifndef CAPTURE_LANE_H
#define CAPTURE_LANE_H

#include <pthread.h>

#include "base/err.h"
#include "capture/segments.h"

struct chunk {
	uint8_t *data;
	size_t len;
	uint32_t segment;
	bool busy;   /* a compressor reads it */
	bool stolen; /* meanwhile written by somebody else */
};

struct lane {
	pthread_mutex_t lock; /* for all but @filling, which is the CPU's thread's */
	int dir_fd;
	unsigned int cpu;
	uint32_t subbuf_size;
	bool packed;
	size_t chunk_size;
	uint8_t *memory;
	struct chunk *chunk;
	size_t nr_chunks;
	struct chunk **free;
	size_t nr_free;
	struct chunk **queue; /* ring of @nr_chunks, the oldest at @head */
	size_t head, nr_queued;
	struct chunk *filling;
	uint32_t segment; /* that @filling belongs to */
	bool claimed;	  /* by a compressor */
	int fd;
	uint32_t fd_segment;
	struct segments segments;
	uint32_t dropped; /* segments before it are no longer wanted */
	bool broken;	  /* a write failed: nothing more is written */
	struct err *err;  /* why, until somebody took it */
};

void lane_init(struct lane *lane, int dir_fd, unsigned int cpu, uint32_t subbuf_size,
	       bool packed, uint64_t memory);
/* The first segment's file, before there is anything in it. */
struct err *lane_open(struct lane *lane) MUST_CHECK;
/* Gives the room of the first @bytes of the segment at work back. */
void lane_forget(struct lane *lane, uint64_t bytes);
void lane_deinit(struct lane *lane);

/* For the CPU's thread: memory for sub-buffers. */
struct err *lane_room(struct lane *lane, uint8_t **ret, size_t *ret_len) MUST_CHECK;
/* So many bytes of it are filled; *ret_queued when a compressor has to do. */
struct err *lane_filled(struct lane *lane, size_t len, bool *ret_queued) MUST_CHECK;
/* What follows belongs to the next segment. */
struct err *lane_cut(struct lane *lane, bool *ret_queued) MUST_CHECK;

/* For compressors, one at a time: whether there is work, which is then claimed. */
bool lane_claim(struct lane *lane);
/* The oldest chunk; NULL, and no longer claimed, when there is none or @stop. */
struct chunk *lane_next(struct lane *lane, bool stop);
/* As a frame of @len bytes; 0: it could not be compressed. */
void lane_done(struct lane *lane, struct chunk *chunk, const void *frame, size_t len);

/* Whether nothing of the segments before @end waits. */
bool lane_settled(struct lane *lane, uint32_t end);
/* Writes what waits of the segments before @end, as it is. */
void lane_settle(struct lane *lane, uint32_t end);
/* Forgets the segments before @end and removes their files. */
void lane_drop(struct lane *lane, uint32_t end);
/* The CPU's thread has ended: its chunk goes the way of the others. */
struct err *lane_end(struct lane *lane) MUST_CHECK;
/* Why writing failed, if nobody has been told; owned by the caller. */
struct err *lane_error(struct lane *lane) MUST_CHECK;

#endif
