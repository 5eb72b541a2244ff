/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/hash.h - a hash that nobody outside can foretell
 *
 * Use:    one secret for each table, made as it is made
 * Rules:  (1) secrets differ from run to run, so that no input can be made whose keys
 *             all want one slot
 *         (2) of a key of several words each goes through the secret before the next
 *             is added: any sum of them that is known beforehand can be made to be
 *             equal for many
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Of any bytes, by words of eight. */
static inline uint32_t hash_bytes(struct hash_secret s, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t h = len, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = hash_of(s, h ^ word);
	}
	word = 0;
	memcpy(&word, p, len);
	return hash_word(s, h ^ word);
}

#endif
