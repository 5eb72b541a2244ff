/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/backlog.h - has the kernel finish what it put off before a recording
 *
 * The kernel frees much of its memory later: kfree_rcu() collects objects for up to
 * 5 s, RCU callbacks wait for a grace period, and pages that nobody uses any more
 * are held by batches that each CPU fills for the LRU lists. Since 6.18 the objects of
 * a cache wait in a sheaf of each CPU until that is full. What is put off when
 * a recording starts would be freed in it: frees of objects that it knows nothing of.
 *
 * In:     the CPUs to be recorded
 * Out:    nothing; what was put off before the call is mostly freed after it
 * Rules:  (1) goes only where this process may run anyway: an isolated CPU is left alone
 *         (2) a kernel that does it in another way costs the time, never the recording
 *         (3) 0.2 s, and 10 ms more for every ten CPUs; longer where /proc/slabinfo
 *             says that it is not done, but some seconds at most on a machine that has
 *             no time for it
 *         (4) sheaves are emptied by shrinking their cache, which the kernel does on
 *             all CPUs: not where this process may run on some of them only
 */
#ifndef CAPTURE_BACKLOG_H
#define CAPTURE_BACKLOG_H

#include "capture/cpulist.h"

/*
 * Where it would only wait, @meanwhile may work until a time of CLOCK_MONOTONIC; NULL: there
 * is nothing to do.
 */
void backlog_drain(const struct cpulist *cpus, void (*meanwhile)(void *arg, int64_t until_ns),
		   void *arg);

#endif
