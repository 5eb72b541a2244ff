/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/allocinfo.h - call sites in the form of /proc/allocinfo
 *
 * Rules:  (1) a line a key, as lib/alloc_tag.c prints it; other lines start with #
 *         (2) a call site without a line of source is "[unknown]:0 func:NAME", so
 *             that its bytes stay in the sum
 */
#ifndef VIEW_ALLOCINFO_H
#define VIEW_ALLOCINFO_H

#include <stdio.h>

#include "store/query.h"

/* @query is of sites_query_allocinfo(). */
struct err *allocinfo_print(struct query *query, FILE *out) MUST_CHECK;

#endif
