/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/places.h - which allocations of a CPU come from one place, as small numbers
 *
 * Whoever books an allocation has to look up its call site, its stack and its
 * task. Most repeat one of a few hundred combinations, and the comparison is
 * done here, where threads have time for it.
 *
 * In:     events of one CPU, in its order, with their stacks
 * Out:    for each a slot number, or PLACES_NONE. Until PLACES_FRESH says that a
 *         slot has a new tenant, all events of a slot agree in kind, call site,
 *         stack, task, flags, cache, order, migratetype and context
 * Rules:  (1) a slot is a hint: equal places may have several slots
 *         (2) memory is one table of slots; stacks too deep for it have none
 */
#ifndef DECODE_PLACES_H
#define DECODE_PLACES_H

#include <stddef.h>

#include "decode/event.h"

enum {
	PLACES_SLOTS = 1024, /* the least power of two up to it may be taken */
	PLACES_FRESH = 0x8000,
	PLACES_NONE = 0x7fff,
};

struct places;

/* @nr_slots is a power of two, at most PLACES_SLOTS. */
struct places *places_new(size_t nr_slots);
void places_free(struct places *places);

/* Numbers the @nr events at @ev, which follow those of the call before. */
void places_number(struct places *places, const struct event *ev, size_t nr, uint16_t *ret);

#endif
