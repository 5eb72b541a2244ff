/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/machine.h - what an address on this machine means
 *
 * In:     /proc and /sys of this machine
 * Out:    modules, their sections and build-ids, symbols, names of tasks
 * Rules:  (1) what the kernel does not show is left out, never guessed
 */
#ifndef CAPTURE_MACHINE_H
#define CAPTURE_MACHINE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "capture/texts.h"

/* Adds the blobs page_size, nodes, pagetypeinfo, modules, sections, build_ids. */
void machine_describe(struct texts *ret);

/* "sysname nodename release machine", as trace.dat has it. */
void machine_uname(struct text *ret);

/* Whether a kallsyms text hides its addresses: it has lines, and all say 0. */
bool machine_symbols_hidden(struct span kallsyms);

/* The GNU build-id in ELF notes, as hex digits appended to @ret; false: none. */
bool machine_build_id(struct span notes, struct text *ret);

/*
 * Appends "TID NAME" lines for the tasks that live now and have no line in
 * @ret yet. @ret is in the form of tracefs' saved_cmdlines.
 */
void machine_add_tasks(struct text *ret);
/* Appends the lines of @earlier whose TID has none in @ret yet. */
void machine_merge_tasks(struct text *ret, struct span earlier);

#endif
