/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/groups.h - accounts or raw sites of a database, added up by group
 *
 * In:     an open database; what a group is, which rows count, and which sums are asked for
 * Out:    the groups and their sums (store/sums.h); of accounts with a condition, the
 *         sums by kind as well, with which a report ends
 * Use:    groups_new; set what is asked for; groups_sum, once; groups_put
 * Rules:  (1) what is not asked for is not read, and 0
 */
#ifndef STORE_GROUPS_H
#define STORE_GROUPS_H

#include "store/who.h"

struct groups {
	/* What is asked for. */
	struct rawsites_opts opts; /* refers to texts that outlive the groups */
	uint32_t wanted;	   /* bits of enum sums_of */
	bool needs_times;	   /* first_ns and last_ns are */
	bool filtered;		   /* by a condition: the sums by kind, too */

	struct rawsites sites;
	struct who who;
	struct sums sums;   /* by what is asked for … */
	struct sums kinds;  /* … and by kind */
	unsigned int users; /* groups_put() takes one off */
};

struct groups *groups_new(void);
void groups_put(struct groups *groups);

/* Of accounts, or of raw sites. */
struct err *groups_sum(struct groups *groups, struct query_db *db, bool accounts) MUST_CHECK;

#endif
