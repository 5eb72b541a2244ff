/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/table.h - flat hash tables for keys that come from the input
 *
 * One array, linear probing. What ends stays in its slot, dead, until the table
 * is full: the kernel's allocators give out again what was freed last, so that
 * most allocations find the slot of their key, and no free moves anything.
 * The functions below are inlined with the constant operations of the user's
 * entry type.
 *
 * Rules:  (1) the secrets of a table differ from run to run, so that no
 *             recording can be made whose keys all want one slot
 *         (2) no result of the program may depend on the order of slots
 *         (3) at most 70 per cent of the slots are taken; of a table that is not small
 *             at least 50 per cent were live when it grew
 *         (4) a table grows in place, so that the peak is the table itself
 */
#ifndef MATCH_TABLE_H
#define MATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "match/spill.h"

struct table {
	char *slot; /* in mem */
	size_t cap, limit;
	size_t nr; /* slots taken, by the dead too */
	struct hash_secret secret;
	struct spill_mem mem;
};

/* An entry of all zero bits is an empty slot. */
struct table_ops {
	size_t size;
	uint64_t (*key)(const void *entry);
	bool (*used)(const void *entry); /* not an empty slot */
	bool (*live)(const void *entry);
	size_t small; /* slots, below which room is cheaper than the work of making it */
	void (*make_room)(struct table *t);
};

enum { TABLE_SMALL = 1 << 17 };

/*
 * Defines @name_ops, for entries of @type, of @name_key() and @name_used(). What makes room
 * is a function for each, since one for all of them would call these for each slot.
 */
