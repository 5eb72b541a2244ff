// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tournament.h"

#include <stdlib.h>

#include "base/xalloc.h"

void tournament_init(struct tournament *t, size_t nr)
{
	t->cap = 1;
	while (t->cap < nr)
		t->cap *= 2;
	t->node = xcalloc(t->cap, sizeof(*t->node));
	t->round = xcalloc(2 * t->cap, sizeof(*t->round));
}

void tournament_deinit(struct tournament *t)
{
	free(t->node);
	free(t->round);
}

void tournament_hold(struct tournament *t, const uint64_t *ts_ns, size_t nr,
		     tournament_tie *tie, const void *arg)
{
	for (size_t i = 0; i < t->cap; i++)
		t->round[t->cap + i] =
			(struct tournament_head){ i < nr ? ts_ns[i] : UINT64_MAX, i };
	for (size_t i = t->cap - 1; i; i--) {
		struct tournament_head a = t->round[2 * i], b = t->round[2 * i + 1];
		bool second = a.ts_ns != b.ts_ns ? b.ts_ns < a.ts_ns : tie(arg, b.who, a.who);

		t->round[i] = second ? b : a;
		t->node[i] = second ? a : b;
	}
	t->node[0] = t->round[1];
}
