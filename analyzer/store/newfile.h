/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/newfile.h - a database at a path, whole or not at all
 *
 * In:     the path it shall have
 * Out:    another path, beside it, to write to until it is whole
 * Use:    newfile_init, newfile_publish when it is written; newfile_deinit at any time
 * Rules:  as those of store/writer.h: (1), (3) and (4) are kept here
 */
#ifndef STORE_NEWFILE_H
#define STORE_NEWFILE_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

struct newfile {
	char *path, *tmp_path; /* tmp_path is NULL once there is nothing to remove */
	sigset_t old_mask;
	bool masked;
};

/* Fails early for a @path where no database can appear, or shall: it is free, or has one. */
struct err *newfile_check(const char *path) MUST_CHECK;

struct err *newfile_init(struct newfile *file, const char *path) MUST_CHECK;
/* The bytes of the file, then its name, are on the disk when this returns. */
struct err *newfile_publish(struct newfile *file) MUST_CHECK;
/* Removes what was not published. */
void newfile_deinit(struct newfile *file);

#endif
