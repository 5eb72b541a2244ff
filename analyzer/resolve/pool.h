/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/pool.h - strings and arrays that live as long as the resolver
 *
 * In:     strings in any buffer
 * Out:    interned copies: equal strings are equal pointers; and plain memory
 * Not:    nothing is given back before pool_free
 * Use:    pool_new, pool_str, pool_alloc, pool_free
 */
#ifndef RESOLVE_POOL_H
#define RESOLVE_POOL_H

#include "base/cleanup.h"
#include "base/err.h"

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);
DEFINE_CLEANUP(struct pool *, pool, pool_free)

const char *pool_str(struct pool *pool, const char *s);
const char *pool_printf(struct pool *pool, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Zeroed and aligned for any type. */
void *pool_alloc(struct pool *pool, size_t size);

#endif
