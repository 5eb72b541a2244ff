// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct intern_slot {
	void *key; /* NULL: free */
	size_t len;
	uint32_t hash;
	uint32_t id;
};

void intern_deinit(struct intern *table)
{
	for (size_t i = 0; i < table->cap; i++)
		free(table->slot[i].key);
	free(table->slot);
	*table = (struct intern){};
}

/* Eight bytes at a time: the keys are names, and numbers of that size. */
static uint32_t hash(const void *key, size_t len)
{
	const uint64_t mul = UINT64_C(0x9e3779b97f4a7c15);
	const uint8_t *p = key;
	uint64_t h = len * mul, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * mul;
		h ^= h >> 32;
	}
	if (len) {
		word = 0;
		memcpy(&word, p, len);
		h = (h ^ word) * mul;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct intern_slot *find(const struct intern *table, const void *key, size_t len,
				uint32_t h)
{
	for (size_t i = h;; i++) {
		struct intern_slot *slot = &table->slot[i & (table->cap - 1)];

		if (!slot->key ||
		    (slot->hash == h && slot->len == len && !memcmp(slot->key, key, len)))
			return slot;
	}
}

static void grow(struct intern *table)
{
	struct intern old = *table;

	table->cap = old.cap ? 2 * old.cap : 256;
	table->slot = xcalloc(table->cap, sizeof(*table->slot));
	for (size_t i = 0; i < old.cap; i++) {
		struct intern_slot *slot = &old.slot[i];

		if (slot->key)
			*find(table, slot->key, slot->len, slot->hash) = *slot;
	}
	free(old.slot);
}

uint32_t intern_id(struct intern *table, const void *key, size_t len, bool *ret_new)
{
	if (4 * (table->nr + 1) > 3 * table->cap)
		grow(table);
	uint32_t h = hash(key, len);
	struct intern_slot *slot = find(table, key, len, h);

	*ret_new = !slot->key;
	if (*ret_new) {
		void *copy = xmalloc(len);

		memcpy(copy, key, len);
		*slot = (struct intern_slot){ copy, len, h, (uint32_t)++table->nr };
	}
	return slot->id;
}
