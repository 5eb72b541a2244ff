/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/intern.h - equal byte strings as one small number
 *
 * Rules:  (1) equal bytes have equal numbers for the life of the table
 *         (2) numbers count up from 1 in the order of first sight
 *         (3) no choice of strings makes it slow: what a database holds is anyone's to choose
 */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct intern {
	struct intern_slot {
		uint32_t hash;
		uint32_t id; /* 0: free */
	} * slot;
	size_t nr, cap; /* cap is a power of two, or 0 */
	struct hash_secret secret;
	struct intern_key *key; /* by number, less 1 */
	size_t cap_keys;
	struct intern_chunk *chunks; /* what keys lie in */
	size_t chunk_left;
};

void intern_deinit(struct intern *table);

/* The number of @len bytes at @key (copied on first sight, when *ret_new is
 * true). O(len) expected. */
uint32_t intern_id(struct intern *table, const void *key, size_t len, bool *ret_new);

/* The bytes of a number that there is, and a NUL behind them; they stay where they are. */
const char *intern_bytes(const struct intern *table, uint32_t id);

#endif
