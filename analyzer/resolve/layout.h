/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/layout.h - where a module's code was loaded, told from its symbols
 *
 * In:     the module's file; the recorded kallsyms
 * Out:    an address for each section with code of which kallsyms knows functions
 * Not:    needs no /sys/module snapshot: trace-cmd takes none
 * Rules:  (1) a section lies where most of its functions say
 *         (2) functions that say otherwise are more than a few only if the file is
 *             of another build: that is an error
 */
#ifndef RESOLVE_LAYOUT_H
#define RESOLVE_LAYOUT_H

#include "resolve/kallsyms.h"
#include "resolve/module.h"
#include "resolve/pool.h"

/*
 * @ret: an array of *@ret_nr sections, to be freed by the caller; empty when
 * kallsyms knows nothing of module @name.
 */
struct err *layout_guess(const char *path, const char *name, struct kallsyms *kallsyms,
			 struct pool *pool, struct module_section **ret,
			 size_t *ret_nr) MUST_CHECK;

#endif
