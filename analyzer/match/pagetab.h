/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/pagetab.h - an entry of ten bytes for each page frame that was given one
 *
 * Page frames in use lie near each other: of 64 in a row that a busy machine
 * uses any of, it uses most. So 64 frames are a group, which is a slot of a
 * hash table with a bit for each frame that has an entry; their entries lie
 * in order of frame, one behind the other, in a run. Runs of one size fill
 * chunks without holes: into the place that a run leaves comes the last one of
 * its size.
 *
 * In:     page frames below PAGETAB_MAX_PFN
 * Out:    their entries: 10 bytes each; more a group, 6 to 21 for its run and 23 to 32
 *         for its slot
 * Not:    entries know nothing of each other: what an order means is page.h's
 * Rules:  (1) an entry that ends stays where it is, dead, since the kernel gives
 *             out again what was freed last; when there are more than max_dead,
 *             and one for 32 that live, the next new entry sends the dead away
 *         (2) a pointer to an entry is good until the next put
 *         (3) a frame that would be one too many gets an entry that is nowhere, and
 *             the table says so
 *         (4) a group is mixed while it has live entries of order 1 and above, of which
 *             the user tells: where it is not, no look at these is needed
 */
#ifndef MATCH_PAGETAB_H
#define MATCH_PAGETAB_H

#include "match/table.h"

#define PAGETAB_MAX_PFN	  (UINT64_C(1) << 40) /* 4 PiB of 4 KiB pages */
#define PAGETAB_MAX_OWNER ((UINT32_C(1) << 27) - 1)

enum {
	PAGETAB_FRAMES = 64,
	PAGETAB_KEY_BITS = 34,	/* of a group: its pfns without the last 6 bits */
	PAGETAB_UNIT_BIT = 35,	/* where the unit begins, behind the key and a bit for rule 4 */
	PAGETAB_ENDED = 15,	/* the order of a dead entry */
	PAGETAB_DEAD = 1 << 18, /* max_dead */
	PAGETAB_UNIT = 16,	/* the size of a run is a multiple of that, in bytes, … */
	PAGETAB_CLASSES = (6 + 10 * PAGETAB_FRAMES + PAGETAB_UNIT - 1) / PAGETAB_UNIT + 1,
	PAGETAB_CHUNK = 4096, /* … and that of a chunk is so many times that */
	PAGETAB_MAX_CHUNKS = (1 << 17) - 1,
};

struct page_entry {
	uint32_t time_low;
	uint16_t time_high;
	uint32_t owner : 27;
	uint32_t order : 4; /* PAGETAB_ENDED: the entry is dead */
	uint32_t piece : 1; /* owner is an index of page.h's splits, not of an account */
} __attribute__((packed, aligned(2)));

#define PAGETAB_MIXED (UINT64_C(1) << PAGETAB_KEY_BITS)

struct pagetab_group {
	uint64_t frames; /* which have an entry; 0: none has, the group is dead */
	/* The key, PAGETAB_MIXED, and above it the unit where its run begins. */
	uint64_t key_run;
};

struct pagetab_run {
	uint32_t key_low; /* of its group */
	uint16_t key_high : 8;
	uint16_t larger : 8; /* live entries in it that are of several pages */
	struct page_entry entry[];
} __attribute__((packed, aligned(2)));

struct pagetab_chunk {
	uint32_t before; /* the one of the same class, or that is free, + 1; 0: none */
	uint32_t class;	 /* units a run; 0: free */
};

struct pagetab {
	struct table groups;
	struct spill_mem runs;
	size_t nr_entries, nr_dead, max_dead;
	struct pagetab_chunk *chunk;
	size_t nr_chunks, cap_chunks, max_chunks;
	uint32_t free_chunk; /* + 1 */
	struct pagetab_class {
		uint32_t last; /* its chunk that may have room, + 1; the others are full */
		uint32_t nr;   /* runs in that */
	} class[PAGETAB_CLASSES];
	struct page_entry nowhere;
	bool full; /* rule 3 */
};

TABLE_INLINE uint64_t pagetab_key(const void *group)
{
	return ((const struct pagetab_group *)group)->key_run &
	       ((UINT64_C(1) << PAGETAB_KEY_BITS) - 1);
}

TABLE_INLINE bool pagetab_used(const void *group)
{
	const struct pagetab_group *g = group;

	return (g->frames | g->key_run) != 0;
}

TABLE_INLINE bool pagetab_live(const void *group)
{
	return ((const struct pagetab_group *)group)->frames != 0;
}

