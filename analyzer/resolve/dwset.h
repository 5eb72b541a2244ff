/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/dwset.h - the units of a file, and of those it refers to, by address
 *
 * In:     an ELF file with debug information; .dwo files and a file of dwz's that
 *         it names
 * Out:    by address: the unit, with its functions and lines; by entry: a name
 * Not:    answers nothing about an address itself
 * Rules:  (1) units are found by their own ranges: .debug_aranges may be absent
 *         (2) a unit is looked into at the first address inside it, or, for many
 *             addresses that are known beforehand, by several threads (dwset_expect)
 *         (3) a .dwo file must be of the unit's id, dwz's file of the named build-id
 *         (4) line tables are run at most DWSET_LINE_WORK times the size of their
 *             section, since units may share them
 */
#ifndef RESOLVE_DWSET_H
#define RESOLVE_DWSET_H

#include "resolve/cuindex.h"
#include "resolve/dwline.h"
#include "resolve/elfdwarf.h"

enum { DWSET_LINE_WORK = 4 };

struct dwset;

struct dwset_unit {
	struct dwunit *unit;	 /* with the entries: of a .dwo file, where they are there */
	struct dwunit *skeleton; /* with the line table; the same where nothing is split */
	struct cuindex index;
	struct dwline line;
	const char **file; /* for the user: names of line.file, made as they are asked for */
	bool loaded;
};

/* @path of @elf, which has to stay open. */
struct dwset *dwset_new(Elf *elf, const char *path);
void dwset_free(struct dwset *set);
DEFINE_CLEANUP(struct dwset *, dwset, dwset_free)

/* False when no address is known to be in any unit. */
bool dwset_any(const struct dwset *set);
/* All units, for their names; NULL past the last. */
const struct dwunit *dwset_unit(const struct dwset *set, size_t i);

/* Looks into the units of all these addresses. */
void dwset_expect(struct dwset *set, const uint64_t *pc, size_t nr);
struct dwset_unit *dwset_at(struct dwset *set, uint64_t pc);

/* Name of an entry, or of what it is a copy of; NULL when it has none. */
const char *dwset_name(const struct dwset *set, dwref ref);

#endif
