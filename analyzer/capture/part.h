/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/part.h - the unfinished recording, FILE.part/
 *
 * In:     where the recording shall go
 * Out:    a directory beside it: "meta" (texts_encode() of what is known from
 *         the start), a "cpuN.raw" of sub-buffers for each CPU, "new", the
 *         file that replaces FILE
 * Use:    part_open, part_publish when all is well, part_remove in any case
 * Rules:  (1) FILE changes only in part_publish, in one step
 *         (2) the directory is locked while its recorder lives; one that is not
 *             was left by a recorder that was killed, and is cleared
 *         (3) nothing is removed that a recorder did not make
 */
#ifndef CAPTURE_PART_H
#define CAPTURE_PART_H

#include "capture/cpulist.h"
#include "capture/texts.h"

struct part {
	char *output;
	char *dir; /* NULL: there is none */
	char *new_file;
	int dir_fd;
	int *fds; /* one for each CPU */
	size_t nr;
};

struct err *part_open(const char *output, const struct cpulist *cpus,
		      struct part *ret) MUST_CHECK;
struct err *part_write_meta(const struct part *part, const struct texts *const *texts,
			    size_t nr) MUST_CHECK;
struct err *part_publish(const struct part *part) MUST_CHECK;
/* Accepts one that was never opened. */
void part_remove(struct part *part);

#endif
