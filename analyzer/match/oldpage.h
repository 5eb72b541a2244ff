/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/oldpage.h - page blocks that are older than the recording, as they are freed
 *
 * In:     which page frames events tell of, and which of these free what is not known
 * Out:    the blocks freed whose pages no event told of before: they are still what
 *         they were when the recording began
 * Rules:  (1) a bit for each page frame up to the highest seen; what is beyond
 *             OLDPAGE_MAX_PFN (1 TiB of 4 KiB pages) is never taken for old
 *         (2) 8 bytes a block, at most OLDPAGE_MAX of them; what would be one more
 *             is left out
 * Theory: Documentation/design/matching.md, rule 15
 */
#ifndef MATCH_OLDPAGE_H
#define MATCH_OLDPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OLDPAGE_MAX_PFN (UINT64_C(1) << 28)
enum { OLDPAGE_MAX = 1 << 20 };

struct oldpage_map {
	uint64_t *touched; /* a bit a page */
	uint64_t nr_pages; /* that have one; a multiple of 64 */
	uint64_t *freed;   /* pfn << 4 | order */
	size_t nr, cap;
};

void oldpage_deinit(struct oldpage_map *map);

bool oldpage_touch_any(struct oldpage_map *map, uint64_t pfn, unsigned int order);

/* An event tells of the block, of order 15 at most; true when none did of any of it. */
static inline bool oldpage_touch(struct oldpage_map *map, uint64_t pfn, unsigned int order)
{
	if (order || pfn >= map->nr_pages)
		return oldpage_touch_any(map, pfn, order);
	uint64_t *word = &map->touched[pfn / 64], mask = UINT64_C(1) << pfn % 64;
	bool ret = !(*word & mask);

	*word |= mask;
	return ret;
}

/* A block that is not known is freed, and was not touched before. */
void oldpage_freed(struct oldpage_map *map, uint64_t pfn, unsigned int order);
/* Those so far do not count. */
void oldpage_forget(struct oldpage_map *map);
/* The next of them, from *@i, which starts at 0; false at the end. */
bool oldpage_next(const struct oldpage_map *map, size_t *i, uint64_t *ret_pfn,
		  unsigned int *ret_order);

#endif
