/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/slabpage.h - which virtual pages hold live slab objects (rule 6)
 *
 * In:     every address that enters or leaves the live slab objects
 * Out:    how many objects start in a page, and the distance in which to look
 *         for them: a page free almost always meets a page with none, and the
 *         few others are searched by asking for every address that is possible
 */
#ifndef MATCH_SLABPAGE_H
#define MATCH_SLABPAGE_H

#include "match/table.h"

struct slabpage {
	uint64_t addr; /* of the page; low bits are the offsets of its objects, or-ed */
	uint32_t nr;   /* objects that start in it */
	uint16_t bytes; /* of the object last put there; 0: 64 KiB and more */
	uint8_t shift; /* of the page size; not 0 */
};

struct slabpage_table {
	struct table table;
	uint32_t shift;
};

void slabpage_init(struct slabpage_table *pages, uint32_t page_size);
void slabpage_deinit(struct slabpage_table *pages);

void slabpage_add(struct slabpage_table *pages, uint64_t addr, uint64_t bytes);
void slabpage_remove(struct slabpage_table *pages, uint64_t addr); /* added before */

/* The page that @addr lies in, or NULL when no object starts in it. */
struct slabpage *slabpage_find(const struct slabpage_table *pages, uint64_t addr);
void slabpage_prefetch(const struct slabpage_table *pages, uint64_t addr);

/* The first address of the page. */
static inline uint64_t slabpage_start(const struct slabpage *page)
{
	return page->addr >> page->shift << page->shift;
}

/* The distance of the addresses at which objects of the page can start. */
static inline uint64_t slabpage_step(const struct slabpage *page)
{
	uint64_t size = UINT64_C(1) << page->shift;
	uint64_t offsets = (page->addr & (size - 1)) | size;

	return offsets & -offsets;
}

#endif
