/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/sample.h - a recording of a part of memory: what counts for how much
 *
 * A recorder that samples takes down one in N chunks of memory (SAMPLE_ORDER
 * pages, by physical number) with all that happens there, so that whoever sees an
 * allocation sees the free. Larger blocks are taken down always, and stand for
 * their chunks that are in the sample.
 *
 * In:     N and which of N chunks it is; the bookings of objects with their address
 * Out:    by how much an object counts; figures of sites multiplied by that, and
 *         the variance of what this estimates
 * Not:    samples percpu and vmap areas: their events are few
 * Rules:  (1) an object that is seen with probability p counts 1/p times, and is
 *             seen, if it is, from its allocation to its free
 *         (2) the variance is that of sampling chunks independently with the same
 *             probability: of objects in one chunk all are seen or none. Where few
 *             chunks were seen it is larger, by what the others may hold
 *         (3) memory is a cell for each site and chunk it allocates in, at most
 *             SAMPLE_MAX_CELLS; beyond, the error of bytes allocated is not known
 * Theory: Documentation/design/sampling.md
 */
#ifndef MATCH_SAMPLE_H
#define MATCH_SAMPLE_H

#include "match/match.h"
#include "match/page.h"
#include "match/sitetab.h"
#include "match/table.h"

enum { SAMPLE_MAX_CELLS = 1 << 21 };

struct sample_cell {
	uint64_t chunk;
	uint32_t site; /* + 1; 0: empty */
	double live, live_bytes, alloc_bytes;
};

struct sample {
	struct sample_rate rate;
	unsigned int page_shift;
	bool full; /* no cell more */
	struct sample_cell *cell;
	size_t nr, nr_slots;
	struct hash_secret secret;
};

void sample_init(struct sample *sample, const struct sample_rate *rate, uint32_t page_size);
void sample_deinit(struct sample *sample);

/* False for an event of memory outside the sample, which the kernel did not leave out. */
bool sample_has(const struct sample *sample, const struct event *ev);

/* How often an object counts that @ev, which is in the sample, is about. */
uint32_t sample_weight(const struct sample *sample, const struct event *ev);

/* An allocation that was booked on @account. */
void sample_alloc(struct sample *sample, const struct sitetab *sites, uint32_t account,
		  const struct event *ev, double bytes);

/* Takes note of where the live objects lie. */
void sample_live(struct sample *sample, const struct sitetab *sites, const struct table *slab,
		 const struct page_map *pages);

/* The sites got new indexes: @to by the old ones. */
void sample_renumber(struct sample *sample, const uint32_t *to);

/*
 * All figures of sites and accounts times their weight, and the variance on one
 * site of each call site; bounds get three standard errors wider. @group as in
 * match_judge().
 */
void sample_scale(const struct sample *sample, struct sitetab *sites, const uint32_t *group);

#endif
