/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/feed.h - events made by hand for a matcher
 *
 * Each call is one event, a microsecond after the one before, on the CPU, pid
 * and context that the feed is set to. Stacks are named by one number.
 */
#ifndef TESTS_LIB_FEED_H
#define TESTS_LIB_FEED_H

#include "match/match.h"

struct feed {
	struct match *match;
	uint64_t now_ns;
	int32_t pid;
	uint16_t cpu;
	uint8_t context;
	uint16_t cache; /* of the next event only */
	bool self;	/* feed_*_site() are of the recorder: of pid FEED_SELF */
};

enum { FEED_SELF = 4711 };

void feed_init(struct feed *feed);
/* With what rules 3 and 16 ask. */
void feed_init_classify(struct feed *feed,
			enum code_class (*classify)(void *arg, uint64_t addr));
/* With what the kernel said of pages, at both ends; @audit is borrowed. */
void feed_init_audit(struct feed *feed, const struct audit *audit);
void feed_deinit(struct feed *feed);

void feed_kmalloc(struct feed *feed, uint64_t call_site, uint64_t ptr, uint64_t bytes);
void feed_cache_alloc(struct feed *feed, uint64_t call_site, uint64_t ptr, uint64_t bytes);
void feed_kfree(struct feed *feed, uint64_t call_site, uint64_t ptr);
void feed_cache_free(struct feed *feed, uint64_t call_site, uint64_t ptr);
/* @stack 0: none. */
void feed_page_alloc(struct feed *feed, uint64_t stack, uint64_t pfn, unsigned int order);
void feed_page_free(struct feed *feed, uint64_t pfn, unsigned int order);
void feed_percpu_alloc(struct feed *feed, uint64_t call_site, uint64_t cookie, uint64_t bytes);
void feed_percpu_free(struct feed *feed, uint64_t cookie);
void feed_vmap_alloc(struct feed *feed, uint64_t stack, uint64_t start, uint64_t bytes);
void feed_vmap_free(struct feed *feed, uint64_t start);
void feed_lost(struct feed *feed, uint64_t from_ns, uint64_t count);

/*
 * Two slab pages and an object of each, so that the base of the direct map is
 * known to be FEED_BASE. All on site FEED_PRIME_SITE and stack FEED_PRIME_SITE.
 */
#define FEED_BASE UINT64_C(0xffff888000000000)
enum { FEED_PRIME_SITE = 7 };
void feed_prime_base(struct feed *feed);

/* Ends the feed; then the site with this key, all zero when there is none. */
void feed_finish(struct feed *feed);
const struct site *feed_slab_site(struct feed *feed, uint64_t call_site);
const struct site *feed_percpu_site(struct feed *feed, uint64_t call_site);
const struct site *feed_page_site(struct feed *feed, uint64_t stack);
const struct site *feed_vmap_site(struct feed *feed, uint64_t stack);

#endif
