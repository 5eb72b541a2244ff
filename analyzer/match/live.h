/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/live.h - the live objects of one key space, by key
 *
 * In:     keys that are not 0; sizes up to LIVE_MAX_BYTES
 * Out:    24 bytes an object, at a load between 7/12 and 7/8: 27 to 41 bytes
 * Rules:  (1) a key is there once
 *         (2) a pointer to an object is good until the next put or remove
 *         (3) nothing is allocated while the number of objects does not grow
 */
#ifndef MATCH_LIVE_H
#define MATCH_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/hash.h"

/* 16 TiB: more than any one area of memory that a kernel hands out. */
#define LIVE_MAX_BYTES (UINT64_C(1) << 44)
/* Times are ns since the first event, up to 78 hours; later ones are this. */
#define LIVE_MAX_TIME ((UINT64_C(1) << 48) - 1)

enum live_flag {
	LIVE_CACHE = 1, /* made by kmem_cache_alloc, not by kmalloc */
	LIVE_TWIN = 2,	/* its page block is the account (rule 10) */
};

struct live_obj {
	uint64_t key;
	uint32_t site; /* index; none when LIVE_TWIN */
	uint32_t time_low;
	uint64_t bytes : 45;
	uint64_t flags : 3; /* enum live_flag */
	uint64_t time_high : 16;
};

struct live {
	struct live_obj *slot; /* key 0 is empty */
	size_t cap, nr, limit;
	struct hash_secret secret;
};

void live_init(struct live *live);
void live_deinit(struct live *live);

/* The object at @key, or NULL. */
static inline struct live_obj *live_find(const struct live *live, uint64_t key)
{
	size_t i = hash_slot(hash_mix(live->secret, key), live->cap);

	for (;;) {
		struct live_obj *o = &live->slot[i];

		if (o->key == key)
			return o;
		if (!o->key)
			return NULL;
		if (++i == live->cap)
			i = 0;
	}
}

/*
 * The object at @key, made with nothing but its key when there is none, which
 * *ret_new tells.
 */
struct live_obj *live_put(struct live *live, uint64_t key, bool *ret_new);
void live_remove(struct live *live, struct live_obj *obj);

/* The next object from slot *@i on, for (size_t i = 0; (o = …, &i)); in no order. */
const struct live_obj *live_next(const struct live *live, size_t *i);

static inline uint64_t live_time(const struct live_obj *o)
{
	return (uint64_t)o->time_high << 32 | o->time_low;
}

static inline void live_set_time(struct live_obj *o, uint64_t time)
{
	o->time_low = (uint32_t)time;
	o->time_high = (time >> 32) & 0xffff;
}

#endif
