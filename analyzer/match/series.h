/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/series.h - what lives at each site over time, in buckets of equal width
 *
 * A bucket is SERIES_MIN_NS wide at first. When the recording comes to
 * SERIES_BUCKETS of them, they are folded in pairs into ones of double width.
 * A site has an entry for each bucket in which something changed, with the state
 * at the bucket's end; so an event costs a comparison, and an entry is made when
 * a site changes for the first time since a bucket ended.
 *
 * Rules:  (1) 48 bytes an entry, at most SERIES_BUCKETS of them a site
 *         (2) the entries of a site are in order of time
 *         (3) time does not go back: what is earlier belongs to the bucket at hand
 */
#ifndef MATCH_SERIES_H
#define MATCH_SERIES_H

#include <stddef.h>
#include <stdint.h>

enum { SERIES_BUCKETS = 256, SERIES_MIN_NS = 1000000 };

struct series_entry {
	uint32_t site;
	uint32_t bucket;
	uint32_t before;	      /* index + 1 of the site's last entry before; 0: none */
	uint64_t live, live_bytes;    /* at the end of the bucket */
	uint64_t allocs, alloc_bytes; /* since the start */
};

/* What a site remembers. */
struct series_mark {
	uint32_t bucket; /* of its last change */
	uint32_t entry;	 /* index + 1 of its last entry; 0: none */
};

struct series {
	struct series_entry *entry;
	size_t nr, cap;
	uint64_t width_ns;
	uint64_t start_ns; /* where bucket 0 begins */
	uint64_t end_ns;   /* of the bucket at hand; the clock of the recording */
	uint32_t bucket;   /* at hand */
};

void series_init(struct series *series);
void series_deinit(struct series *series);

/* The first event is at @ts_ns: starts anew. */
void series_start(struct series *series, uint64_t ts_ns);

/* It is @ts_ns, past end_ns; @mark is the first of @nr marks, @stride bytes apart. */
void series_advance(struct series *series, uint64_t ts_ns, void *mark, size_t stride,
		    size_t nr);

/* @e, but for before, is the state of the site at the end of the bucket of its mark. */
void series_close(struct series *series, struct series_mark *mark, struct series_entry e);

/* An object of a site that was allocated at @ts_ns turns out not to be one. */
void series_take_back(struct series *series, const struct series_mark *mark, uint64_t ts_ns,
		      uint64_t bytes);

#endif
