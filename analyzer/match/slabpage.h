/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/slabpage.h - which virtual pages hold live slab objects (rule 6)
 *
 * In:     every address that enters or leaves the live slab objects
 * Out:    how many objects start in a page, and the distance in which to look
 *         for them: a page free almost always meets a page with none, and the
 *         few others are searched by asking for every address that is possible
 * Rules:  (1) 16 bytes a page; a page that empties stays until the table is
 *             full, since most fill again
 */
#ifndef MATCH_SLABPAGE_H
#define MATCH_SLABPAGE_H

#include "match/hash.h"

struct slabpage {
	uint64_t addr; /* of the page; low bits are the offsets of its objects, or-ed */
	uint32_t nr;   /* objects that start in it */
	uint32_t used; /* 0: an empty slot */
};

struct slabpage_table {
	struct slabpage *slot;
	size_t cap, nr, limit; /* nr counts the emptied ones too */
	uint64_t mask;	       /* page size - 1 */
	struct hash_secret secret;
};

void slabpage_init(struct slabpage_table *pages, uint32_t page_size);
void slabpage_deinit(struct slabpage_table *pages);

void slabpage_add(struct slabpage_table *pages, uint64_t addr);

/* The page that @addr lies in, or NULL; it may hold none. */
static inline struct slabpage *slabpage_find(const struct slabpage_table *pages, uint64_t addr)
{
	uint64_t page = addr & ~pages->mask;
	size_t i = hash_slot(hash_mix(pages->secret, page), pages->cap);

	for (;;) {
		struct slabpage *p = &pages->slot[i];

		if (!p->used)
			return NULL;
		if ((p->addr & ~pages->mask) == page)
			return p;
		if (++i == pages->cap)
			i = 0;
	}
}

/* @addr was added before. */
static inline void slabpage_remove(struct slabpage_table *pages, uint64_t addr)
{
	slabpage_find(pages, addr)->nr--;
}

/* The distance of the addresses at which objects of the page can start. */
static inline uint64_t slabpage_step(const struct slabpage_table *pages, const struct slabpage *page)
{
	uint64_t offsets = (page->addr & pages->mask) | (pages->mask + 1);

	return offsets & -offsets;
}

#endif
