// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/slabpage.h"

#include <stdlib.h>

#include "base/xalloc.h"

TABLE_INLINE uint64_t page_key(const void *entry)
{
	const struct slabpage *p = entry;

	return p->addr >> p->shift;
}

TABLE_INLINE bool page_used(const void *entry)
{
	return ((const struct slabpage *)entry)->shift != 0;
}

TABLE_INLINE bool page_live(const void *entry)
{
	return ((const struct slabpage *)entry)->here;
}

TABLE_OPS(page, struct slabpage, page_live, TABLE_SMALL)

void slabpage_init(struct slabpage_table *pages, uint32_t page_size)
{
	pages->shift = (uint32_t)__builtin_ctz(page_size);
	pages->like = xcalloc(SLABPAGE_LIKE, sizeof(*pages->like));
	table_init(&pages->table, &page_ops);
}

void slabpage_clear(struct slabpage_table *pages)
{
	table_clear(&pages->table, &page_ops);
	memset(pages->like, 0, SLABPAGE_LIKE * sizeof(*pages->like));
}

void slabpage_deinit(struct slabpage_table *pages)
{
	table_deinit(&pages->table);
	free(pages->like);
}

/* Makes the step divide the distance of @addr from the first object, too. */
static void widen(struct slabpage *p, uint64_t addr)
{
	uint32_t a = (uint32_t)(addr > p->addr ? addr - p->addr : p->addr - addr);
	uint32_t b = p->step;

	/* Nearly always it does. */
	if (!a || (b && !(a % b)))
		return;
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	while (a > UINT16_MAX) /* pages of more than 64 KiB */
		a = a % 2 ? 1 : a / 2;
	p->step = (uint16_t)a;
}

/* What it was before its last end tells nothing. */
struct slabpage *slabpage_enter(struct slabpage_table *pages, uint64_t addr)
{
	struct slabpage *p = table_put(&pages->table, &page_ops, addr >> pages->shift);

	if (!p->here) {
		*p = (struct slabpage){ .addr = addr, .shift = pages->shift & 0xff, .here = 1 };
		++*slabpage_like(pages, addr);
	}
	return p;
}

bool slabpage_add(struct slabpage_table *pages, uint64_t addr, uint64_t bytes)
{
	struct slabpage *p = slabpage_enter(pages, addr);

	p->bytes = bytes <= UINT16_MAX ? (uint16_t)bytes : 0;
	p->slab |= pages->ends_told && bytes <= UINT64_C(2) << pages->shift;
	widen(p, addr);
	p->nr += p->nr < SLABPAGE_MANY;
	return pages->ends_told;
}

struct slabpage *slabpage_find(const struct slabpage_table *pages, uint64_t addr)
{
	return table_find(&pages->table, &page_ops, addr >> pages->shift);
}

const struct slabpage *slabpage_next(const struct slabpage_table *pages, size_t *i)
{
	return table_next(&pages->table, &page_ops, i);
}
