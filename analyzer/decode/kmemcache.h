/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/kmemcache.h - the size of a slab cache's objects, out of its struct
 *
 * In:     the first bytes of a struct kmem_cache, of a kernel of any configuration
 * Out:    size and object_size, where they are surely these
 * Rules:  (1) offsets are not known: the fields are recognised. Behind size and
 *             object_size lies the reciprocal of size by which the kernel
 *             divides, 41 bits that nothing else has there
 */
#ifndef DECODE_KMEMCACHE_H
#define DECODE_KMEMCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kmemcache {
	uint32_t size;	      /* with all that the allocator adds */
	uint32_t object_size; /* as asked for when the cache was made */
};

bool kmemcache_find(struct kmemcache *ret, const uint8_t *data, size_t len, bool swap);

#endif
