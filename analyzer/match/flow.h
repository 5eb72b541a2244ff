/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/flow.h - which sites' objects a free's call site frees (rule 15)
 *
 * A free of an object that is older than the recording names no allocation.
 * But code that frees is written for what it frees: where all known objects
 * that one call site freed were made at one place, so was the unknown one.
 *
 * In:     all slab frees
 * Out:    how many objects went from a site through a free's call site, by the
 *         cache that the free names and by size; unknown ones among them
 * Not:    does not decide: sites are folded into places in the source only
 *         later, and two addresses of one place are no contradiction
 * Rules:  (1) 32 bytes a flow and at most FLOW_MAX of them, 8 bytes an address
 *             and at most FLOW_MAX_SEEN of those
 *         (2) what would be one more is dropped, and full says so: then
 *             what is there proves nothing
 */
#ifndef MATCH_FLOW_H
#define MATCH_FLOW_H

#include "match/table.h"

enum { FLOW_MAX = 1 << 18, FLOW_MAX_SEEN = 1 << 20, FLOW_RECENT = 512 };

/* What is told of an object instead of the index of its site. */
#define FLOW_SITES  (UINT32_MAX - 3) /* and above: no site */
#define FLOW_LARGE  (UINT32_MAX - 2) /* its page block is the account (rule 10) */
#define FLOW_SILENT (UINT32_MAX - 1) /* not known, but made within the recording */
#define FLOW_OLDER  UINT32_MAX	     /* not known; nothing says it was made within */

/* Instead of a return address: what tells itself what it is, by size. */
#define FLOW_AREAS UINT64_C(1) /* areas that vmalloc made (rule 16) */
#define FLOW_SLABS UINT64_C(2) /* blocks of pages that were slabs */

struct flow {
	uint64_t call_site; /* of the frees */
	uint64_t nr;
	uint32_t site;	/* index, or FLOW_* */
	uint32_t bytes; /* of each; 0: not known */
	uint16_t cache; /* that the frees name, or 0 */
};

struct flow_table {
	struct flow *flow;
	size_t nr, cap;
	uint32_t *slot;	 /* index + 1; 0 is empty */
	size_t nr_slots; /* a power of two, at least twice nr */
	bool full;
	uint32_t recent[FLOW_RECENT]; /* indexes: most frees repeat one */
	struct hash_secret secret;
	struct table seen; /* addresses freed while not known */
};

void flow_init(struct flow_table *flows);
void flow_deinit(struct flow_table *flows);

void flow_find(struct flow_table *flows, const struct flow *flow, uint32_t *recent);

/* An object is freed. False when it may be the first of its flow. */
static inline bool flow_add(struct flow_table *flows, uint64_t call_site, uint16_t cache,
			    uint32_t site, uint64_t bytes)
{
	uint32_t bytes_32 = bytes <= UINT32_MAX ? (uint32_t)bytes : 0;
	uint32_t *recent =
		&flows->recent[(call_site ^ call_site >> 9 ^ site * 7) % FLOW_RECENT];
	struct flow *f = &flows->flow[*recent];

	/* An index past the end is of an empty one, that was never used or forgotten. */
	if (__builtin_expect(f->call_site == call_site && f->site == site &&
				     f->bytes == bytes_32 && f->cache == cache && f->nr,
			     1)) {
		f->nr++;
		return true;
	}
	flow_find(flows, &(struct flow){ call_site, 1, site, bytes_32, cache }, recent);
	return false;
}

/* Remembers that an object not known was freed at @addr; true for a second time. */
bool flow_seen(struct flow_table *flows, uint64_t addr);

/* Forgets the flows, but not the addresses. */
void flow_forget(struct flow_table *flows);

/* The sites got new indexes: @to by the old ones. */
void flow_renumber(struct flow_table *flows, const uint32_t *to);

#endif
