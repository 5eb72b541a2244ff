// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"

enum { BLOCK_SIZE = 64 << 10, ALIGN = 16 };

struct block {
	struct block *next;
	_Alignas(ALIGN) char data[];
};

struct pool {
	struct block *blocks;
	size_t left; /* at the end of blocks->data */
	size_t size;
	const char **slot; /* open addressing, a power of two */
	size_t nr_slots;
	size_t nr_strings;
};

struct pool *pool_new(void)
{
	return xcalloc(1, sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	while (pool->blocks) {
		struct block *next = pool->blocks->next;

		free(pool->blocks);
		pool->blocks = next;
	}
	free(pool->slot);
	free(pool);
}

void *pool_alloc(struct pool *pool, size_t size)
{
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > pool->left) {
		size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
		struct block *block = xcalloc(1, sizeof(*block) + room);

		block->next = pool->blocks;
		pool->blocks = block;
		pool->left = pool->size = room;
	}
	void *p = pool->blocks->data + (pool->size - pool->left);

	pool->left -= size;
	return p;
}

/* FNV-1a: names are short and few. */
static size_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static const char **find_slot(const char **slot, size_t nr_slots, const char *s)
{
	size_t i = hash(s);

	while (slot[i & (nr_slots - 1)] && strcmp(slot[i & (nr_slots - 1)], s))
		i++;
	return &slot[i & (nr_slots - 1)];
}

static void grow(struct pool *pool)
{
	size_t nr = pool->nr_slots ? pool->nr_slots * 2 : 1024;
	const char **slot = xcalloc(nr, sizeof(*slot));

	for (size_t i = 0; i < pool->nr_slots; i++)
		if (pool->slot[i])
			*find_slot(slot, nr, pool->slot[i]) = pool->slot[i];
	free(pool->slot);
	pool->slot = slot;
	pool->nr_slots = nr;
}

const char *pool_str(struct pool *pool, const char *s)
{
	if (pool->nr_strings * 2 >= pool->nr_slots)
		grow(pool);
	const char **slot = find_slot(pool->slot, pool->nr_slots, s);

	if (!*slot) {
		size_t len = strlen(s) + 1;

		*slot = memcpy(pool_alloc(pool, len), s, len);
		pool->nr_strings++;
	}
	return *slot;
}

const char *pool_printf(struct pool *pool, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *s = xvasprintf(fmt, ap);
	va_end(ap);
	return pool_str(pool, s);
}
