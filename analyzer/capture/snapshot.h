/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/snapshot.h - what /proc says about memory, at two moments
 *
 * In:     the files of /proc that sum up memory, those this kernel has
 * Out:    their text just before and just after the recording
 * Use:    snapshot_prepare, snapshot_take for each moment, snapshot_store
 * Rules:  (1) taking one allocates no memory of the process, and little of the kernel:
 *             the buffers are there and touched before, the files are open and have
 *             been read, so that the kernel has its buffers too
 *         (2) allocinfo is read next to the recording: last at its start, first
 *             at its end
 */
#ifndef CAPTURE_SNAPSHOT_H
#define CAPTURE_SNAPSHOT_H

#include <stdbool.h>

#include "capture/texts.h"

enum snapshot_moment { SNAPSHOT_START, SNAPSHOT_END, NR_SNAPSHOTS };

#define SNAPSHOT_FILES 7

struct snapshot {
	struct text text[NR_SNAPSHOTS][SNAPSHOT_FILES];
	int fd[SNAPSHOT_FILES];
	bool open[SNAPSHOT_FILES];
};

void snapshot_deinit(struct snapshot *snapshot);
/* Reads each file once, to learn its size and to warm the kernel's caches. */
void snapshot_prepare(struct snapshot *snapshot);
void snapshot_take(struct snapshot *snapshot, enum snapshot_moment moment);
/* Adds snapshot/{start,end}/NAME; the snapshot's texts move into @ret. */
void snapshot_store(struct snapshot *snapshot, enum snapshot_moment moment, struct texts *ret);

#endif
