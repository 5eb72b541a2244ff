// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/oldpage.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { WORD = 64, ORDER_BITS = 4 };

void oldpage_deinit(struct oldpage_map *map)
{
	free(map->touched);
	free(map->freed);
	*map = (struct oldpage_map){};
}

static void grow(struct oldpage_map *map, uint64_t pages)
{
	uint64_t had = map->nr_pages, nr = 2 * had;

	nr = nr > pages ? nr : pages;
	nr = nr < OLDPAGE_MAX_PFN ? (nr + WORD - 1) / WORD * WORD : OLDPAGE_MAX_PFN;
	map->touched = xreallocarray(map->touched, nr / WORD, sizeof(*map->touched));
	memset(map->touched + had / WORD, 0, (nr - had) / WORD * sizeof(*map->touched));
	map->nr_pages = nr;
}

bool oldpage_touch_any(struct oldpage_map *map, uint64_t pfn, unsigned int order)
{
	uint64_t end = pfn + (UINT64_C(1) << order);
	bool ret = true;

	if (end > OLDPAGE_MAX_PFN || end < pfn)
		return false;
	if (end > map->nr_pages)
		grow(map, end);
	while (pfn < end) {
		uint64_t *word = &map->touched[pfn / WORD], bit = pfn % WORD;
		uint64_t nr = end - pfn < WORD - bit ? end - pfn : WORD - bit;
		uint64_t mask = (nr < WORD ? (UINT64_C(1) << nr) - 1 : ~UINT64_C(0)) << bit;

		ret &= !(*word & mask);
		*word |= mask;
		pfn += nr;
	}
	return ret;
}

void oldpage_freed(struct oldpage_map *map, uint64_t pfn, unsigned int order)
{
	if (map->nr == OLDPAGE_MAX)
		return;
	vec_room(map->freed, map->nr, map->cap);
	map->freed[map->nr++] = pfn << ORDER_BITS | order;
}

void oldpage_forget(struct oldpage_map *map)
{
	map->nr = 0;
}

bool oldpage_next(const struct oldpage_map *map, size_t *i, uint64_t *ret_pfn,
		  unsigned int *ret_order)
{
	if (*i >= map->nr)
		return false;
	*ret_pfn = map->freed[*i] >> ORDER_BITS;
	*ret_order = map->freed[*i] & ((1 << ORDER_BITS) - 1);
	++*i;
	return true;
}
