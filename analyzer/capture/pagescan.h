/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/pagescan.h - which page frames hold slab objects as a recording starts
 *
 * The file tells 100 ns and less a page, half a second for 16 GB. So it is read while the
 * recorder waits anyway, and what is likely to hold slabs first: the kernel keeps
 * them together, apart from page cache, the memory of processes and most of what is free.
 *
 * In:     /proc/kpageflags, and for how long
 * Out:    runs of page frames, a line each, as BLOB_PAGEFLAGS_START documents
 * Not:    complete: what there was no time for is not told
 * Use:    pagescan_open, pagescan_some as often as there is time, pagescan_end
 * Rules:  (1) 4 MB of text at most
 */
#ifndef CAPTURE_PAGESCAN_H
#define CAPTURE_PAGESCAN_H

#include "capture/texts.h"

struct pagescan;

/* NULL when @path cannot be read. */
struct pagescan *pagescan_open(const char *path);
/* Reads until CLOCK_MONOTONIC says so, or all is read; accepts NULL. */
void pagescan_some(struct pagescan *scan, int64_t until_ns);
/* Adds what is known to @ret, and frees @scan; accepts NULL. */
void pagescan_end(struct pagescan *scan, struct text *ret);

#endif
