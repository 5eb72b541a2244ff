/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/elfdwarf.h - the debug sections of an ELF file
 *
 * In:     an open ELF file; sections plain, compressed (zlib, zstd) or of the older
 *         kind that is called .zdebug
 * Out:    a dwfile; the file that dwz moved shared parts to, by name and build-id
 * Not:    relocates nothing: a module's sections have been
 * Rules:  (1) a section that claims to unpack to more than its packer can do, or
 *             that does not unpack, is empty
 */
#ifndef RESOLVE_ELFDWARF_H
#define RESOLVE_ELFDWARF_H

#include <libelf.h>

#include "resolve/dwunit.h"

struct elfdwarf {
	struct dwfile file;
	void *unpacked[NR_DWSECTIONS];
};

/* @split: the sections are those of a .dwo file. The ELF file stays open with it. */
void elfdwarf_init(struct elfdwarf *ed, Elf *elf, bool split);
void elfdwarf_deinit(struct elfdwarf *ed);

/* Name and build-id of the supplementary file, if there is one; borrowed. */
bool elfdwarf_alt(Elf *elf, const char **ret_name, struct span *ret_build_id);

#endif
