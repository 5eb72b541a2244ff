// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/clues.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_FRAMES = 32 };

struct key {
	uint64_t call_site;
	uint64_t who; /* pid and flags */
	uint64_t how; /* the rest; 0 in an empty slot, since a kind is not 0 */
};

struct clues {
	struct key *key;
	uint64_t *frame; /* MAX_FRAMES a slot */
	uint8_t *last;	 /* which slot of a pair was asked for last */
	size_t nr;
	struct hash_secret secret;
};

struct clues *clues_new(size_t nr_places, struct hash_secret secret)
{
	struct clues *c = xcalloc(1, sizeof(*c));

	c->key = xcalloc(nr_places, sizeof(*c->key));
	c->frame = xcalloc(nr_places * MAX_FRAMES, sizeof(*c->frame));
	c->last = xcalloc(nr_places / 2, sizeof(*c->last));
	c->nr = nr_places;
	c->secret = secret;
	return c;
}

void clues_free(struct clues *c)
{
	if (!c)
		return;
	free(c->key);
	free(c->frame);
	free(c->last);
	free(c);
}

/* The second half of an event is what it takes, as it stands there. */
static_assert(offsetof(struct event, gfp_flags) == offsetof(struct event, pid) + 4 &&
		      offsetof(struct event, cpu) == offsetof(struct event, pid) + 8 &&
		      sizeof(struct event) == offsetof(struct event, pid) + 16,
	      "two words of who and how");

static inline struct key key_of(const struct event *ev)
{
	struct key key = { .call_site = ev->call_site };

	memcpy(&key.who, &ev->pid, sizeof(key.who));
	memcpy(&key.how, &ev->cpu, sizeof(key.how));
	return key;
}

/*
 * No secret: whose keys all want one slot gets no hints, and is as slow as
 * without them. The order of frames makes no stacks of one program differ.
 */
static inline size_t slot_of(const struct clues *c, const struct key *key,
			     const struct event *ev)
{
	uint64_t hash = key->call_site;

	for (unsigned int i = 0; i < ev->nr_stack; i++)
		hash += ev->stack[i];
	hash = hash * UINT64_C(0x9e3779b97f4a7c15) ^ key->who;
	hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93) ^ key->how;
	hash = (hash ^ hash >> 32) * UINT64_C(0x9fb21c651e98df25);
	return (size_t)(hash >> 48) & (c->nr - 1);
}

static inline bool is_at(const struct clues *c, size_t slot, const struct key *key,
			 const struct event *ev)
{
	const struct key *have = &c->key[slot];

	return have->call_site == key->call_site && have->who == key->who &&
	       have->how == key->how &&
	       (!ev->nr_stack || !memcmp(c->frame + slot * MAX_FRAMES, ev->stack,
					 ev->nr_stack * sizeof(*c->frame)));
}

/* There are two slots for each, so that two that are in use do not drive each other out. */
static inline uint16_t place_of(struct clues *c, const struct event *ev)
{
	struct key key = key_of(ev);
	size_t slot = slot_of(c, &key, ev), pair = slot / 2;
	unsigned int fresh = 0;

	if (!is_at(c, slot, &key, ev)) {
		slot ^= 1;
		if (!is_at(c, slot, &key, ev)) {
			slot = 2 * pair + !c->last[pair];
			fresh = CLUE_FRESH;
			c->key[slot] = key;
			if (ev->nr_stack)
				memcpy(c->frame + slot * MAX_FRAMES, ev->stack,
				       ev->nr_stack * sizeof(*c->frame));
		}
	}
	c->last[pair] = slot & 1;
	return (uint16_t)(slot | fresh);
}

enum {
	ALLOCS = 1 << EVENT_CACHE_ALLOC | 1 << EVENT_KMALLOC,
	FREES = 1 << EVENT_CACHE_FREE | 1 << EVENT_KFREE,
	WITH_PLACE = ALLOCS | 1 << EVENT_PAGE_ALLOC,
};

struct clues_survey clues_find(struct clues *c, const struct event *ev, size_t nr,
			       struct clue *ret)
{
	struct clues_survey survey = {};
	uint64_t last_ns = 0;

	for (size_t i = 0; i < nr; i++, ev++) {
		uint32_t kind = UINT32_C(1) << ev->kind;
		struct clue clue = { .place = CLUE_NO_PLACE, .class = CLUE_OTHER };

		survey.kinds |= kind;
		if (ev->cache > survey.most_name)
			survey.most_name = ev->cache;
		survey.steps_back |= ev->ts_ns < last_ns;
		last_ns = ev->ts_ns;
		if (kind & WITH_PLACE && ev->nr_stack <= MAX_FRAMES)
			clue.place = place_of(c, ev);
		if (kind & (ALLOCS | FREES) && ev->addr > CLUE_ZERO_PTR) {
			bool plain = clue.place != CLUE_NO_PLACE && ev->bytes_alloc &&
				     ev->bytes_alloc <= CLUE_SMALL &&
				     ev->bytes_req <= ev->bytes_alloc;

			clue.hash = hash_word(c->secret, ev->addr);
			clue.class = kind & FREES ? CLUE_FREE : plain ? CLUE_ALLOC : CLUE_OTHER;
		}
		ret[i] = clue;
	}
	return survey;
}
