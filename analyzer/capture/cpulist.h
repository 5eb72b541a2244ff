/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/cpulist.h - sets of CPUs, in the kernel's list and mask formats
 *
 * In:     "0-3,8" as in /sys/devices/system/cpu/online
 * Out:    the numbers, ascending, each once
 */
#ifndef CAPTURE_CPULIST_H
#define CAPTURE_CPULIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct cpulist {
	unsigned int *v;
	size_t nr;
	size_t cap;
};

void cpulist_deinit(struct cpulist *cpus);

/* Text that is not a list, or an empty one, is an ERR_USAGE that says so. */
struct err *cpulist_parse(const char *text, struct cpulist *ret) MUST_CHECK;
/* The CPUs that are online now. */
struct err *cpulist_online(struct cpulist *ret) MUST_CHECK;
bool cpulist_has(const struct cpulist *cpus, unsigned int cpu);
/* As tracing_cpumask takes it: "f,ffffffff"; the caller frees it. */
char *cpulist_mask(const struct cpulist *cpus);

#endif
