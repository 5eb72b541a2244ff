/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/pageflags.h - which page frames hold slab objects, and which are free
 *
 * In:     /proc/kpageflags
 * Out:    runs of page frames, a line each, as BLOB_PAGEFLAGS documents
 * Not:    of a free block only the first page is marked as free by the kernel; free
 *         pages on lists of a CPU are not marked
 * Use:    pageflags_read; or pageflags_add for each piece, then pageflags_end
 * Rules:  (1) takes 2 s at most; what was not read by then is not told at all
 */
#ifndef CAPTURE_PAGEFLAGS_H
#define CAPTURE_PAGEFLAGS_H

#include "capture/texts.h"

struct pageflags {
	uint64_t pfn;	/* the next to come */
	uint64_t start; /* of the run at hand */
	char kind;	/* 's': slab, 'f': free, 0: neither */
	struct text *ret;
};

void pageflags_add(struct pageflags *p, const uint64_t *flags, size_t nr);
void pageflags_end(struct pageflags *p);

/* Adds nothing where the file cannot be read, or not in time. */
void pageflags_read(struct text *ret);

#endif
