/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/intern.h - equal byte strings as one small number
 *
 * Rules:  (1) equal bytes have equal numbers for the life of the table
 *         (2) numbers count up from 1 in the order of first sight
 */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intern {
	struct intern_slot *slot;
	size_t nr, cap; /* cap is a power of two, or 0 */
};

void intern_deinit(struct intern *table);

/* The number of @len bytes at @key (copied on first sight, when *ret_new is
 * true). O(len) expected. */
uint32_t intern_id(struct intern *table, const void *key, size_t len, bool *ret_new);

#endif
