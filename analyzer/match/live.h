/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/live.h - the live objects of one key space, by key
 *
 * In:     keys that are not 0; sizes up to LIVE_MAX_BYTES
 * Out:    24 bytes an object, in a large table 34 to 49 with what is empty and dead
 * Rules:  (1) a key is there once
 *         (2) a pointer to an object is good until the next put
 */
#ifndef MATCH_LIVE_H
#define MATCH_LIVE_H

#include "match/table.h"

/* 8 TiB: more than any one area of memory that a kernel hands out. */
#define LIVE_MAX_BYTES ((UINT64_C(1) << 43) - 1)
/* Times are ns since the first event, up to 78 hours; later ones are this. */
#define LIVE_MAX_TIME  ((UINT64_C(1) << 48) - 1)

enum live_flag {
	LIVE_YES = 1,	 /* else the entry is dead, and only its key is good */
	LIVE_CACHE = 2,	 /* made by kmem_cache_alloc, not by kmalloc */
	LIVE_TWIN = 4,	 /* its page block is the account (rule 10) */
	LIVE_RCU = 8,	 /* given to RCU to be freed (rule 13) */
	LIVE_PAGED = 16, /* slabpage.h knows the key; also of the dead */
};

struct live_obj {
	uint64_t key;
	uint32_t account; /* index; none when LIVE_TWIN */
	uint32_t time_low;
	uint64_t bytes : 43;
	uint64_t flags : 5; /* enum live_flag */
	uint64_t time_high : 16;
};

TABLE_INLINE uint64_t live_key(const void *entry)
{
	return ((const struct live_obj *)entry)->key;
}

TABLE_INLINE bool live_used(const void *entry)
{
	return ((const struct live_obj *)entry)->key != 0;
}

TABLE_INLINE bool live_alive(const void *entry)
{
	return ((const struct live_obj *)entry)->flags & LIVE_YES;
}

/* Nearly all events ask here; one of two found its slot at once where a table was small. */
TABLE_OPS(live, struct live_obj, live_alive, 4 * TABLE_SMALL)

/* The object at @key, or NULL. */
static inline struct live_obj *live_find(const struct table *live, uint64_t key)
{
	return table_find(live, &live_ops, key);
}

/* What is known of @key, perhaps of a dead object, or NULL. */
static inline struct live_obj *live_trace(const struct table *live, uint64_t key)
{
	struct live_obj *o = table_seek(live, &live_ops, key);

	return o->key ? o : NULL;
}

/*
 * The object at @key, not LIVE_YES when there was none: the caller fills it. Of one that
 * was there before, what it was may still be there.
 */
static inline struct live_obj *live_put(struct table *live, uint64_t key)
{
	struct live_obj *o = table_put(live, &live_ops, key);

	o->key = key;
	return o;
}

static inline void live_end(struct live_obj *o)
{
	o->flags &= LIVE_PAGED;
}

static inline uint64_t live_time(const struct live_obj *o)
{
	return (uint64_t)o->time_high << 32 | o->time_low;
}

/* All but the key and the account. */
static inline void live_set(struct live_obj *o, uint64_t bytes, uint64_t time,
			    unsigned int flags)
{
	*o = (struct live_obj){
		.key = o->key,
		.account = o->account,
		.time_low = (uint32_t)time,
		.bytes = bytes & LIVE_MAX_BYTES,
		.flags = flags & 31,
		.time_high = (time >> 32) & 0xffff,
	};
}

static inline void live_set_time(struct live_obj *o, uint64_t time)
{
	o->time_low = (uint32_t)time;
	o->time_high = (time >> 32) & 0xffff;
}

#endif