#define TABLE_OPS(name, type, is_live, few)                                             \
	static void name##_make_room(struct table *t);                                  \
	static const struct table_ops name##_ops = {                                    \
		.size = sizeof(type),                                                   \
		.key = name##_key,                                                      \
		.used = name##_used,                                                    \
		.live = is_live,                                                        \
		.small = few,                                                           \
		.make_room = name##_make_room,                                          \
	};                                                                              \
	static __attribute__((noinline, unused)) void name##_make_room(struct table *t) \
	{                                                                               \
		table_make_room(t, &name##_ops);                                        \
	}

/* Slots that are looked at before all are. */
enum { TABLE_SAMPLE = 4096 };

/* Who walks over slots in a file leaves them behind, so many at a time. */
enum { TABLE_TRIM = 1 << 18 };

#define TABLE_INLINE static inline __attribute__((always_inline))

void table_init(struct table *t, const struct table_ops *ops);
void table_deinit(struct table *t);
/* Leaves it empty, with little memory, which is on the heap. */
void table_clear(struct table *t, const struct table_ops *ops);
void table_resize(struct table *t, const struct table_ops *ops, size_t cap);

/* The slot where the search for a key of that hash begins; it rises with the hash. */
TABLE_INLINE size_t table_home_at(const struct table *t, uint32_t hash)
{
	return (size_t)(((unsigned __int128)((uint64_t)hash << 32) * t->cap) >> 64);
}

TABLE_INLINE size_t table_home(const struct table *t, uint64_t key)
{
	return table_home_at(t, hash_word(t->secret, key));
}

/* A walk has come to slot @i. */
TABLE_INLINE void table_passed(const struct table *t, size_t i)
{
	if (__builtin_expect(t->mem.mapped && !(i % TABLE_TRIM), 0))
		spill_trim(t->mem.spill);
}

/* The entry of @key, which has that hash, or the empty slot where it would go. */
TABLE_INLINE void *table_seek_at(const struct table *t, const struct table_ops *ops,
				 uint64_t key, uint32_t hash)
{
	char *e = t->slot + table_home_at(t, hash) * ops->size;
	const char *end = t->slot + t->cap * ops->size;

	while (ops->used(e) && ops->key(e) != key) {
		e += ops->size;
		if (e == end)
			e = t->slot;
	}
	return e;
}

TABLE_INLINE void *table_seek(const struct table *t, const struct table_ops *ops, uint64_t key)
{
	return table_seek_at(t, ops, key, hash_word(t->secret, key));
}

/* Starts to fetch where a key of that hash is likely to be. */
TABLE_INLINE void table_prefetch_at(const struct table *t, const struct table_ops *ops,
				    uint32_t hash)
{
	__builtin_prefetch(t->slot + table_home_at(t, hash) * ops->size);
}

TABLE_INLINE void table_prefetch(const struct table *t, const struct table_ops *ops,
				 uint64_t key)
{
	table_prefetch_at(t, ops, hash_word(t->secret, key));
}

/*
 * Of slots in a file: where @key is likely to be comes to memory. By a write: for one that
 * reads, the system would bring the pages around it, too, and none of them to write.
 */
TABLE_INLINE void table_touch(const struct table *t, const struct table_ops *ops, uint64_t key)
{
	__atomic_fetch_or(t->slot + table_home(t, key) * ops->size, 0, __ATOMIC_RELAXED);
}

/* The live entry of @key, or NULL. */
TABLE_INLINE void *table_find(const struct table *t, const struct table_ops *ops, uint64_t key)
{
	void *e = table_seek(t, ops, key);

	return ops->live(e) ? e : NULL;
}

/*
 * Takes all dead entries out. Each live one goes to the first free slot from its home
 * on, or stays: from an empty slot on, what lies between is done with.
 */
TABLE_INLINE void table_purge(struct table *t, const struct table_ops *ops)
{
	size_t start = 0;

	while (ops->used(t->slot + start * ops->size))
		start++;
	for (size_t n = 1, i = start; n < t->cap; n++) {
		i = i + 1 == t->cap ? 0 : i + 1;
		char *e = t->slot + i * ops->size;

		table_passed(t, i);
		if (!ops->used(e))
			continue;
		if (!ops->live(e)) {
			memset(e, 0, ops->size);
			t->nr--;
			continue;
		}
		size_t to = table_home(t, ops->key(e));

		while (to != i && ops->used(t->slot + to * ops->size))
			to = to + 1 == t->cap ? 0 : to + 1;
		if (to == i)
			continue;
		memcpy(t->slot + to * ops->size, e, ops->size);
		memset(e, 0, ops->size);
	}
}

/*
 * Homes rise with the hash, so that every entry's new home is at or after its
 * old one: going from the last slot to the first, an entry finds its new place
 * in what was gone through already. The few that do not, because they stand
 * far behind their home near the start, or past the end, wait aside.
 */
TABLE_INLINE void table_grow(struct table *t, const struct table_ops *ops)
{
	size_t old_cap = t->cap, nr_aside = 0, cap_aside = 0;
	auto_free char *aside = NULL;

	table_resize(t, ops,
		     old_cap < ops->small / 4 ? old_cap * 2
		     : old_cap < ops->small   ? ops->small
					      : old_cap + old_cap / 4);
	for (size_t i = old_cap; i-- > 0;) {
		char *e = t->slot + i * ops->size;

		table_passed(t, i);
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

/* Whether most of what is taken lives, as far as the first slots tell. */
TABLE_INLINE bool table_mostly_live(const struct table *t, const struct table_ops *ops)
{
	size_t nr = t->cap < TABLE_SAMPLE ? t->cap : TABLE_SAMPLE, used = 0, dead = 0;

	for (size_t i = 0; i < nr; i++) {
		const char *e = t->slot + i * ops->size;

		used += ops->used(e);
		dead += ops->used(e) && !ops->live(e);
	}
	return dead < used / 16;
}

TABLE_INLINE void table_make_room(struct table *t, const struct table_ops *ops)
{
	if (!table_mostly_live(t, ops))
		table_purge(t, ops);
	if (t->nr > (t->cap < ops->small ? t->limit / 2 : t->limit / 10 * 9))
		table_grow(t, ops);
}

/*
 * The entry of @key, live or dead, or an empty slot that the caller must use at
 * once; may move entries.
 */
TABLE_INLINE void *table_put(struct table *t, const struct table_ops *ops, uint64_t key)
{
	void *e = table_seek(t, ops, key);

	if (ops->used(e))
		return e;
	if (t->nr >= t->limit) {
		ops->make_room(t);
		e = table_seek(t, ops, key);
	}
	t->nr++;
	return e;
}

/* The next live entry from slot *@i on, which starts at 0; NULL at the end. */
TABLE_INLINE void *table_next(const struct table *t, const struct table_ops *ops, size_t *i)
{
	while (*i < t->cap) {
		char *e = t->slot + (*i)++ * ops->size;

		table_passed(t, *i);

		if (ops->live(e))
			return e;
	}
	return NULL;
}

#endif
