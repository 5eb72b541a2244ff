// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/places.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_FRAMES = 32 };

struct key {
	uint64_t call_site;
	uint64_t who; /* pid and flags */
	uint64_t how; /* the rest; 0 in an empty slot */
};

struct places {
	struct key *key;
	uint64_t *frame; /* MAX_FRAMES a slot */
	size_t nr;
};

struct places *places_new(size_t nr_slots)
{
	struct places *p = xcalloc(1, sizeof(*p));

	p->key = xcalloc(nr_slots, sizeof(*p->key));
	p->frame = xcalloc(nr_slots * MAX_FRAMES, sizeof(*p->frame));
	p->nr = nr_slots;
	return p;
}

void places_free(struct places *p)
{
	if (!p)
		return;
	free(p->key);
	free(p->frame);
	free(p);
}

static inline struct key key_of(const struct event *ev)
{
	return (struct key){
		.call_site = ev->call_site,
		.who = (uint64_t)(uint32_t)ev->pid << 32 | ev->gfp_flags,
		/* A kind is not 0. */
		.how = (uint64_t)ev->kind | (uint64_t)ev->migratetype << 8 |
		       (uint64_t)ev->order << 16 | (uint64_t)ev->context << 24 |
		       (uint64_t)ev->cache << 32 | (uint64_t)ev->nr_stack << 48,
	};
}

/*
 * No secret: whose keys all want one slot gets no hints, and is as slow as
 * without them.
 */
static inline size_t slot_of(const struct places *p, const struct key *key,
			     const struct event *ev)
{
	uint64_t hash = key->call_site * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ key->who) * UINT64_C(0xd6e8feb86659fd93);
	hash ^= key->how;
	for (unsigned int i = 0; i < ev->nr_stack; i++)
		hash = (hash ^ ev->stack[i]) * UINT64_C(0x9fb21c651e98df25);
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 48) & (p->nr - 1);
}

static inline uint16_t number(struct places *p, const struct event *ev)
{
	struct key key = key_of(ev);
	size_t slot = slot_of(p, &key, ev);
	struct key *have = &p->key[slot];
	uint64_t *frame = p->frame + slot * MAX_FRAMES;
	size_t bytes = ev->nr_stack * sizeof(*frame);

	if (have->call_site == key.call_site && have->who == key.who && have->how == key.how &&
	    (!bytes || !memcmp(frame, ev->stack, bytes)))
		return (uint16_t)slot;
	*have = key;
	if (bytes)
		memcpy(frame, ev->stack, bytes);
	return (uint16_t)(slot | PLACES_FRESH);
}

void places_number(struct places *p, const struct event *ev, size_t nr, uint16_t *ret)
{
	for (size_t i = 0; i < nr; i++, ev++) {
		bool has = ev->kind == EVENT_CACHE_ALLOC || ev->kind == EVENT_KMALLOC ||
			   ev->kind == EVENT_PAGE_ALLOC;

		ret[i] = has && ev->nr_stack <= MAX_FRAMES ? number(p, ev) : PLACES_NONE;
	}
}
