// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/slabpage.h"

TABLE_INLINE uint64_t page_key(const void *entry)
{
	const struct slabpage *p = entry;

	return p->addr >> p->shift;
}

TABLE_INLINE bool page_used(const void *entry)
{
	return ((const struct slabpage *)entry)->shift != 0;
}

static const struct table_ops page_ops = { sizeof(struct slabpage), page_key, page_used };

void slabpage_init(struct slabpage_table *pages, uint32_t page_size)
{
	pages->shift = (uint32_t)__builtin_ctz(page_size);
	table_init(&pages->table, &page_ops);
}

void slabpage_deinit(struct slabpage_table *pages)
{
	table_deinit(&pages->table);
}

/* Drops the pages that emptied, when they are enough to put off growing. */
static void drop_emptied(struct table *t)
{
	struct slabpage *p;
	size_t emptied = 0;

	for (size_t i = 0; (p = table_next(t, &page_ops, &i));)
		emptied += !p->nr;
	if (emptied < t->limit / 4)
		return;
	for (size_t i = 0; (p = table_next(t, &page_ops, &i));) {
		if (p->nr)
			continue;
		table_remove(t, &page_ops, p);
		i--; /* another may have moved here */
	}
}

void slabpage_add(struct slabpage_table *pages, uint64_t addr)
{
	struct table *t = &pages->table;

	if (t->nr >= t->limit)
		drop_emptied(t);

	bool new;
	struct slabpage *p = table_put(t, &page_ops, addr >> pages->shift, &new);

	p->shift = pages->shift;
	if (!p->nr)
		p->addr = addr;
	p->addr |= addr;
	p->nr++;
}

struct slabpage *slabpage_find(const struct slabpage_table *pages, uint64_t addr)
{
	return table_find(&pages->table, &page_ops, addr >> pages->shift);
}

void slabpage_remove(struct slabpage_table *pages, uint64_t addr)
{
	slabpage_find(pages, addr)->nr--;
}
