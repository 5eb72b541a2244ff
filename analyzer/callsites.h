/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callsites.h - places that a user names, as return addresses of this machine
 *
 * In:     "FUNC,FILE:LINE,…"; the symbols, modules and debug information of the
 *         kernel that runs
 * Out:    the return addresses that allocations from there have
 * Rules:  (1) a function means all of its code, under whatever suffix the compiler
 *             gave a part of it, and what is inlined into it
 *         (2) a line means the calls on it, wherever they are inlined; so does a
 *             function of which there is no code by itself: both need debug
 *             information, whose lack is an error that says what to install
 */
#ifndef CALLSITES_H
#define CALLSITES_H

#include "capture/evfilter.h"
#include "resolve/resolver.h"

struct callsites {
	struct evfilter_range *range;
	size_t nr, cap;
};

void callsites_deinit(struct callsites *sites);

/* Of the kernel that runs; @vmlinux and @debug_dirs as in resolver_opts, may be NULL. */
struct err *callsites_find(const char *list, const char *vmlinux, const char *const *debug_dirs,
			   struct callsites *ret) MUST_CHECK;

/* Of the one that @opts describes. */
struct err *callsites_find_in(const char *list, const struct resolver_opts *opts,
			      struct callsites *ret) MUST_CHECK;

#endif
