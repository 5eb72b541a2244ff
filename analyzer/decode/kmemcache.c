// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/kmemcache.h"

#include <byteswap.h>
#include <string.h>

enum { MIN_SIZE = 8, MAX_SIZE = 1 << 22 };

static uint32_t word(const uint8_t *data, bool swap)
{
	uint32_t v;

	memcpy(&v, data, sizeof(v));
	return swap ? bswap_32(v) : v;
}

/* Whether the 6 bytes at @data are the reciprocal of @size. */
static bool is_reciprocal(const uint8_t *data, uint32_t size, bool swap)
{
	unsigned int log = 32 - (unsigned int)__builtin_clz(size - 1);
	uint64_t m = ((UINT64_C(1) << 32) * ((UINT64_C(1) << log) - size)) / size + 1;

	return word(data, swap) == (uint32_t)m && data[4] == 1 && data[5] == log - 1;
}

bool kmemcache_find(struct kmemcache *ret, const uint8_t *data, size_t len, bool swap)
{
	for (size_t off = 0; off + 14 <= len; off += 4) {
		uint32_t size = word(data + off, swap), object = word(data + off + 4, swap);

		if (size < MIN_SIZE || size > MAX_SIZE || !object || object > size ||
		    !is_reciprocal(data + off + 8, size, swap))
			continue;
		*ret = (struct kmemcache){ size, object };
		return true;
	}
	return false;
}
