/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/search.h - where debug information may lie
 *
 * In:     the kernel's release, its build-id, the user's own directories
 * Out:    paths of existing files, the likeliest first
 * Not:    opens none of them: whoever does compares the build-id
 * Rules:  (1) the user's directories come before the system's
 *         (2) a release that could lead out of a directory is not used
 *         (3) directories are walked to a bounded depth and number of entries,
 *             links to directories are not followed
 */
#ifndef RESOLVE_SEARCH_H
#define RESOLVE_SEARCH_H

#include "base/cleanup.h"
#include "resolve/pool.h"

struct search;

/* @release and @debug_dirs (NULL-terminated) may be NULL and are borrowed. */
struct search *search_new(const char *release, const char *const *debug_dirs,
			  struct pool *pool);
void search_free(struct search *search);
DEFINE_CLEANUP(struct search *, search, search_free)

/* The @i-th file that may be the kernel's vmlinux, or NULL. */
const char *search_kernel(struct search *search, const char *build_id, size_t i);

/* The @i-th file that may be module @name, or NULL; - and _ are the same. */
const char *search_module(struct search *search, const char *name, const char *build_id,
			  size_t i);

#endif
