/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/attribute.h - of all frames of an allocation, the one that is charged
 *
 * In:     return addresses, innermost first: one, or a stack
 * Out:    the frames and the primary one: what /proc/allocinfo names
 * Use:    attribute_new, attribute_site for each, attribute_free
 * Rules:  (1) tracing at the top of a stack is cut off
 *         (2) the primary frame is the innermost that no rule drops; one that
 *             allocates for others through a pointer is dropped at such a call
 *         (3) if the call that led there went to a function of another kind, that
 *             function asked for the memory and handed on its caller's address
 *             or left by a jump: its own allocation line is the primary frame
 *         (4) if all are dropped, the outermost is it
 */
#ifndef RESOLVE_ATTRIBUTE_H
#define RESOLVE_ATTRIBUTE_H

#include "resolve/pool.h"
#include "resolve/resolver.h"
#include "resolve/rules.h"
#include "resolve/space.h"

struct attribute;

/* All three are borrowed. */
struct attribute *attribute_new(struct space *space, const struct rules *rules,
				struct pool *pool);
void attribute_free(struct attribute *attribute);
DEFINE_CLEANUP(struct attribute *, attribute, attribute_free)

/* What it returns lives in the pool. */
void attribute_site(struct attribute *attribute, const uint64_t *addr, size_t nr,
		    struct callsite *ret);

#endif
