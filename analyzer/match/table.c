// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/table.h"

#include "base/xalloc.h"

enum { MIN_CAP = 1024 };

void table_resize(struct table *t, const struct table_ops *ops, size_t cap)
{
	spill_grow(&t->mem, cap * ops->size);
	t->slot = t->mem.at;
	if (!t->mem.mapped)
		memset(t->slot + t->cap * ops->size, 0, (cap - t->cap) * ops->size);
	t->cap = cap;
	t->limit = cap / 10 * 7;
}

void table_init(struct table *t, const struct table_ops *ops)
{
	*t = (struct table){ .secret = hash_secret() };
	table_resize(t, ops, MIN_CAP);
}

void table_clear(struct table *t, const struct table_ops *ops)
{
	table_deinit(t);
	table_init(t, ops);
}

void table_deinit(struct table *t)
{
	spill_release(&t->mem);
	*t = (struct table){ 0 };
}
