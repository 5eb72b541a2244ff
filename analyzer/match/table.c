// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/table.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/xalloc.h"

enum { MIN_CAP = 1024 };

struct table_secret table_secret(void)
{
	struct table_secret s;

	/* Where the system has no randomness, the time is better than a constant. */
	if (getrandom(&s, sizeof(s), 0) != (ssize_t)sizeof(s)) {
		struct timespec ts = { 0 };

		clock_gettime(CLOCK_MONOTONIC, &ts);
		s.add = (uint64_t)ts.tv_nsec;
		s.mul = ((uint64_t)ts.tv_nsec + (uint64_t)ts.tv_sec) * 0xd6e8feb86659fd93;
	}
	s.mul |= 1;
	return s;
}

static void resize(struct table *t, const struct table_ops *ops, size_t cap)
{
	t->slot = xreallocarray(t->slot, cap, ops->size);
	memset(t->slot + t->cap * ops->size, 0, (cap - t->cap) * ops->size);
	t->cap = cap;
	t->limit = cap / 10 * 7;
}

void table_init(struct table *t, const struct table_ops *ops)
{
	*t = (struct table){ .secret = table_secret() };
	resize(t, ops, MIN_CAP);
}

void table_deinit(struct table *t)
{
	free(t->slot);
	*t = (struct table){ 0 };
}

/*
 * Homes rise with the hash, so that every entry's new home is at or after its
 * old one: going from the last slot to the first, an entry finds its new place
 * in what was gone through already. The few that do not, because they stand
 * far behind their home near the start, or past the end, wait aside.
 */
void table_grow(struct table *t, const struct table_ops *ops)
{
	size_t old_cap = t->cap, nr_aside = 0, cap_aside = 0;
	auto_free char *aside = NULL;

	resize(t, ops, old_cap + old_cap / 4);
	for (size_t i = old_cap; i-- > 0;) {
		char *e = t->slot + i * ops->size;

		if (!ops->used(e))
			continue;
		size_t to = table_home(t, ops->key(e));

		while (to > i && to < t->cap && ops->used(t->slot + to * ops->size))
			to++;
		if (to == i)
			continue;
		if (to < i || to == t->cap) {
			if (nr_aside == cap_aside) {
				cap_aside = cap_aside ? cap_aside * 2 : 16;
				aside = xreallocarray(aside, cap_aside, ops->size);
			}
			memcpy(aside + nr_aside++ * ops->size, e, ops->size);
		} else {
			memcpy(t->slot + to * ops->size, e, ops->size);
		}
		memset(e, 0, ops->size);
	}
	for (size_t i = 0; i < nr_aside; i++) {
		const char *e = aside + i * ops->size;

		memcpy(table_seek(t, ops, ops->key(e)), e, ops->size);
	}
}
