/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/part.h - the unfinished recording, FILE.part/
 *
 * In:     where the recording shall go
 * Out:    a directory beside it: "meta" (a trace.dat without events, of what is
 *         known so far), segments of sub-buffers (capture/segments.h), "new", the
 *         file that replaces FILE
 * Use:    part_open, part_publish when all is well, part_remove in any case;
 *         part_keep before it lets the files stay, for decode/partdir.h
 * Rules:  (1) FILE changes only in part_publish, in one step
 *         (2) the directory is locked while its recorder lives; one that is not
 *             was left by a recorder that was killed, and is cleared
 *         (3) nothing is removed that a recorder did not make
 */
#ifndef CAPTURE_PART_H
#define CAPTURE_PART_H

#include <stdbool.h>

#include "base/err.h"

struct part {
	char *output;
	char *dir; /* NULL: there is none */
	char *new_file;
	char *meta_file;
	char *meta_new; /* becomes meta_file in one step */
	int dir_fd;
	bool keep;
};

struct err *part_open(const char *output, struct part *ret) MUST_CHECK;
/* meta_new takes the place of meta_file. */
struct err *part_publish_meta(const struct part *part) MUST_CHECK;
/* new_file becomes @path, which is the output or beside it. */
struct err *part_publish(const struct part *part, const char *path) MUST_CHECK;
/* What is recorded stays where it is when part_remove() is called. */
void part_keep(struct part *part);
/* Accepts one that was never opened. */
void part_remove(struct part *part);

#endif
