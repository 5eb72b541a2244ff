/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/clues.h - what of an event can be found out before it is its turn
 *
 * Pairing goes on in one thread, in the order of time, and is what takes longest.
 * What depends on nothing but the event, or on what its CPU did before, is found out
 * where threads have time for it.
 *
 * Whoever books an allocation has to look up its call site, its stack and its
 * task. Most repeat one of a few hundred combinations, so that a comparison with
 * these tells which one it is: its place, a small number.
 *
 * In:     events of one CPU, in its order, with their stacks
 * Out:    for each a clue; for all of them what makes most blocks need no closer look.
 *         Until CLUE_FRESH says that a place has a new tenant, all events of a place
 *         agree in kind, call site, stack, task, flags, cache, order, migratetype and
 *         context
 * Rules:  (1) a place is a hint: equal ones may have several numbers
 *         (2) memory is one table of slots; stacks too deep for it have no place
 */
#ifndef DECODE_CLUES_H
#define DECODE_CLUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "decode/event.h"

enum {
	CLUE_PLACES = 1024, /* the least power of two up to it may be taken */
	CLUE_FRESH = 0x8000,
	CLUE_NO_PLACE = 0x7fff,
	CLUE_SMALL = 8192,  /* bytes of a plain object: two pages at most, whatever these are */
	CLUE_ZERO_PTR = 16, /* up to it an address is that of no object */
};

enum clue_class {
	CLUE_OTHER,
	CLUE_ALLOC, /* of a plain slab object, with a size and a place */
	CLUE_FREE,  /* of a slab object, by itself */
};

struct clue {
	uint32_t hash; /* of addr, by the secret, where the class is not CLUE_OTHER */
	uint16_t place;
	uint16_t class; /* enum clue_class */
};

struct clues_survey {
	uint32_t kinds;	 /* a bit for each enum event_kind */
	bool steps_back; /* some time is less than that of the event before */
};

struct clues;

/* @nr_places is a power of two, of 2 to CLUE_PLACES. */
struct clues *clues_new(size_t nr_places, struct hash_secret secret);
void clues_free(struct clues *clues);

/* Of the @nr events at @ev, which follow those of the call before. */
struct clues_survey clues_find(struct clues *clues, const struct event *ev, size_t nr,
			       struct clue *ret);

#endif
