/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/page.h - the live page blocks, by pfn, and what frees leave of them
 *
 * A block is one entry at its first pfn, however large. A free of a part splits
 * it as the buddy allocator would: the halves that stay become entries of
 * their own, pieces, that share the record of their block.
 *
 * In:     allocations and frees of 2^order pages at any pfn below PAGE_MAX_PFN
 * Out:    bookings on the sites of the blocks
 * Not:    never trusts a pfn to be a multiple of its block's size, or a free to
 *         be of what was allocated
 * Rules:  (1) no page is in two entries; entries start at a multiple of their
 *             size
 *         (2) a block ends with its last page, by what took that page; its
 *             bytes end as its pages go
 *         (3) an event adds at most twice its order of entries
 *         (4) more accounts, split blocks or entries than can be told apart are an
 *             error: page_error()
 */
#ifndef MATCH_PAGE_H
#define MATCH_PAGE_H

#include <stdbool.h>

#include "match/audit.h"
#include "match/pagetab.h"
#include "match/sitetab.h"

enum { PAGE_WIDE_ORDER = 7, PAGE_WIDE = 1 << 13 };
enum { PAGE_MAX_ORDER = 13 }; /* of arm64 with 64 KiB pages; x86-64 has 10 */
#define PAGE_MAX_PFN PAGETAB_MAX_PFN

/* A block that lost some of its pages. */
struct page_split {
	uint32_t account;
	uint16_t pages;	 /* left; 0: free, and account is the next free one */
	uint8_t stands;	 /* each page for two to this, of which one is in the sample */
	bool single : 1; /* a page of it was freed by an event of its own, … */
	bool larger : 1; /* … or some by one of more pages, or it has less than four */
};

struct page_map {
	struct pagetab table;
	size_t nr_order[PAGE_MAX_ORDER + 1]; /* entries, of order 1 and above */
	uint32_t orders;		     /* those that have any: a bit each */
	/*
	 * Entries of PAGE_WIDE_ORDER and above, which are in one group of the table and
	 * cover more: how many cover a part of memory of that order, by its number.
	 */
	uint32_t *wide;
	struct page_split *split;
	size_t nr_split, cap_split;
	uint32_t free_split; /* index + 1 */
	uint32_t max_owner;
	bool full;	    /* rule 4 */
	unsigned int order; /* of the event that takes pages */
	struct sample_rate sample;
	uint64_t page_size;
	struct sitetab *sites;
};

/* How many wide entries cover the page, or one like it. */
static inline uint32_t *page_wide(const struct page_map *map, uint64_t pfn)
{
	return &map->wide[(pfn >> PAGE_WIDE_ORDER) % PAGE_WIDE];
}

/* False for nearly all pages that no larger block is around. @g: the group of the page. */
static inline bool page_may_be_around(const struct page_map *map, const struct pagetab_group *g,
				      uint64_t pfn)
{
	return pagetab_is_mixed(g) || *page_wide(map, pfn);
}

static inline uint64_t page_time(const struct page_entry *e)
{
	return (uint64_t)e->time_high << 32 | e->time_low;
}

/* The entry of a page that was allocated at @time, for an account not above max_owner. */
static inline struct page_entry page_entry(uint32_t account, uint64_t time)
{
	return (struct page_entry){
		.time_low = (uint32_t)time,
		.time_high = (time >> 32) & 0xffff,
		.owner = account & PAGETAB_MAX_OWNER,
	};
}

/* There is one entry of @order, larger than a page, at @pfn more, or for -1 one less. */
void page_count_larger(struct page_map *map, uint64_t pfn, unsigned int order, int by);

/* The entry of @pfn ends; of a piece, its block does not know yet. */
static inline void page_end(struct page_map *map, uint64_t pfn, struct page_entry *e)
{
	if (e->order)
		page_count_larger(map, pfn, e->order, -1);
	pagetab_end(&map->table, e);
}

