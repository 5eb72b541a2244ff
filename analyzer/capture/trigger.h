/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/trigger.h - a condition on /proc/meminfo
 *
 * In:     "FIELD>SIZE" or "FIELD<SIZE", like SUnreclaim>2G
 * Out:    whether it has become true
 * Rules:  (1) it is told once each time that it becomes true, not while it stays so
 */
#ifndef CAPTURE_TRIGGER_H
#define CAPTURE_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct trigger {
	const char *text; /* borrowed */
	size_t field_len; /* of its name, which @text begins with */
	bool above;
	uint64_t limit; /* in bytes, or of what the field counts */
	bool was_true;
};

/* ERR_USAGE when it is no condition; @text outlives it. */
struct err *trigger_parse(const char *text, struct trigger *ret) MUST_CHECK;
/* The field's value in @meminfo, in bytes where that has a unit; false: there is none. */
bool trigger_value(const struct trigger *trigger, struct span meminfo, uint64_t *ret);
/* Whether it has become true with this @meminfo. */
bool trigger_fires(struct trigger *trigger, struct span meminfo);

#endif
