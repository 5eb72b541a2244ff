/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/slabpage.h - which virtual pages hold slab objects (rules 6, 15)
 *
 * In:     every address that slab objects are at, once until its page ends; those
 *         of other objects that are freed; the end of a page
 * Out:    where in a page objects may start: what lives there is found by asking
 *         for every address that is possible
 * Not:    told of no free, and of no allocation at an address that it knows
 *         (LIVE_PAGED): most events are such
 * Rules:  (1) a page is there until it ends, with or without live objects: that
 *             it had any tells what it was
 *         (2) 16 bytes a page
 */
#ifndef MATCH_SLABPAGE_H
#define MATCH_SLABPAGE_H

#include <assert.h>

#include "match/table.h"

struct slabpage {
	uint64_t addr;	    /* of the object first put there */
	uint32_t nr : 20;   /* addresses in it at most; SLABPAGE_MANY: that many or more */
	uint32_t here : 1;  /* it has not ended */
	uint32_t slab : 1;  /* one was seen that is too small to have pages of its own */
	uint32_t asked : 1; /* whether its page frame was allocated in the recording, … */
	uint32_t young : 1; /* … as it was: both hold until an event tells of the frame */
	uint32_t shift : 8; /* of the page size; not 0 */
	uint16_t step;	    /* divides the distances of its objects; 0: one object only */
	uint16_t bytes;	    /* of the object last put there; 0: 64 KiB and more */
};

enum { SLABPAGE_MANY = (1 << 20) - 1, SLABPAGE_LIKE = 1 << 15 };

struct slabpage_table {
	struct table table;
	uint32_t *like; /* how many are here, by a hash of their number without a secret */
	uint32_t shift;
	bool ends_told; /* which pages end; before, what was seen proves nothing */
};

void slabpage_init(struct slabpage_table *pages, uint32_t page_size);
void slabpage_deinit(struct slabpage_table *pages);
void slabpage_clear(struct slabpage_table *pages); /* the same, but that it is empty then */

/*
 * An object of @bytes begins to live at @addr. True when the page need not be told
 * again of an object like this one there, until it ends.
 */
bool slabpage_add(struct slabpage_table *pages, uint64_t addr, uint64_t bytes);

/* The page that @addr lies in, or NULL when no object was seen to start in it. */
struct slabpage *slabpage_find(const struct slabpage_table *pages, uint64_t addr);
/* The same; it is made when it is not there. */
struct slabpage *slabpage_enter(struct slabpage_table *pages, uint64_t addr);

/*
 * A slab object that was not added was in the page of @addr: @page, as found, or NULL.
 * Returns it.
 */
static inline struct slabpage *slabpage_see(struct slabpage_table *pages, struct slabpage *page,
					    uint64_t addr)
{
	if (!page)
		page = slabpage_enter(pages, addr);
	page->slab |= pages->ends_told;
	return page;
}

/* The next page from slot *@i on, which starts at 0; NULL at the end. */
const struct slabpage *slabpage_next(const struct slabpage_table *pages, size_t *i);

static inline uint32_t *slabpage_like(const struct slabpage_table *pages, uint64_t addr)
{
	return &pages->like[(addr >> pages->shift) * UINT64_C(0x9e3779b97f4a7c15) >> 49];
}

static_assert(SLABPAGE_LIKE == 1 << (64 - 49), "the index of slabpage_like()");

/* False for nearly all pages that slabpage_find() would not find. */
static inline bool slabpage_may_be(const struct slabpage_table *pages, uint64_t addr)
{
	return *slabpage_like(pages, addr);
}

/* All of its addresses were forgotten. */
static inline void slabpage_forget(struct slabpage_table *pages, struct slabpage *page)
{
	--*slabpage_like(pages, page->addr);
	page->nr = 0;
	page->here = 0;
}

/*
 * The first address in the page at which an object can start, and the distance
 * to the next one: all objects of a slab are as far apart as they are large.
 */
static inline uint64_t slabpage_first(const struct slabpage *page, uint64_t *ret_step)
{
	uint64_t size = UINT64_C(1) << page->shift, off = page->addr & (size - 1);

	*ret_step = page->step ? page->step : size;
	return page->addr - off + off % *ret_step;
}

/* The address behind the page. */
static inline uint64_t slabpage_end(const struct slabpage *page)
{
	return ((page->addr >> page->shift) + 1) << page->shift;
}

#endif
