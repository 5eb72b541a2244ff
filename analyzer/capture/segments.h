/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/segments.h - the files that one CPU's sub-buffers are in
 *
 * In:     what was written to FILE.part/
 * Out:    "cpuN.K.raw", sub-buffers as they are, or "cpuN.K.zst", chunks as in a
 *         trace.dat without the number in front; K grows with time
 * Rules:  (1) a segment counts what is whole: a chunk or sub-buffer that was not
 *             written to its end is in the file, but not in the figures
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_SEGMENTS_H
#define CAPTURE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
	uint32_t id;
	uint32_t chunks; /* 0: as they are */
	uint64_t stored; /* bytes in the file */
	uint64_t bytes;	 /* of sub-buffers */
};

/* Of one CPU, ids ascending; a segment without data has no file and is not there. */
struct segments {
	struct segment *v;
	size_t nr, cap;
};

void segments_deinit(struct segments *segments);
/* The one called @id, which is the last or new. */
struct segment *segments_get(struct segments *segments, uint32_t id);
/* Those from @first to before @end. */
void segments_copy(const struct segments *from, uint32_t first, uint32_t end,
		   struct segments *ret);
/* Forgets those before @end; their files are the caller's. */
void segments_drop(struct segments *segments, uint32_t end);

uint64_t segments_bytes(const struct segments *segments);

/* The name of the file; owned by the caller. */
char *segment_name(unsigned int cpu, uint32_t id, bool packed);
/* Whether a file is called like one. */
bool segment_is_name(const char *name);

#endif
