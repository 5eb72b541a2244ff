/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/elfopen.h - an ELF file, also one that is packed as a whole
 *
 * In:     a descriptor of any file; packed by gzip, bzip2, xz or zstd
 * Out:    libelf's handle on what it holds
 * Rules:  (1) a file that unpacks to more than ELFOPEN_MAX_RATIO times its size is
 *             none: no debug information is so uniform
 */
#ifndef RESOLVE_ELFOPEN_H
#define RESOLVE_ELFOPEN_H

#include <libelf.h>

#include "base/cleanup.h"

enum { ELFOPEN_MAX_RATIO = 256 };

/* NULL when there is none. *@fd is replaced by that of what was unpacked. */
Elf *elfopen(int *fd);

#endif
