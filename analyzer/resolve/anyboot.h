/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/anyboot.h - addresses as places that hold in any boot of a kernel
 *
 * A kernel is loaded elsewhere at each boot, and so are its modules; a section of a build
 * and an offset in it tell the same code. What the cache keeps is told so.
 *
 * In:     symbols and modules of the recording, and the build-id of its kernel
 * Out:    for an address its place, and back
 * Not:    knows of no address in code whose build nothing tells
 */
#ifndef RESOLVE_ANYBOOT_H
#define RESOLVE_ANYBOOT_H

#include <stdbool.h>

#include "resolve/cache.h"
#include "resolve/kallsyms.h"
#include "resolve/module.h"

struct anyboot;

/* @modules and @build_id are lent and outlive it; @stext is the address of the kernel's _stext. */
struct anyboot *anyboot_new(const struct modules *modules, const char *build_id,
			    uint64_t stext);
void anyboot_free(struct anyboot *places);

/* Where @addr of @module (NULL: the kernel) lies; false where its build is not known. */
bool anyboot_place(const struct anyboot *places, uint64_t addr, const char *module,
		   struct cache_place *ret);
/* 0 when the section is not in this boot. */
uint64_t anyboot_addr(const struct anyboot *places, const struct cache_place *place);

/*
 * All that answers depend on besides the kernel's code: this program, its rules and
 * @extra ones, the @release and the layout of the symbols.
 */
uint64_t anyboot_fingerprint(const struct kallsyms *kallsyms, uint64_t stext,
			     const char *release, struct span extra);

#endif
