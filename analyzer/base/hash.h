/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/hash.h - a hash that nobody outside can foretell
 *
 * Use:    one secret for each table, made as it is made
 * Rules:  secrets differ from run to run, so that no recording can be made whose keys
 *         all want one slot
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

struct hash_secret {
	uint64_t add;
	uint64_t mul; /* odd */
};

struct hash_secret hash_secret(void);

/* All bits of the result depend on all bits of @key. */
static inline __attribute__((always_inline)) uint64_t hash_of(struct hash_secret s,
							      uint64_t key)
{
	unsigned __int128 m = (unsigned __int128)(key ^ s.add) * s.mul;

	return ((uint64_t)m ^ (uint64_t)(m >> 64)) * 0x9e3779b97f4a7c15;
}

/* The better half of it, which is as good. */
static inline __attribute__((always_inline)) uint32_t hash_word(struct hash_secret s,
								uint64_t key)
{
	return (uint32_t)(hash_of(s, key) >> 32);
}

#endif
