/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/module.h - which loaded module an address lies in
 *
 * In:     text of /proc/modules and "module section 0xADDR" lines as recorded:
 *         any bytes, both optional; "name hex" lines of build-ids
 * Out:    modules with base, size, section addresses and build-id
 * Not:    opens no file
 * Use:    modules_parse, modules_at, modules_find, modules_free
 * Rules:  (1) the addresses of sections stay good after the module was gone or
 *             its init text was freed, so they go before base and size
 *         (2) a line that is none is left out
 *         (3) a module that was loaded again at another address is another one of the
 *             same name: lines of what it has already are the next one's
 */
#ifndef RESOLVE_MODULE_H
#define RESOLVE_MODULE_H

#include "base/bytes.h"

struct module_section {
	const char *name;
	uint64_t addr;
};

struct module {
	const char *name; /* with underscores, as the kernel has it */
	uint64_t base;	  /* 0 when not known */
	uint64_t size;
	struct module_section *section;
	size_t nr_sections, cap_sections;
	const char *build_id; /* hex, or NULL */
};

struct modules;

struct modules *modules_parse(struct span modules, struct span sections, struct span build_ids);
void modules_free(struct modules *modules);
DEFINE_CLEANUP(struct modules *, modules, modules_free)

/* The module whose code @addr lies in, or NULL. O(number of sections). */
const struct module *modules_at(const struct modules *modules, uint64_t addr);

/* Where the code of @module begins that may hold @addr; 0 when none does. */
uint64_t module_start(const struct module *module, uint64_t addr);

/* All of them. */
size_t modules_nr(const struct modules *modules);
const struct module *modules_get(const struct modules *modules, size_t i);

/* By name, or NULL. */
const struct module *modules_find(const struct modules *modules, const char *name);
/* Of several of that name the one whose code begins closest before @addr. */
const struct module *modules_find_at(const struct modules *modules, const char *name,
				     uint64_t addr);

/* The kernel's own build-id as recorded, in hex; "" when it is not known. */
const char *modules_kernel_build_id(const struct modules *modules);

#endif