TABLE_OPS(pagetab, struct pagetab_group, pagetab_live, TABLE_SMALL)

void pagetab_init(struct pagetab *tab);
void pagetab_deinit(struct pagetab *tab);
/* Leaves it empty, with little memory. */
void pagetab_clear(struct pagetab *tab);
/* From now on its memory is kept so. */
void pagetab_spill(struct pagetab *tab, struct spill *spill);

/* As pagetab_put(), of a frame that has no entry. */
struct page_entry *pagetab_add(struct pagetab *tab, uint64_t pfn);

/* The group of the frame has one live entry of several pages more, or for -1 one less. */
void pagetab_count_larger(struct pagetab *tab, uint64_t pfn, int by);

/* Of a table in files: what is likely to be read of @pfn comes to memory. */
void pagetab_touch(const struct pagetab *tab, uint64_t pfn);

/* The first live entry of the frames from *@pfn to before @end, and its frame; or NULL. */
struct page_entry *pagetab_from(const struct pagetab *tab, uint64_t *pfn, uint64_t end);

/* The next live entry, from *@pos on, which starts at 0, and its frame; NULL at the end. */
struct page_entry *pagetab_next(const struct pagetab *tab, size_t *pos, uint64_t *ret_pfn);

/* The bits that are set. Not all machines that this is built for have an instruction. */
TABLE_INLINE unsigned int pagetab_count(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned int)((bits * 0x0101010101010101) >> 56);
}

/* Entries of the group's frames below @pfn. */
TABLE_INLINE unsigned int pagetab_rank(const struct pagetab_group *g, uint64_t pfn)
{
	unsigned int bit = pfn % PAGETAB_FRAMES;

	return g->frames == UINT64_MAX ? bit
				       : pagetab_count(g->frames & ((UINT64_C(1) << bit) - 1));
}

TABLE_INLINE struct pagetab_run *pagetab_run(const struct pagetab *tab,
					     const struct pagetab_group *g)
{
	uint64_t unit = g->key_run >> PAGETAB_UNIT_BIT;

	return (struct pagetab_run *)(tab->runs.at + unit * PAGETAB_UNIT);
}

/*
 * The group of @key, or an empty slot, which looks like a group without frames. Nearly all
 * are found at once, so that the key, which an empty slot may have too, is asked first.
 */
TABLE_INLINE struct pagetab_group *pagetab_group(const struct pagetab *tab, uint64_t key)
{
	struct pagetab_group *g =
		(struct pagetab_group *)tab->groups.slot + table_home(&tab->groups, key);
	const struct pagetab_group *end =
		(struct pagetab_group *)tab->groups.slot + tab->groups.cap;

	while (pagetab_key(g) != key && pagetab_used(g))
		if (++g == end)
			g = (struct pagetab_group *)tab->groups.slot;
	return g;
}

/* The entry of @pfn, live or dead, of its group; NULL when it has none. */
TABLE_INLINE struct page_entry *pagetab_entry(const struct pagetab *tab,
					      const struct pagetab_group *g, uint64_t pfn)
{
	if (!(g->frames >> pfn % PAGETAB_FRAMES & 1))
		return NULL;
	return &pagetab_run(tab, g)->entry[pagetab_rank(g, pfn)];
}

TABLE_INLINE struct page_entry *pagetab_seek(const struct pagetab *tab, uint64_t pfn)
{
	return pagetab_entry(tab, pagetab_group(tab, pfn / PAGETAB_FRAMES), pfn);
}

TABLE_INLINE bool pagetab_is_mixed(const struct pagetab_group *g)
{
	return g->key_run & PAGETAB_MIXED;
}

/* The live entry of @pfn, or NULL. */
TABLE_INLINE struct page_entry *pagetab_find(const struct pagetab *tab, uint64_t pfn)
{
	struct page_entry *e = pagetab_seek(tab, pfn);

	return e && e->order != PAGETAB_ENDED ? e : NULL;
}

/* The entry of @pfn. One that is dead the caller must fill, and give an order, at once. */
TABLE_INLINE struct page_entry *pagetab_put(struct pagetab *tab, uint64_t pfn)
{
	struct page_entry *e = pagetab_seek(tab, pfn);

	if (__builtin_expect(!e, 0))
		return pagetab_add(tab, pfn);
	tab->nr_dead -= e->order == PAGETAB_ENDED;
	return e;
}

/* The live entry is dead. */
TABLE_INLINE void pagetab_end(struct pagetab *tab, struct page_entry *e)
{
	e->order = PAGETAB_ENDED;
	tab->nr_dead++;
}

#endif
