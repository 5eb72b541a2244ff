/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/pairs.h - equal pairs of numbers as one small number
 *
 * Rules:  (1) equal pairs have equal numbers for the life of the table
 *         (2) numbers count up from 1 in the order of first sight
 *         (3) as store/intern.h for keys of two numbers, in a fifth of the time
 *         (4) no choice of pairs makes it slow: what a database holds is anyone's to choose
 */
#ifndef STORE_PAIRS_H
#define STORE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct pairs {
	struct pairs_slot {
		int64_t a, b;
		uint32_t id; /* 0: free */
	} * slot;
	size_t nr, cap; /* cap is a power of two, or 0 */
	struct hash_secret secret;
};

void pairs_deinit(struct pairs *table);
void pairs_grow(struct pairs *table);

/* The slot that holds the pair, or the free one where it belongs; @table is not empty. */
static inline struct pairs_slot *pairs_slot(const struct pairs *table, int64_t a, int64_t b)
{
	uint64_t of_a = hash_of(table->secret, (uint64_t)a);

	for (size_t i = hash_word(table->secret, of_a ^ (uint64_t)b);; i++) {
		struct pairs_slot *slot = &table->slot[i & (table->cap - 1)];

		if (!slot->id || (slot->a == a && slot->b == b))
			return slot;
	}
}

/* *ret_new: it is seen for the first time. */
static inline uint32_t pairs_id(struct pairs *table, int64_t a, int64_t b, bool *ret_new)
{
	if (2 * (table->nr + 1) > table->cap)
		pairs_grow(table);
	struct pairs_slot *slot = pairs_slot(table, a, b);

	*ret_new = !slot->id;
	if (*ret_new)
		*slot = (struct pairs_slot){ a, b, (uint32_t)++table->nr };
	return slot->id;
}

/* 0: it was never seen. */
static inline uint32_t pairs_find(const struct pairs *table, int64_t a, int64_t b)
{
	return table->nr ? pairs_slot(table, a, b)->id : 0;
}

#endif
