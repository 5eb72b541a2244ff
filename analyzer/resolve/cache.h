/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/cache.h - what was found for the addresses of a kernel, kept for the next run
 *
 * In:     a directory of the user's; the build-id of a kernel; a fingerprint of
 *         all else an answer depends on. Its files: any bytes
 * Out:    the frames of an address, if they were found before
 * Not:    an error: what cannot be read or written is not cached
 * Use:    cache_open, cache_get and cache_put, cache_close, which writes
 * Rules:  (1) a file counts only if its fingerprint and its checksum are right
 *         (2) a file appears whole, by rename: of two runs at a time the one that
 *             ends last is kept
 *         (3) a file holds at most CACHE_MAX_ENTRIES, all files together at most
 *             CACHE_MAX_BYTES; the oldest goes first
 *         (4) only a directory of the user's own, that no one else writes, is used
 */
#ifndef RESOLVE_CACHE_H
#define RESOLVE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { CACHE_MAX_ENTRIES = 1 << 17, CACHE_MAX_BYTES = 128 << 20, CACHE_MAX_FRAMES = 64 };

struct cache;

/* An address that does not depend on where the kernel put things. */
struct cache_place {
	uint64_t base; /* what the section is of: build and name, as a hash */
	uint64_t off;  /* in the section */
};

struct cache_key {
	struct cache_place place;
	uint64_t question; /* what was asked of it */
};

struct cache_frame {
	const char *func, *file; /* NULL: not known */
	struct cache_place place;
	uint32_t line;
	uint32_t flags; /* the caller's */
};

/* $XDG_CACHE_HOME/allocprof or ~/.cache/allocprof, owned by the caller; NULL: neither is set.
 */
char *cache_default_dir(void);

/* @build_id in hexadecimal. Never NULL; empty when nothing was kept. */
struct cache *cache_open(const char *dir, const char *build_id, uint64_t fingerprint);
void cache_close(struct cache *cache);
DEFINE_CLEANUP(struct cache *, cache, cache_close)

bool cache_is_empty(const struct cache *cache);

/*
 * At most @max frames, *@ret_nr of them; false when the answer is not known.
 * Strings live as long as the cache. O(1).
 */
bool cache_get(const struct cache *cache, const struct cache_key *key, struct cache_frame *ret,
	       size_t max, size_t *ret_nr);

bool cache_knows(const struct cache *cache, const struct cache_key *key);

/* Strings are borrowed until cache_close(). A known key is not put again. */
void cache_put(struct cache *cache, const struct cache_key *key,
	       const struct cache_frame *frame, size_t nr);

#endif
