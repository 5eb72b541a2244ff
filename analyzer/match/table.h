/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/table.h - flat hash tables for keys that come from the input
 *
 * One array, linear probing, no marks for what was removed. The functions
 * below are inlined with the constant operations of the user's entry type.
 *
 * Rules:  (1) the secrets of a table differ from run to run, so that no
 *             recording can be made whose keys all want one slot
 *         (2) no result of the program may depend on the order of slots
 *         (3) the load is 7/12 to 7/8 once grown; a table grows in place, so
 *             that the peak is the table itself
 */
#ifndef MATCH_TABLE_H
#define MATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct table_secret {
	uint64_t add;
	uint64_t mul; /* odd */
};

struct table {
	char *slot;
	size_t cap, nr, limit;
	struct table_secret secret;
};

/* An entry of all zero bits is an empty slot. */
struct table_ops {
	size_t size;
	uint64_t (*key)(const void *entry);
	bool (*used)(const void *entry);
};

#define TABLE_INLINE static inline __attribute__((always_inline))

struct table_secret table_secret(void);
void table_init(struct table *t, const struct table_ops *ops);
void table_deinit(struct table *t);
void table_grow(struct table *t, const struct table_ops *ops);

/* All bits of the result depend on all bits of @key. */
TABLE_INLINE uint64_t table_hash(struct table_secret s, uint64_t key)
{
	unsigned __int128 m = (unsigned __int128)(key ^ s.add) * s.mul;

	return ((uint64_t)m ^ (uint64_t)(m >> 64)) * 0x9e3779b97f4a7c15;
}

/* The slot where the search for a key begins; it rises with the hash. */
TABLE_INLINE size_t table_home(const struct table *t, uint64_t key)
{
	return (size_t)(((unsigned __int128)table_hash(t->secret, key) * t->cap) >> 64);
}

/* The entry of @key, or the empty slot where it would go. */
TABLE_INLINE void *table_seek(const struct table *t, const struct table_ops *ops, uint64_t key)
{
	char *e = t->slot + table_home(t, key) * ops->size;
	const char *end = t->slot + t->cap * ops->size;

	while (ops->used(e) && ops->key(e) != key) {
		e += ops->size;
		if (e == end)
			e = t->slot;
	}
	return e;
}

TABLE_INLINE void *table_find(const struct table *t, const struct table_ops *ops, uint64_t key)
{
	void *e = table_seek(t, ops, key);

	return ops->used(e) ? e : NULL;
}

/*
 * The entry of @key, or an empty slot that the caller must use at once; moves
 * entries when the table has to grow.
 */
TABLE_INLINE void *table_put(struct table *t, const struct table_ops *ops, uint64_t key,
			     bool *ret_new)
{
	void *e = table_seek(t, ops, key);

	*ret_new = !ops->used(e);
	if (!*ret_new)
		return e;
	if (t->nr >= t->limit) {
		table_grow(t, ops);
		e = table_seek(t, ops, key);
	}
	t->nr++;
	return e;
}

/*
 * Entries behind the hole move up when their home is not after it, so that a
 * table in steady state stays as fast as new.
 */
TABLE_INLINE void table_remove(struct table *t, const struct table_ops *ops, void *entry)
{
	size_t hole = (size_t)((char *)entry - t->slot) / ops->size;

	for (size_t i = hole;;) {
		if (++i == t->cap)
			i = 0;
		const char *e = t->slot + i * ops->size;

		if (!ops->used(e))
			break;
		size_t want = table_home(t, ops->key(e));
		size_t from_want = i >= want ? i - want : i + t->cap - want;
		size_t from_hole = i >= hole ? i - hole : i + t->cap - hole;

		if (from_want >= from_hole) {
			memcpy(t->slot + hole * ops->size, e, ops->size);
			hole = i;
		}
	}
	memset(t->slot + hole * ops->size, 0, ops->size);
	t->nr--;
}

/* The next entry from slot *@i on, which starts at 0; NULL at the end. */
TABLE_INLINE void *table_next(const struct table *t, const struct table_ops *ops, size_t *i)
{
	while (*i < t->cap) {
		char *e = t->slot + (*i)++ * ops->size;

		if (ops->used(e))
			return e;
	}
	return NULL;
}

#endif
