/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zones.h - which pages belong to which NUMA node
 *
 * In:     /proc/zoneinfo as a recording has it
 * Out:    the zones, by their first page and how many they span; table _zone
 * Not:    what is not in the kernel's form is left out
 */
#ifndef ZONES_H
#define ZONES_H

#include "decode/tracefile.h"
#include "store/writer.h"

struct zone {
	uint32_t node;
	char name[16];
	uint64_t start_pfn;
	uint64_t spanned; /* pages, holes among them */
	uint64_t present;
};

/* The next of @text, which is moved past it; false at the end. */
bool zones_next(struct span *text, struct zone *ret);

struct err *zones_write(struct writer *writer, const struct tracefile *file) MUST_CHECK;

#endif
