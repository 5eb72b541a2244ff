/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/objects.h - the files with debug information: the kernel's and each module's
 *
 * In:     what the recording knows of symbols and modules; where to look for files
 * Out:    for the kernel, or a module, its file and how far it was moved; in notes what
 *         was not found, or could not be used
 * Not:    knows no address: which module has one is for who asks
 * Rules:  (1) a file is opened when it is asked for, once
 *         (2) a file of another build is never used; --vmlinux then is an error,
 *             anything else a note
 *         (3) an object stays where it is until the next module is asked for
 */
#ifndef RESOLVE_OBJECTS_H
#define RESOLVE_OBJECTS_H

#include "resolve/debuginfo.h"
#include "resolve/kallsyms.h"
#include "resolve/module.h"
#include "resolve/resolver.h"

struct objects;

struct object {
	struct debuginfo *di;
	uint64_t slide; /* addresses of the recording less those of the file */
};

/* @kallsyms and @modules are lent and outlive it. */
struct objects *objects_new(const struct resolver_opts *opts, struct kallsyms *kallsyms,
			    const struct modules *modules, struct pool *pool);
void objects_free(struct objects *objects);

/* Opens @vmlinux, which has to be the kernel's; NULL: looks for it. */
struct err *objects_open_kernel(struct objects *objects, const char *vmlinux) MUST_CHECK;
/* Or: the first file that may be the kernel's, and its build-id; NULL if there is none. */
const char *objects_likely_kernel(struct objects *objects, const char *vmlinux,
				  char build_id[DEBUGINFO_BUILD_ID]);
/* And opens that (NULL: looks for one) only when objects_kernel() is called. */
void objects_open_later(struct objects *objects, const char *path, const char *build_id);

/* NULL when there is no file that can be used. */
const struct object *objects_kernel(struct objects *objects);
/* @recorded: what the recording says of the module, or NULL. */
const struct object *objects_module(struct objects *objects, const char *name,
				    const struct module *recorded);

const char *objects_vmlinux(const struct objects *objects);	     /* or NULL */
const char *objects_vmlinux_build_id(const struct objects *objects); /* or "" */
/* NULL past the last. */
const char *objects_note(const struct objects *objects, size_t i);

#endif
