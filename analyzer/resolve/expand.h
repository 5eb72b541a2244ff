/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/expand.h - one return address as frames
 *
 * In:     a return address as recorded
 * Out:    its inline chain, or the one function kallsyms knows, or the bare address
 * Not:    drops nothing
 * Rules:  (1) the address looked up is the one before: it lies in the call
 *         (2) there is always at least one frame, at most EXPAND_MAX
 *         (3) an address is expanded once
 */
#ifndef RESOLVE_EXPAND_H
#define RESOLVE_EXPAND_H

#include "resolve/pool.h"
#include "resolve/resolver.h"
#include "resolve/space.h"

enum { EXPAND_MAX = 64 };

struct expand;

/* What one address stands for; lives in the pool. */
struct expansion {
	const struct frame *frame; /* innermost first */
	size_t nr;
	uint64_t symbol; /* start of the function in the recorded kernel, 0 if not known */
};

struct expand *expand_new(struct space *space, struct pool *pool);
void expand_free(struct expand *expand);
DEFINE_CLEANUP(struct expand *, expand, expand_free)

const struct expansion *expand_addr(struct expand *expand, uint64_t addr);

#endif