/* What one allocation or free met. */
struct page_met {
	uint64_t pages; /* that were live */
	bool partial;	/* of a block that had lost some before, or keeps some */
};

void page_init(struct page_map *map, uint32_t page_size, const struct sample_rate *sample,
	       struct sitetab *sites);
void page_deinit(struct page_map *map);
void page_clear(struct page_map *map); /* no event follows, and no question */
/* From now on its memory is kept so. */
void page_spill(struct page_map *map, struct spill *spill);

/* From when on the books are wrong; NULL while they are not. */
struct err *page_error(const struct page_map *map) MUST_CHECK;

/* False for what cannot be: too large, or beyond PAGE_MAX_PFN. */
static inline bool page_plausible(uint64_t pfn, unsigned int order)
{
	return order <= PAGE_MAX_ORDER && pfn <= PAGE_MAX_PFN - (UINT64_C(1) << order);
}

/* Whether the page is in a chunk that is sampled: always so without sampling. */
static inline bool page_sampled(const struct page_map *map, uint64_t pfn)
{
	return map->sample.one_in <= 1 ||
	       ((pfn >> SAMPLE_ORDER) & (map->sample.one_in - 1)) == map->sample.chunk;
}

/* Pages of the block that are in sampled chunks, or all of one that is no larger. */
uint64_t page_nr_sampled(const struct page_map *map, uint64_t pfn, unsigned int order);

/*
 * A plausible block for @account, at @time; ends what lived in its pages (rule
 * 9). What is left of it in the sample, which is not nothing, stands for the bytes
 * that are returned.
 */
uint64_t page_alloc(struct page_map *map, uint64_t pfn, unsigned int order, uint32_t account,
		    uint64_t time);

/* A part of a live block. */
struct page_part {
	uint64_t pfn;
	uint32_t account;
	double blocks; /* which share of it */
	uint64_t bytes;
	uint32_t split; /* 0 of a whole block, else the same of all its parts */
	bool stands;	/* for more than itself */
};

/* The next, from *@pos, which starts at 0; false at the end. */
bool page_next(const struct page_map *map, size_t *pos, struct page_part *ret);

/* Frees the plausible block @pfn, @order (rule 8). */
struct page_met page_free(struct page_map *map, uint64_t pfn, unsigned int order);

/* Starts to fetch what an allocation or free at @pfn will read first. */
static inline void page_prefetch(const struct page_map *map, uint64_t pfn)
{
	if (__builtin_expect(map->table.runs.spill != NULL, 0))
		pagetab_touch(&map->table, pfn);
	table_prefetch(&map->table.groups, &pagetab_ops, pfn / PAGETAB_FRAMES);
}

/* Adds the pieces of blocks that were split up to their sites (rule 8). */
void page_count_pieces(const struct page_map *map);

/*
 * The live pages of the aligned block @from are now those of the block @to, which
 * loses what lived there, as freed.
 */
void page_move(struct page_map *map, uint64_t from, uint64_t to, unsigned int order);

/* True when no entry that starts in the block was made after @time. */
bool page_older(const struct page_map *map, uint64_t pfn, unsigned int order, uint64_t time);

/* True when exactly this block is live, and whole. */
bool page_is_block(const struct page_map *map, uint64_t pfn, unsigned int order);

/* True when the page is live. */
bool page_is_live(const struct page_map *map, uint64_t pfn);

/* Books how old what is live is now. */
void page_age(const struct page_map *map);

/* True when it is the first of a live block that is whole: of which order and whose. */
bool page_block(const struct page_map *map, uint64_t pfn, unsigned int *ret_order,
		uint32_t *ret_account);

/* Ends blocks older than @time of which the first page is free; returns their pages. */
uint64_t page_audit(struct page_map *map, const struct audit *audit, uint64_t time);

/* Books what was allocated before @time as uncertain. */
void page_mark_uncertain(struct page_map *map, uint64_t time);

#endif
