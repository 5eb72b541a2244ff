/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/account.h - who allocated at a raw site, and how: what a live object names
 *
 * An account is a raw site together with the task, CPU, context, gfp flags, order
 * and cache of an allocation. Live objects name their account instead of their
 * site, so that "who" costs an object nothing and an allocation one look-up.
 *
 * In:     allocation events and their sites
 * Out:    numbers by account; summed over the accounts of a site they are the site's
 * Rules:  (1) at most ACCOUNT_MAX accounts tell tasks apart, and as many again
 *             CPUs, flags and caches without the task; past that a site has one
 *             account for all of the rest
 *         (2) an index is good for the life of the table, a pointer until the
 *             next account_get()
 */
#ifndef MATCH_ACCOUNT_H
#define MATCH_ACCOUNT_H

#include "decode/event.h"
#include "match/table.h"

enum { ACCOUNT_MAX = 1 << 18 };

/* What an account does not tell apart, because there were too many. */
enum account_merged {
	ACCOUNT_WHOLE,
	ACCOUNT_TASKS, /* pid is 0 */
	ACCOUNT_ALL,   /* all but the site is 0 */
};

/* What tells accounts apart, packed, since every allocation compares it. */
struct account_key {
	uint64_t who;  /* site: 32, pid: 32 */
	uint64_t how;  /* gfp flags: 32, CPU: 16, cache: 16 */
	uint32_t rest; /* order: 8 (pages only), migratetype: 8, context: 8, merged: 8 */
};

/* One cache line: the key, then what an allocation and a free write. */
struct account {
	uint64_t who, how;
	uint32_t rest;
	uint32_t failures;

	uint64_t allocs, alloc_bytes, bytes_req;
	uint64_t ends, end_bytes; /* of whatever kind */
};

static inline uint32_t account_site(const struct account *a)
{
	return (uint32_t)a->who;
}

static inline int32_t account_pid(const struct account *a)
{
	return (int32_t)(a->who >> 32);
}

static inline uint32_t account_gfp(const struct account *a)
{
	return (uint32_t)a->how;
}

static inline uint16_t account_cpu(const struct account *a)
{
	return (uint16_t)(a->how >> 32);
}

/* The interned name, as the allocation tells it. */
static inline uint16_t account_cache(const struct account *a)
{
	return (uint16_t)(a->how >> 48);
}

static inline uint8_t account_order(const struct account *a)
{
	return (uint8_t)a->rest;
}

static inline uint8_t account_migratetype(const struct account *a)
{
	return (uint8_t)(a->rest >> 8);
}

static inline uint8_t account_context(const struct account *a)
{
	return (uint8_t)(a->rest >> 16);
}

static inline enum account_merged account_merged(const struct account *a)
{
	return (enum account_merged)(a->rest >> 24);
}

/* It tells the task, which was in no interrupt. */
static inline bool account_is_task(const struct account *a)
{
	return !(a->rest >> 16);
}

static_assert(sizeof(struct account) == 64, "an account is one cache line");

/* What is booked seldom, beside. */
struct account_doubt {
	uint64_t inferred, inferred_bytes;
	uint64_t uncertain, uncertain_bytes;
	uint64_t pieces; /* of blocks that were split (rule 8) */
};

struct account_table {
	struct account *account;
	struct account_doubt *doubt;
	size_t nr, cap;
	uint32_t first;	     /* those before it are older than the window */
	size_t nr_merged[3]; /* by enum account_merged */
	uint32_t *slot;	     /* index + 1; 0 is empty */
	size_t nr_slots;     /* a power of two, at least twice nr */
	struct hash_secret secret;
};

void account_init(struct account_table *tab);
void account_deinit(struct account_table *tab);

/* The key of an allocation @ev at @site. */
static inline struct account_key account_key(uint32_t site, const struct event *ev)
{
	return (struct account_key){
		.who = site | (uint64_t)(uint32_t)ev->pid << 32,
		.how = ev->gfp_flags | (uint64_t)ev->cpu << 32 | (uint64_t)ev->cache << 48,
		.rest = ev->order | (uint32_t)ev->migratetype << 8 |
			(uint32_t)ev->context << 16,
	};
}

static inline bool account_is(const struct account *a, struct account_key key)
{
	return a->who == key.who && a->how == key.how && a->rest == key.rest;
}

/* The account of a key, which is made when there is none. */
uint32_t account_get(struct account_table *tab, struct account_key key);

/* A window begins: what there is is older from now on, and counts nothing. */
void account_window(struct account_table *tab);

/*
 * The sites got new indexes: @to by the old ones. Leaves out the accounts that
 * nothing is booked on, so that indexes of accounts are void.
 */
void account_close(struct account_table *tab, const uint32_t *to);

#endif
