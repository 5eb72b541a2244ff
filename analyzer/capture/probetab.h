/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/probetab.h - which functions are probed, and what of them is recorded
 *
 * In:     a kernel's version
 * Out:    definitions of dynamic events, in the kernel's own words
 * Not:    making them: probes.c
 * Use:    probetab_get(0), probetab_get(1), … as long as there is one
 * Rules:  (1) the names of events and of their fields are a contract with
 *             decode/format.c
 *         (2) nothing is taken from the version that can be seen by trying:
 *             a version decides on what looks alike and means something else
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_PROBETAB_H
#define CAPTURE_PROBETAB_H

#include "capture/tracepoints.h"

struct probe {
	enum tracepoint_kind kind;
	const char *event;
	const char *function[3]; /* the first that there is */
	const char *args;
	const char *filter;
	bool is_return;
	bool stack;
	bool stands_in;		/* for a tracepoint of the vmalloc system */
	bool pages;		/* what it tells are struct page * */
	bool optional;		/* a kernel without the function needs no probe there */
	uint16_t since, before; /* kernel versions, 614 is 6.14; 0: any */
};

/* The i-th for any kernel, NULL past the last. */
const struct probe *probetab_get(size_t i);
/* @version: 614 for 6.14, 0 for one that is not known */
bool probetab_is_for(const struct probe *probe, unsigned int version);
/* The i-th definition for a kernel of version @major.@minor, NULL past the last. */
const char *probetab_definition(size_t i, unsigned int major, unsigned int minor);

#endif
