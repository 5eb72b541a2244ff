/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/names.h - names that events carry (slab caches, modules) as small ids
 *
 * Rules:  (1) id 0 (EVENT_CACHE_NONE) is "no name"; ids count up from 1
 *         (2) equal bytes have equal ids for the life of the table
 *         (3) at most 65534 names; any further one gets NAMES_OVERFLOW, whose
 *             text is "(other)"
 *         (4) any number of threads may use a table at once, but for
 *             names_count() and names_free()
 */
#ifndef DECODE_NAMES_H
#define DECODE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_OVERFLOW UINT16_MAX

struct names;

struct names *names_new(void);
void names_free(struct names *names);

/* The id of @len bytes at @name (copied on first sight). O(1) expected. */
uint16_t names_id(struct names *names, const char *name, size_t len);

/* The text of an id, owned by @names; "" for 0 and for ids never given out. */
const char *names_text(const struct names *names, uint16_t id);

/* Ids in use are 1 … names_count(). */
size_t names_count(const struct names *names);

#endif
