/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/tracedir.h - where tracefs is, and its small files
 *
 * In:     this machine
 * Out:    the path of tracefs, which is mounted when it was not
 * Rules:  (1) a refusal says what is missing: root, tracefs in the kernel, or
 *             a kernel that is not locked down
 */
#ifndef CAPTURE_TRACEDIR_H
#define CAPTURE_TRACEDIR_H

#include <stdbool.h>

#include "base/err.h"

/* The path of a mounted tracefs, owned by the caller. */
struct err *tracedir_find(char **ret) MUST_CHECK;

/* Writes @text in one go to @dir/@file. */
struct err *tracedir_write(const char *dir, const char *file, const char *text) MUST_CHECK;
bool tracedir_has(const char *dir, const char *file);

/* An error for @errnum met at @path; EPERM and EACCES get their reason. */
struct err *tracedir_refused(int errnum, const char *path) MUST_CHECK;

#endif
