/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/filter.h - which accounts a report is of: "comm=sh,file=fs/ext4"
 *
 * Rules:  (1) the keys are the parameters of schema/queries/who.sql
 *         (2) a comma begins the next condition only where a key and "=" follow,
 *             so that values may have commas
 */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/query.h"

enum filter_key {
	FILTER_PID,
	FILTER_TGID,
	FILTER_COMM,
	FILTER_CGROUP,
	FILTER_CPU,
	FILTER_NODE,
	FILTER_CONTEXT,
	FILTER_GFP,
	FILTER_ORDER,
	FILTER_MIGRATETYPE,
	FILTER_CACHE,
	FILTER_FILE,
	FILTER_FUNC,
	FILTER_MODULE,
	FILTER_RECORDING,
	FILTER_HOST,
	FILTER_KEYS
};

struct filter {
	char *value[FILTER_KEYS]; /* NULL: any */
};

/* ERR_USAGE for a key that there is not, one given twice, or a number that is none. */
struct err *filter_parse(const char *text, struct filter *ret) MUST_CHECK;
void filter_deinit(struct filter *filter);

/* True when it leaves out nothing. */
bool filter_is_empty(const struct filter *filter);

/*
 * The first of its keys that only accounts tell apart, such as comm: what is kept for
 * each call site, over time or by age, knows file, func, module, cache, recording and
 * host. NULL when there is none.
 */
const char *filter_by_account(const struct filter *filter);

/* "KEY=VALUE" words for library_prepare, allocated, at most FILTER_KEYS; how many. */
size_t filter_words(const struct filter *filter, char **ret);

/* Binds all of them to a query that has who.sql in it. */
void filter_bind(const struct filter *filter, struct query *query);

#endif
