/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/partdir.h - a recording that was not brought to its end, FILE.part/
 *
 * In:     the directory that capture/part.h describes, as a recorder that was
 *         killed, or is still at work, left it
 * Out:    for decode/tracefile.c: the file of texts, and a ring buffer whose
 *         CPUs have a file each
 * Rules:  (1) what the files hold when they are opened is what is read; a page
 *             that is not whole by then is truncated data
 *         (2) segments of a CPU follow each other by their numbers
 *         (3) files with other names are none of our business
 */
#ifndef DECODE_PARTDIR_H
#define DECODE_PARTDIR_H

#include <stdbool.h>

#include "decode/container.h"

/* Whether @path is a directory. */
bool partdir_is(const char *path);

/* @path, or where it does not exist @path.part if that does; owned by the caller. */
char *partdir_find(const char *path);

/* The trace.dat without CPU data that holds the texts; owned by the caller. */
char *partdir_meta(const char *path);

/* Adds the CPUs' segments from @first on to @c, which holds the texts. */
struct err *partdir_read(const char *path, uint32_t first, struct container *c) MUST_CHECK;

/* Whether its recorder is at work. */
bool partdir_locked(const char *path);

#endif
