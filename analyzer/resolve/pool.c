// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
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
	struct hash_secret secret;
};

struct pool *pool_new(void)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	pool->secret = hash_secret();
	return pool;
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

static const char **find_slot(const struct pool *pool, const char *s, size_t len)
{
	size_t i = hash_bytes(pool->secret, s, len), last = pool->nr_slots - 1;

	while (pool->slot[i & last] && strcmp(pool->slot[i & last], s))
		i++;
	return &pool->slot[i & last];
}

static void grow(struct pool *pool)
{
	auto_free const char **old = pool->slot;
	size_t nr = pool->nr_slots;

	pool->nr_slots = nr ? nr * 2 : 1024;
	pool->slot = xcalloc(pool->nr_slots, sizeof(*pool->slot));
	for (size_t i = 0; i < nr; i++)
		if (old[i])
			*find_slot(pool, old[i], strlen(old[i])) = old[i];
}

const char *pool_str(struct pool *pool, const char *s)
{
	if (pool->nr_strings * 2 >= pool->nr_slots)
		grow(pool);
	size_t len = strlen(s);
	const char **slot = find_slot(pool, s, len);

	if (!*slot) {
		*slot = memcpy(pool_alloc(pool, len + 1), s, len + 1);
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
