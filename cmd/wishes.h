/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wishes.h - the options that say what of all allocations to record
 *
 *	struct args { …; struct wishes_args wishes; };
 *	static const struct opt opts[] = { …, WISHES_OPTS(struct args, wishes), {} };
 */
#ifndef CMD_WISHES_H
#define CMD_WISHES_H

#include "callsites.h"
#include "capture/wishes.h"
#include "database.h"
#include "opt.h"

struct wishes_args {
	uint64_t sample;
	uint64_t min_size;
	const char *caches, *other_caches;
	const char *call_sites;
	const char *expr;
	const char *stacks;
	const char *pids, *tids, *cgroup;
};

/* clang-format off */
#define WISHES_OPTS(s, m)                                                                    \
	{ 0, "sample", "N", OPT_NUMBER(s, m.sample),                                         \
	  "one in N chunks of memory, a power of two (1: all)" },                            \
	{ 0, "min-size", "SIZE", OPT_SIZE(s, m.min_size),                                    \
	  "allocations of at least so much" },                                               \
	{ 0, "cache", "NAME[,NAME]", OPT_TEXT(s, m.caches), "of these slab caches" },        \
	{ 0, "exclude-cache", "NAME[,NAME]", OPT_TEXT(s, m.other_caches),                    \
	  "of other slab caches" },                                                          \
	{ 0, "call-site", "SITE[,SITE]", OPT_TEXT(s, m.call_sites),                          \
	  "slab and percpu, at FUNC or FILE:LINE" },                                         \
	{ 0, "filter", "EXPR", OPT_TEXT(s, m.expr), "allocations that tracefs finds so" },   \
	{ 0, "stacks", "none|page|all|SITE[,SITE]", OPT_TEXT(s, m.stacks),                   \
	  "which allocations have a stack (page)" },                                         \
	{ 'p', "pid", "PID[,PID]", OPT_TEXT(s, m.pids), "of these processes and what they start" }, \
	{ 't', "tid", "TID[,TID]", OPT_TEXT(s, m.tids), "of these tasks" },                  \
	{ 0, "cgroup", "PATH", OPT_TEXT(s, m.cgroup), "of the tasks in this cgroup, and below it" }
/* clang-format on */

/* What the options ask for, with what was found for it. */
struct wishes_found {
	struct wishes wishes;
	struct callsites call_sites, stack_sites;
	char *cgroup;
};

/* wishes_found_deinit() @ret in any case. @database says where debug information is. */
struct err *wishes_find(const struct wishes_args *args, const struct database_args *database,
			struct wishes_found *ret) MUST_CHECK;
void wishes_found_deinit(struct wishes_found *found);

#endif
