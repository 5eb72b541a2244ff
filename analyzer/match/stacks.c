// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "match/site.h"
#include "match/table.h"

/* Frames are kept in chunks that never move, since they are lent out. */
enum { CHUNK_FRAMES = 1 << 16 };

struct chunk {
	struct chunk *next;
	uint64_t frame[];
};

struct stack {
	const uint64_t *frame;
	uint32_t nr;
	uint32_t hash;
};

struct stacks {
	struct stack *stack; /* [0] is "no stack" */
	size_t nr, cap;
	uint32_t *slot;	 /* ids; 0 is empty */
	size_t nr_slots; /* a power of two, at least twice nr */
	struct chunk *chunk;
	size_t chunk_used;
	struct hash_secret secret;
};

struct stacks *stacks_new(void)
{
	struct stacks *s = xcalloc(1, sizeof(*s));

	s->cap = 256;
	s->stack = xcalloc(s->cap, sizeof(*s->stack));
	s->nr = 1;
	s->nr_slots = 512;
	s->slot = xcalloc(s->nr_slots, sizeof(*s->slot));
	s->chunk_used = CHUNK_FRAMES;
	s->secret = hash_secret();
	return s;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	while (s->chunk) {
		struct chunk *next = s->chunk->next;

		free(s->chunk);
		s->chunk = next;
	}
	free(s->slot);
	free(s->stack);
	free(s);
}

static uint32_t hash_frames(const struct stacks *s, const uint64_t *frame, size_t nr)
{
	uint64_t h = nr;

	for (size_t i = 0; i < nr; i++)
		h = hash_of(s->secret, h ^ frame[i]);
	return (uint32_t)(h >> 32);
}

static const uint64_t *keep_frames(struct stacks *s, const uint64_t *frame, size_t nr)
{
	if (nr > CHUNK_FRAMES - s->chunk_used) {
		size_t room = nr > CHUNK_FRAMES ? nr : CHUNK_FRAMES;
		struct chunk *c = xmalloc(sizeof(*c) + room * sizeof(*frame));

		c->next = s->chunk;
		s->chunk = c;
		s->chunk_used = 0;
	}
	uint64_t *to = s->chunk->frame + s->chunk_used;

	memcpy(to, frame, nr * sizeof(*frame));
	s->chunk_used = nr > CHUNK_FRAMES ? CHUNK_FRAMES : s->chunk_used + nr;
	return to;
}

static void grow_slots(struct stacks *s)
{
	free(s->slot);
	s->nr_slots *= 2;
	s->slot = xcalloc(s->nr_slots, sizeof(*s->slot));
	for (size_t id = 1; id < s->nr; id++) {
		size_t i = s->stack[id].hash & (s->nr_slots - 1);

		while (s->slot[i])
			i = (i + 1) & (s->nr_slots - 1);
		s->slot[i] = (uint32_t)id;
	}
}

uint32_t stacks_id(struct stacks *s, const uint64_t *frame, size_t nr)
{
	if (!nr)
		return SITE_NO_STACK;
	uint32_t hash = hash_frames(s, frame, nr);
	size_t i = hash & (s->nr_slots - 1);

	for (; s->slot[i]; i = (i + 1) & (s->nr_slots - 1)) {
		const struct stack *have = &s->stack[s->slot[i]];

		if (have->hash == hash && have->nr == nr &&
		    !memcmp(have->frame, frame, nr * sizeof(*frame)))
			return s->slot[i];
	}
	vec_room(s->stack, s->nr, s->cap);
	s->stack[s->nr] = (struct stack){ keep_frames(s, frame, nr), (uint32_t)nr, hash };
	s->slot[i] = (uint32_t)s->nr++;

	uint32_t id = s->slot[i];

	if (s->nr * 2 > s->nr_slots)
		grow_slots(s);
	return id;
}

const uint64_t *stacks_frames(const struct stacks *s, uint32_t id, size_t *ret_nr)
{
	if (id == SITE_NO_STACK || id >= s->nr) {
		*ret_nr = 0;
		return NULL;
	}
	*ret_nr = s->stack[id].nr;
	return s->stack[id].frame;
}

size_t stacks_count(const struct stacks *s)
{
	return s->nr - 1;
}
