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

/* One cache line: the key, then what an allocation and a free write. */
struct account {
	uint32_t site; /* index */
	int32_t pid;
	uint32_t gfp_flags;
	uint16_t cpu;
	uint16_t cache; /* interned name, as the allocation tells it */
	uint8_t order;	/* pages only */
	uint8_t migratetype;
	uint8_t context; /* EVENT_CONTEXT_MASK */
	uint8_t merged;	 /* enum account_merged */
	uint32_t failures;

	uint64_t allocs, alloc_bytes, bytes_req;
	uint64_t ends, end_bytes; /* of whatever kind */
};

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
	size_t nr_merged[3]; /* by enum account_merged */
	uint32_t *slot;	     /* index + 1; 0 is empty */
	size_t nr_slots;     /* a power of two, at least twice nr */
	struct table_secret secret;
};

void account_init(struct account_table *tab);
void account_deinit(struct account_table *tab);

/* The account of an allocation @ev at @site, which is made when there is none. */
uint32_t account_get(struct account_table *tab, uint32_t site, const struct event *ev);

/*
 * The sites got new indexes: @to by the old ones. Leaves out the accounts that
 * nothing is booked on, so that indexes of accounts are void.
 */
void account_close(struct account_table *tab, const uint32_t *to);

#endif
