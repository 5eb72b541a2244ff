// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/clues.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_FRAMES = 32 };

/* What agrees; how is 0 in an empty slot only, since a kind is not 0. */
struct key {
	uint64_t tag; /* of the rest, and of the frames */
	uint64_t call_site;
	uint64_t who; /* pid and flags */
	uint64_t how; /* CPU, name, depth of the stack, order, kind, migratetype, context */
};

struct clues {
	struct key *key;
	uint64_t *frame; /* MAX_FRAMES a slot */
	uint8_t *last;	 /* which slot of a pair was asked for last */
	size_t mask;	 /* of the first slots of pairs */
	struct hash_secret secret;
};

struct clues *clues_new(size_t nr_places, struct hash_secret secret)
{
	struct clues *c = xcalloc(1, sizeof(*c));

	c->key = xlines(nr_places, sizeof(*c->key));
	memset(c->key, 0, nr_places * sizeof(*c->key));
	c->frame = xcalloc(nr_places * MAX_FRAMES, sizeof(*c->frame));
	c->last = xcalloc(nr_places / 2, sizeof(*c->last));
	c->mask = nr_places - 2;
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
static inline uint64_t tag_of(const struct event *ev, struct key key)
{
	uint64_t sum = key.call_site;

	for (unsigned int i = 0; i < ev->nr_stack; i++)
		sum += ev->stack[i];
	return sum * UINT64_C(0x9e3779b97f4a7c15) + key.who * UINT64_C(0xd6e8feb86659fd93) +
	       key.how * UINT64_C(0x9fb21c651e98df25);
}

/* Of a pair the slot that was not asked for last gets a new tenant. */
static __attribute__((noinline)) uint16_t take_over(const struct clues *c, size_t slot,
						    const struct event *ev)
{
	slot = (slot & c->mask) | !c->last[slot / 2];
	c->last[slot / 2] = slot & 1;
	c->key[slot] = key_of(ev);
	c->key[slot].tag = tag_of(ev, c->key[slot]);
	if (ev->nr_stack)
		memcpy(c->frame + slot * MAX_FRAMES, ev->stack,
		       ev->nr_stack * sizeof(*c->frame));
	return (uint16_t)(slot | CLUE_FRESH);
}

/*
 * There are two slots for each, so that two that are in use do not drive each other out.
 * Which of them it is, is as good as random: no branch.
 */
static inline uint16_t place_of(const struct clues *c, const struct event *ev)
{
	struct key key = key_of(ev);
	uint64_t tag = tag_of(ev, key);
	size_t slot = (size_t)(tag >> 48) & c->mask;

	slot += c->key[slot].tag != tag;

	const struct key *have = &c->key[slot];

	if (have->call_site != key.call_site || have->who != key.who || have->how != key.how)
		return take_over(c, slot, ev);
	if (ev->nr_stack &&
	    memcmp(c->frame + slot * MAX_FRAMES, ev->stack, ev->nr_stack * sizeof(*c->frame)))
		return take_over(c, slot, ev);
	c->last[slot / 2] = slot & 1;
	return (uint16_t)slot;
}

enum {
	ALLOCS = 1 << EVENT_CACHE_ALLOC | 1 << EVENT_KMALLOC,
	FREES = 1 << EVENT_CACHE_FREE | 1 << EVENT_KFREE,
	WITH_PLACE = ALLOCS | 1 << EVENT_PAGE_ALLOC,
};

struct clues_survey clues_find(struct clues *clues, const struct event *ev, size_t nr,
			       struct clue *ret)
{
	const struct clues c = *clues; /* which no byte that is written may change */
	struct clues_survey survey = {};
	uint64_t last_ns = 0;

	for (const struct event *end = ev + nr; ev != end; ev++, ret++) {
		uint32_t kind = UINT32_C(1) << ev->kind;

		survey.kinds |= kind;
		if (__builtin_expect(ev->ts_ns < last_ns, 0))
			survey.steps_back = true;
		last_ns = ev->ts_ns;
		if (kind & FREES && ev->addr > CLUE_ZERO_PTR) {
			*ret = (struct clue){ .hash = hash_word(c.secret, ev->addr),
					      .place = CLUE_NO_PLACE,
					      .class = CLUE_FREE };
			continue;
		}
		if (!(kind & WITH_PLACE) || ev->nr_stack > MAX_FRAMES) {
			*ret = (struct clue){ .place = CLUE_NO_PLACE, .class = CLUE_OTHER };
			continue;
		}
		ret->place = place_of(&c, ev);
		ret->class = CLUE_OTHER;
		if (kind & ALLOCS && ev->addr > CLUE_ZERO_PTR) {
			ret->hash = hash_word(c.secret, ev->addr);
			if (ev->bytes_alloc - 1 < CLUE_SMALL &&
			    ev->bytes_req <= ev->bytes_alloc)
				ret->class = CLUE_ALLOC;
		}
	}
	return survey;
}
