// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/live.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static_assert(sizeof(struct live_obj) == 24, "an object is three words");

static void live_alloc(struct live *live, size_t cap)
{
	live->slot = xcalloc(cap, sizeof(*live->slot));
	live->cap = cap;
	live->limit = cap / 8 * 7;
}

void live_init(struct live *live)
{
	*live = (struct live){ .secret = hash_secret() };
	live_alloc(live, 1024);
}

void live_deinit(struct live *live)
{
	free(live->slot);
	*live = (struct live){ 0 };
}

static size_t home(const struct live *live, uint64_t key)
{
	return hash_slot(hash_mix(live->secret, key), live->cap);
}

static void grow(struct live *live)
{
	struct live_obj *old = live->slot;
	size_t old_cap = live->cap;

	live_alloc(live, old_cap + old_cap / 2);
	for (size_t n = 0; n < old_cap; n++) {
		if (!old[n].key)
			continue;
		size_t i = home(live, old[n].key);

		while (live->slot[i].key)
			if (++i == live->cap)
				i = 0;
		live->slot[i] = old[n];
	}
	free(old);
}

struct live_obj *live_put(struct live *live, uint64_t key, bool *ret_new)
{
	if (live->nr >= live->limit)
		grow(live);
	size_t i = home(live, key);

	while (live->slot[i].key) {
		if (live->slot[i].key == key) {
			*ret_new = false;
			return &live->slot[i];
		}
		if (++i == live->cap)
			i = 0;
	}
	live->slot[i] = (struct live_obj){ .key = key };
	live->nr++;
	*ret_new = true;
	return &live->slot[i];
}

/*
 * Objects behind the hole move up when their home is not after it, so that
 * no marks are left behind and a table in steady state stays as fast as new.
 */
void live_remove(struct live *live, struct live_obj *obj)
{
	size_t hole = (size_t)(obj - live->slot);

	for (size_t i = hole;;) {
		if (++i == live->cap)
			i = 0;
		if (!live->slot[i].key)
			break;
		size_t want = home(live, live->slot[i].key);
		size_t from_want = i >= want ? i - want : i + live->cap - want;
		size_t from_hole = i >= hole ? i - hole : i + live->cap - hole;

		if (from_want >= from_hole) {
			live->slot[hole] = live->slot[i];
			hole = i;
		}
	}
	live->slot[hole].key = 0;
	live->nr--;
}

const struct live_obj *live_next(const struct live *live, size_t *i)
{
	while (*i < live->cap) {
		const struct live_obj *o = &live->slot[(*i)++];

		if (o->key)
			return o;
	}
	return NULL;
}
