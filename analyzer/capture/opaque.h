/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/opaque.h - call sites of slab events that do not tell who wanted the memory
 *
 * Some allocator functions allocate for their caller and record themselves:
 * kvmalloc(), mempool_alloc(). Only a stack tells whom they did it for, and
 * stacks are dear; so there are some for events from these functions only.
 *
 * In:     the text of /proc/kallsyms
 * Out:    a filter on call_site that is true in these functions
 * Rules:  (1) the names are in one table in opaque.c, for all versions of the kernel
 *         (2) the filter is one that kernels accept: at most OPAQUE_MAX bytes;
 *             functions that would make it longer are left out
 */
#ifndef CAPTURE_OPAQUE_H
#define CAPTURE_OPAQUE_H

#include "base/bytes.h"
#include "capture/texts.h"

enum { OPAQUE_MAX = 4000 }; /* a page, less what a trigger writes in front */

/* Stays empty where no such function is known. */
void opaque_filter(struct span kallsyms, struct text *ret);

#endif
