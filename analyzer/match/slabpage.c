// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/slabpage.h"

#include <stdlib.h>

#include "base/xalloc.h"

static void table_alloc(struct slabpage_table *pages, size_t cap)
{
	pages->slot = xcalloc(cap, sizeof(*pages->slot));
	pages->cap = cap;
	pages->limit = cap / 8 * 7;
	pages->nr = 0;
}

void slabpage_init(struct slabpage_table *pages, uint32_t page_size)
{
	*pages = (struct slabpage_table){ .mask = page_size - 1, .secret = hash_secret() };
	table_alloc(pages, 1024);
}

void slabpage_deinit(struct slabpage_table *pages)
{
	free(pages->slot);
	*pages = (struct slabpage_table){ 0 };
}

static struct slabpage *empty_slot(const struct slabpage_table *pages, uint64_t page)
{
	size_t i = hash_slot(hash_mix(pages->secret, page), pages->cap);

	while (pages->slot[i].used)
		if (++i == pages->cap)
			i = 0;
	return &pages->slot[i];
}

/* Drops the pages that emptied; grows when that would not free a quarter. */
static void rebuild(struct slabpage_table *pages)
{
	struct slabpage *old = pages->slot;
	size_t old_cap = pages->cap, held = 0;

	for (size_t i = 0; i < old_cap; i++)
		held += old[i].nr != 0;
	table_alloc(pages, held > old_cap / 8 * 5 ? old_cap + old_cap / 2 : old_cap);
	for (size_t i = 0; i < old_cap; i++) {
		if (!old[i].nr)
			continue;
		*empty_slot(pages, old[i].addr & ~pages->mask) = old[i];
		pages->nr++;
	}
	free(old);
}

void slabpage_add(struct slabpage_table *pages, uint64_t addr)
{
	struct slabpage *p = slabpage_find(pages, addr);

	if (!p) {
		if (pages->nr >= pages->limit)
			rebuild(pages);
		p = empty_slot(pages, addr & ~pages->mask);
		p->used = 1;
		pages->nr++;
	}
	if (!p->nr)
		p->addr = addr;
	p->addr |= addr;
	p->nr++;
}
