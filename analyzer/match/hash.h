/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/hash.h - slots for keys that come from the input
 *
 * Rules:  (1) the two secrets differ from run to run, so that no recording can
 *             be made whose keys all want one slot
 *         (2) no result of the program may depend on the order of slots
 */
#ifndef MATCH_HASH_H
#define MATCH_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_secret {
	uint64_t add;
	uint64_t mul; /* odd */
};

struct hash_secret hash_secret(void);

/* All bits of the result depend on all bits of @key. */
static inline uint64_t hash_mix(struct hash_secret s, uint64_t key)
{
	unsigned __int128 m = (unsigned __int128)(key ^ s.add) * s.mul;

	return ((uint64_t)m ^ (uint64_t)(m >> 64)) * 0x9e3779b97f4a7c15;
}

/* @hash as a slot below @cap, which need not be a power of two. */
static inline size_t hash_slot(uint64_t hash, size_t cap)
{
	return (size_t)(((unsigned __int128)hash * cap) >> 64);
}

#endif
