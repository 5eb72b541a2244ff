/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/who.h - who the accounts of a database are of: task, CPU, gfp flags, …
 *
 * In:     an open database; the raw sites of it
 * Out:    for each account whether it is wanted, and the name of its group
 * Use:    who_load; who_find for each account
 * Rules:  (1) what an account names and no table tells of is not known: NULL, which
 *             fits no condition
 *         (2) all that can be said of one task, CPU, … is said once
 */
#ifndef STORE_WHO_H
#define STORE_WHO_H

#include "store/rawsites.h"

enum who_dim { WHO_TASK, WHO_CPU, WHO_CONTEXT, WHO_GFP, WHO_ORDER, WHO_MIGRATETYPE, WHO_DIMS };

/* One that accounts name: what groups and conditions ask of it. */
struct who_value {
	uint32_t name; /* of the group; 0: none, or another dimension gives it */
	bool wanted;
};

struct who {
	struct rawsites *sites;
	struct who_table {
		struct pairs keys; /* recording and value */
		struct who_value *value;
		size_t nr, cap;
		bool needed; /* by the group or a condition */
		bool names;  /* the group, alone or with another */
	} dim[WHO_DIMS];
	struct pairs caches; /* by number in the database … */
	uint32_t *cache;     /* … their names */
	size_t nr_caches, cap_caches;
	struct pairs blocks; /* names of order and migrate type … */
	uint32_t *block;     /* … and of the group of both */
	size_t nr_blocks, cap_blocks;
};

struct who_key {
	bool known; /* not NULL */
	int64_t value;
};

struct err *who_load(struct who *who, struct query_db *db, struct rawsites *sites) MUST_CHECK;
void who_deinit(struct who *who);

/*
 * @key: of the dimensions that are needed; @cache: the number of the cache. False when
 * the account is not wanted; else the name of its group, and its cache.
 */
bool who_find(struct who *who, const struct raw_place *raw, const struct who_key key[WHO_DIMS],
	      const struct who_key *cache, uint32_t *ret_name, uint32_t *ret_cache);

#endif
