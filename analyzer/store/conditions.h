/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/conditions.h - what a report is restricted to, as functions of SQL
 *
 * In:     arguments in pairs, what is wanted and what a row has
 * Out:    _of_kind(:kinds, kind, :self, self)
 *         _fits(:cache, cache, :file, file, :func, func, :module, module)
 *         _of_recording(:recording, :host, recording): that number, and that machine
 * Rules:  (1) kinds are a list with commas; a row by the recorder itself (self = 1) is
 *             wanted where :self is 1
 *         (2) "" lets all through. A text is equal or a GLOB pattern; a file is also one
 *             below that folder; module vmlinux is the kernel itself. NULL fits "" only
 */
#ifndef STORE_CONDITIONS_H
#define STORE_CONDITIONS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* An error code of SQLite. */
int conditions_register(sqlite3 *db);

/* Rule 1, in C. */
bool conditions_kind(const char *kinds, const char *kind);

/* Rule 2; @wanted may be NULL, as "". */
bool conditions_text(const char *wanted, const char *text);
bool conditions_path(const char *wanted, const char *path);
bool conditions_module(const char *wanted, const char *module);
bool conditions_exact(const char *wanted, const char *text);
/* CAST(@wanted AS INTEGER) is @value. */
bool conditions_number(const char *wanted, bool known, int64_t value);

#endif
