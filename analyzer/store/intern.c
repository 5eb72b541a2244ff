// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct intern_key {
	char *bytes;
	size_t len;
};

struct intern_chunk {
	struct intern_chunk *next;
	size_t size; /* of what follows, filled from its end */
	char bytes[];
};

enum { LEAST_CHUNK = 1 << 10, MOST_CHUNK = 1 << 16 };

void intern_deinit(struct intern *table)
{
	for (struct intern_chunk *chunk = table->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(table->slot);
	free(table->key);
	*table = (struct intern){};
}

/* The slot that holds the key, or the free one where it belongs. */
static struct intern_slot *find(const struct intern *table, const void *key, size_t len,
				uint32_t h)
{
	for (size_t i = h;; i++) {
		struct intern_slot *slot = &table->slot[i & (table->cap - 1)];

		if (!slot->id)
			return slot;
		if (slot->hash != h)
			continue;
		const struct intern_key *known = &table->key[slot->id - 1];

		if (known->len == len && !memcmp(known->bytes, key, len))
			return slot;
	}
}

static void grow(struct intern *table)
{
	struct intern_slot *old = table->slot;
	size_t nr = table->cap;

	if (!nr)
		table->secret = hash_secret();
	table->cap = nr ? 2 * nr : 256;
	table->slot = xcalloc(table->cap, sizeof(*table->slot));
	for (size_t i = 0; i < nr; i++) {
		size_t at = old[i].hash;

		if (!old[i].id)
			continue;
		while (table->slot[at & (table->cap - 1)].id)
			at++;
		table->slot[at & (table->cap - 1)] = old[i];
	}
	free(old);
}

static char *copy(struct intern *table, const void *key, size_t len)
{
	if (table->chunk_left < len + 1) {
		struct intern_chunk *last = table->chunks;
		size_t size = !last			    ? LEAST_CHUNK
			      : last->size < MOST_CHUNK / 2 ? 2 * last->size
							    : MOST_CHUNK;

		if (size < len + 1)
			size = len + 1;
		table->chunks = xmalloc(sizeof(*last) + size);
		table->chunks->next = last;
		table->chunks->size = size;
		table->chunk_left = size;
	}
	table->chunk_left -= len + 1;
	char *to = table->chunks->bytes + table->chunk_left;

	memcpy(to, key, len);
	to[len] = '\0';
	return to;
}

uint32_t intern_id(struct intern *table, const void *key, size_t len, bool *ret_new)
{
	if (4 * (table->nr + 1) > 3 * table->cap)
		grow(table);
	uint32_t h = hash_bytes(table->secret, key, len);
	struct intern_slot *slot = find(table, key, len, h);

	*ret_new = !slot->id;
	if (*ret_new) {
		vec_room(table->key, table->nr, table->cap_keys);
		table->key[table->nr] = (struct intern_key){ copy(table, key, len), len };
		*slot = (struct intern_slot){ h, (uint32_t)++table->nr };
	}
	return slot->id;
}

const char *intern_bytes(const struct intern *table, uint32_t id)
{
	return table->key[id - 1].bytes;
}
