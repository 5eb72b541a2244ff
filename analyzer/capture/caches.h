/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/caches.h - the slab caches of this machine by name
 *
 * In:     /proc/slabinfo, /sys/kernel/slab
 * Out:    the name that events have, and the size of its objects
 * Rules:  (1) caches that the kernel merged have one name in events: that of the
 *             first, which stands in slabinfo; the others lead to it
 */
#ifndef CAPTURE_CACHES_H
#define CAPTURE_CACHES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* Of cache @name; *ret_name is owned by the caller. */
struct err *caches_find(const char *name, char **ret_name, uint64_t *ret_bytes) MUST_CHECK;

/* Whether kmalloc() allocates from a cache of that name. */
bool caches_is_kmalloc(const char *name);

/* The size of the objects of cache @name in a text of slabinfo. */
bool caches_size(struct span slabinfo, const char *name, uint64_t *ret);

#endif
