/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/srcpath.h - file names relative to the kernel tree
 *
 * In:     names as debug information has them: absolute or relative to the
 *         directory of the compilation, with . and .. and doubled slashes
 * Out:    fs/dcache.c, the form of __FILE__ and so of /proc/allocinfo
 * Not:    touches no file
 */
#ifndef RESOLVE_SRCPATH_H
#define RESOLVE_SRCPATH_H

#include <stdbool.h>
#include <stddef.h>

enum { SRCPATH_MAX = 4096 };

/*
 * The tree @unit, named relative to @comp_dir, belongs to: true when it is
 * the kernel's init/main.c, which lies in a fixed place.
 */
bool srcpath_root(const char *comp_dir, const char *unit, char root[SRCPATH_MAX]);

/*
 * @path without @root or, outside of it, without @comp_dir; either may be
 * empty. A path that is too long comes back as it is, cut.
 */
void srcpath_relative(const char *root, const char *comp_dir, const char *path,
		      char ret[SRCPATH_MAX]);

#endif
