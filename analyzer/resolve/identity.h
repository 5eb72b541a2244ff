/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/identity.h - is this vmlinux the kernel of the recording, and where was it
 *
 * In:     an opened vmlinux, the recorded symbols and, if known, build-id
 * Out:    the KASLR slide: recorded address - address in the file
 * Rules:  (1) two build-ids that are known and differ: another kernel
 *         (2) otherwise symbols spread over the table must lie where the slide
 *             puts them
 */
#ifndef RESOLVE_IDENTITY_H
#define RESOLVE_IDENTITY_H

#include "resolve/debuginfo.h"
#include "resolve/kallsyms.h"

/* Fails, saying why, for the vmlinux of another kernel. @build_id may be "". */
struct err *identity_check(struct debuginfo *di, struct kallsyms *kallsyms,
			   const char *build_id, uint64_t *ret_slide) MUST_CHECK;

#endif
