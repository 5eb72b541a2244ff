/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - what this machine lets a recording see
 *
 * In:     this machine; where debug information may lie
 * Out:    a finding for each thing that a recording or its analysis needs, with
 *         what is blind without it and what would help
 * Not:    records; changes anything outside of a tracefs instance of its own,
 *         which is gone when doctor_examine() returns
 * Rules:  (1) what can be tried is tried: events, filters and stacks are those
 *             that the kernel took, not those that it lists
 *         (2) a finding without a remedy says so by leaving it NULL
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stddef.h>

#include "base/cleanup.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_LESS,  /* a recording works, and shows less than it could */
	DOCTOR_BLIND, /* nothing of this kind, or no recording at all */
};

struct doctor_finding {
	const char *subject;
	enum doctor_status status;
	char *found;
	char *lost;   /* what is not seen for that; NULL when all is well */
	char *remedy; /* what to install or enable; NULL */
};

struct doctor {
	struct doctor_finding *finding;
	size_t nr, cap;
};

/* @vmlinux and @debug_dirs (NULL-terminated) as in analyze_opts, may be NULL. */
void doctor_examine(const char *vmlinux, const char *const *debug_dirs, struct doctor *ret);
void doctor_deinit(struct doctor *doctor);

#endif
