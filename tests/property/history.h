/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/property/history.h - random histories of allocations and frees
 *
 * Few keys, so that everything meets everything: reuse, cross-type and
 * cross-CPU frees, splits, overlaps, duplicates, large kmallocs, slab pages
 * that go under live objects, skew, loss, sizes that cannot be.
 */
#ifndef TESTS_PROPERTY_HISTORY_H
#define TESTS_PROPERTY_HISTORY_H

#include <stddef.h>

#include "decode/event.h"

#define HISTORY_BASE UINT64_C(0xff11000000000000)

enum {
	HISTORY_PRIME = 4, /* events at the start that tell the base: keep them */
	HISTORY_MAX = 1024,
};

struct history {
	struct event ev[HISTORY_MAX];
	size_t nr;
};

/* The history of @seed: the same for ever, @nr events or some more. */
void history_make(struct history *h, uint64_t seed, size_t nr);

/* Puts allocations and frees of a key space's own far end between the others. */
void history_mix_in_pairs(struct history *h, uint64_t seed);

/* Prints an event as "# KIND …". */
void history_print(const struct event *ev);

#endif
