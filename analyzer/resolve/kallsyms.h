/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/kallsyms.h - the functions of the recorded kernel by address and name
 *
 * In:     text of /proc/kallsyms, "ADDRESS TYPE NAME[\t[MODULE]]" a line: any bytes
 * Out:    the text symbols (types t, T, w, W), modules, BPF programs and ftrace
 *         trampolines among them
 * Not:    knows nothing of ELF; keeps no pointer into the text it was given
 * Use:    kallsyms_parse, kallsyms_at, kallsyms_find, kallsyms_free
 * Rules:  (1) text whose addresses are all zero is refused: it would put every
 *             function at the same place
 *         (2) a line that is none is left out and counted
 *         (3) of several names of one address the first global one counts
 */
#ifndef RESOLVE_KALLSYMS_H
#define RESOLVE_KALLSYMS_H

#include "base/bytes.h"

struct kallsyms;

struct ksym {
	uint64_t addr;
	const char *name;
	const char *module; /* NULL for the kernel itself */
	uint32_t hash;	    /* of the name, in one process */
	char type;
};

/* Empty text gives an empty table. */
struct err *kallsyms_parse(struct span text, struct kallsyms **ret) MUST_CHECK;
void kallsyms_free(struct kallsyms *kallsyms);
DEFINE_CLEANUP(struct kallsyms *, kallsyms, kallsyms_free)

size_t kallsyms_nr(const struct kallsyms *kallsyms);
/* Lines that were no symbols at all (rule 2). */
size_t kallsyms_bad_lines(const struct kallsyms *kallsyms);

/*
 * The function @addr lies in, or NULL; *ret_size is the distance to the next
 * symbol, 0 when there is none near. O(log n).
 */
const struct ksym *kallsyms_at(const struct kallsyms *kallsyms, uint64_t addr,
			       uint64_t *ret_size);

/* The same of module @module alone, past others that are mixed with its symbols. */
const struct ksym *kallsyms_of_module(const struct kallsyms *kallsyms, uint64_t addr,
				      const char *module, uint64_t *ret_size);

/* The @i-th symbol of that name, global ones first, or NULL. O(log n). */
const struct ksym *kallsyms_find(struct kallsyms *kallsyms, const char *name, size_t i);

/* All of them, by address. */
const struct ksym *kallsyms_symbols(const struct kallsyms *kallsyms, size_t *ret_nr);

#endif
