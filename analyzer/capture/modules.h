/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/modules.h - what modules loaded during a recording add to its texts
 *
 * In:     /proc/modules of the start and of the end
 * Out:    the names that are new, or stand at another address; the lines of other
 *         texts that speak of them
 * Rules:  (1) lines of the start stay: events before an unload still need them
 */
#ifndef CAPTURE_MODULES_H
#define CAPTURE_MODULES_H

#include "base/bytes.h"
#include "capture/texts.h"

/* Appends to @ret a line for each module of @end that @start does not have there. */
void modules_new(struct span start, struct span end, struct text *ret);

/* Which word of a line names the module. */
enum modules_form {
	MODULES_FIRST_WORD, /* modules, sections, build_ids */
	MODULES_BRACKETED,  /* kallsyms: "address type symbol [module]" */
};

/* Appends to @ret the lines of @from that belong to one of @names (a line each). */
void modules_append(struct text *ret, struct span from, enum modules_form form,
		    struct span names);

/*
 * Appends to the modules, sections and build_ids of @to what @from says of modules that @to
 * does not have, and to the empty *@ret_added their names, a line each.
 */
void modules_merge(struct texts *to, const struct texts *from, struct text *ret_added);

#endif
