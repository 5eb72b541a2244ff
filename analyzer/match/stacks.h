/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/stacks.h - equal stacks as one small id
 *
 * Rules:  (1) id SITE_NO_STACK (0) is "no stack"; ids count up from 1
 *         (2) equal frames have equal ids for the life of the table
 */
#ifndef MATCH_STACKS_H
#define MATCH_STACKS_H

#include <stddef.h>
#include <stdint.h>

struct stacks;

struct stacks *stacks_new(void);
void stacks_free(struct stacks *stacks);

/* The id of @nr return addresses, innermost first (copied). O(nr) expected. */
uint32_t stacks_id(struct stacks *stacks, const uint64_t *frame, size_t nr);

/* The frames of an id, owned by @stacks; NULL and 0 for SITE_NO_STACK. */
const uint64_t *stacks_frames(const struct stacks *stacks, uint32_t id, size_t *ret_nr);

/* Ids in use are 1 … stacks_count(). */
size_t stacks_count(const struct stacks *stacks);

#endif
