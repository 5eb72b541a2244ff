/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/sites.h - call sites in the order and number that a report wants
 *
 * Rules:  (1) numbers come largest first, texts in alphabetical order; what is
 *             equal under all keys comes in an order of its own, the same each time
 */
#ifndef STORE_SITES_H
#define STORE_SITES_H

#include "store/filter.h"
#include "store/query.h"

/* All kinds, in the form of sites_opts.kinds. */
#define SITES_ALL_KINDS "slab,page,percpu,vmalloc,any"

struct sites_opts {
	const char *kinds; /* "slab,page" */
	const char *sort;  /* "bytes,calls": see sites_keys() */
	uint64_t limit;	   /* rows; 0: all */
	const char *by;	   /* a row each: "site" (or NULL), or a group: see SITES_GROUPS */
	uint64_t depth;	   /* by "caller": how far out, from 1 */
	bool self;	   /* with what the recorder allocated; allocinfo always has it */
	const struct filter *filter; /* or NULL; allocinfo has none */
	const char *columns;	     /* of the result, "file, line"; NULL: all */
};

/* ERR_USAGE, naming what there is, for a kind, a key or a group that there is not. */
struct err *sites_check(const struct sites_opts *opts) MUST_CHECK;

/* True when rows are groups of call sites: they have a name and call_sites. */
bool sites_grouped(const struct sites_opts *opts);

/* True when rows are of accounts: they have no peak, no first and last time. */
bool sites_by_account(const struct sites_opts *opts);

/* Rows of call_sites, or of one that sums them as /proc/allocinfo does. */
struct err *sites_query(struct query_db *db, const struct sites_opts *opts,
			struct query **ret) MUST_CHECK;
struct err *sites_query_allocinfo(struct query_db *db, const struct sites_opts *opts,
				  struct query **ret) MUST_CHECK;

/* What rows can be grouped by, in a line. */
#define SITES_GROUPS                                                                         \
	"site, kind, function, file, directory, module, cache, recording, host, pid, tgid, " \
	"comm, cgroup, cpu, node, context, gfp, order, migratetype, free, caller"

/* The names of the keys, in a line; owned by the caller. */
char *sites_keys(void);

#endif
