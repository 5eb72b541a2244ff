/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/rules.h - which functions are never charged with an allocation
 *
 * In:     the text of rules.txt, whose head explains the format, and the kernel's
 *         version
 * Out:    the classes of a function name
 * Use:    rules_parse, rules_add for a second text, rules_of, rules_free
 * Rules:  (1) a line that does not parse is an error that names its number
 *         (2) a name may have several classes; RULE_KEEP clears the others
 */
#ifndef RESOLVE_RULES_H
#define RESOLVE_RULES_H

#include "base/bytes.h"

enum {
	RULE_PLUMBING = 1 << 0,
	RULE_ALLOCATOR = 1 << 1,
	RULE_PASSTHROUGH = 1 << 2,
	RULE_CALLER = 1 << 3,
	RULE_AREA = 1 << 4,
	RULE_KEEP = 1 << 5,
	RULE_VMALLOC = 1 << 6,
	RULE_CALLBACK = 1 << 7,

	/* What makes a function part of the allocator. */
	RULE_DROP = RULE_ALLOCATOR | RULE_PASSTHROUGH | RULE_CALLER | RULE_VMALLOC,
};

struct rules;

/* The built-in text. */
struct span rules_builtin(void);

/* @major.@minor of the kernel whose rules are wanted. */
struct err *rules_parse(struct span text, unsigned int major, unsigned int minor,
			struct rules **ret) MUST_CHECK;
/* Another text, with the same version; *@rules is as before when it fails. */
struct err *rules_add(struct rules *rules, struct span text) MUST_CHECK;
void rules_free(struct rules *rules);
DEFINE_CLEANUP(struct rules *, rules, rules_free)

/* RULE_* flags of @func, 0 for a function no rule knows. */
unsigned int rules_of(const struct rules *rules, const char *func);

#endif
