/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/kcore.h - what the image of the kernel's memory tells of its layout
 *
 * In:     /proc/kcore, an ELF core file
 * Out:    where the array of all struct page begins
 * Rules:  (1) no kernel has to have the file, nor let us read it
 */
#ifndef CAPTURE_KCORE_H
#define CAPTURE_KCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* @kallsyms: symbols with their addresses, for kernels whose notes do not tell it */
bool kcore_vmemmap(struct span kallsyms, uint64_t *ret);

/* The offset in a core file that begins with @head at which @addr is. */
bool kcore_offset(struct span head, uint64_t addr, uint64_t *ret);

#endif
