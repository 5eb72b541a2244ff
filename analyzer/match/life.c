// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/life.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void life_init(struct life_table *tab)
{
	*tab = (struct life_table){ .nr = 1, .cap = 64 };
	tab->row = xcalloc(tab->cap, sizeof(*tab->row));
}

void life_deinit(struct life_table *tab)
{
	free(tab->row);
	free(tab->carry);
	*tab = (struct life_table){ 0 };
}

void life_make_row(struct life_table *tab, struct life *life, unsigned int row)
{
	vec_room(tab->row, tab->nr, tab->cap);
	memset(tab->row[tab->nr], 0, sizeof(tab->row[0]));
	life->row[row] = (uint32_t)tab->nr++;
}

void life_carry(struct life_table *tab, uint32_t row, unsigned int bin)
{
	vec_room(tab->carry, tab->nr_carry, tab->cap_carry);
	tab->carry[tab->nr_carry++] = (struct life_carry){ row, bin };
}

uint64_t life_count(const struct life_table *tab, const struct life *life, unsigned int bin)
{
	uint32_t row = life->row[bin / LIFE_ROW];
	uint64_t count = row ? tab->row[row][bin % LIFE_ROW] : 0;

	for (size_t i = 0; i < tab->nr_carry; i++)
		if (tab->carry[i].row == row && tab->carry[i].bin == bin % LIFE_ROW)
			count += UINT64_C(1) << 32;
	return count;
}
