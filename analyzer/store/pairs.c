// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/pairs.h"

#include <stdlib.h>

#include "base/xalloc.h"

void pairs_deinit(struct pairs *table)
{
	free(table->slot);
	*table = (struct pairs){};
}

void pairs_grow(struct pairs *table)
{
	struct pairs_slot *old = table->slot;
	size_t nr = table->cap;

	if (!nr)
		table->secret = hash_secret();
	table->cap = nr ? 2 * nr : 64;
	table->slot = xcalloc(table->cap, sizeof(*table->slot));
	for (size_t i = 0; i < nr; i++)
		if (old[i].id)
			*pairs_slot(table, old[i].a, old[i].b) = old[i];
	free(old);
}
