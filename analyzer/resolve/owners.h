/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/owners.h - which of several modules had an address at a time
 *
 * In:     the modules of a recording; when which was loaded and unloaded
 * Out:    the module whose code an address was, where the kernel gave the room of
 *         one to another
 * Not:    needed where no module came or went: then it knows of no such address
 * Rules:  (1) a module without events was there all the time; one whose first event
 *             is its unload, from the start
 *         (2) of those that were there the one that begins closest before the address
 *             counts, of equals the one that was loaded last: init code is freed
 */
#ifndef RESOLVE_OWNERS_H
#define RESOLVE_OWNERS_H

#include "resolve/module.h"

struct owners;

/* @modules is borrowed. */
struct owners *owners_new(const struct modules *modules);
void owners_free(struct owners *owners);
DEFINE_CLEANUP(struct owners *, owners, owners_free)

/* In the order of time. */
void owners_event(struct owners *owners, const char *module, uint64_t ts_ns, bool loaded);

/* NULL where no more than one module ever had @addr. */
const struct module *owners_at(const struct owners *owners, uint64_t addr, uint64_t from_ns,
			       uint64_t to_ns);

#endif
