/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/publish.h - writes recordings out of the part while another goes on
 *
 * In:     jobs: texts, segments, where to
 * Out:    files, one after the other, each in place in one step
 * Use:    publisher_open; publisher_submit, and the next when publisher_poll has told
 *         what became of it; publisher_hold and publisher_release around what
 *         shall not see it at work; publisher_close
 * Rules:  (1) one job at a time, in a thread of its own
 *         (2) a job that is not done when the publisher is closed leaves no file
 */
#ifndef CAPTURE_PUBLISH_H
#define CAPTURE_PUBLISH_H

#include <sys/types.h>

#include "capture/recording.h"

struct publish_job {
	struct recording recording; /* owns its standard texts and blobs, borrows the rest */
	struct segments *cpu;	    /* owned */
	size_t nr_cpus;
	bool packed;
	int level;
	const struct part *part;
	char *path; /* owned */
};

struct publisher;

struct err *publisher_open(struct publisher **ret) MUST_CHECK;
/* Accepts NULL. */
void publisher_close(struct publisher *publisher);

/* Takes over what @job owns. */
void publisher_submit(struct publisher *publisher, struct publish_job *job);
/*
 * True once after each job: the path, owned by the caller, and the file's size, or why
 * there is none.
 */
bool publisher_poll(struct publisher *publisher, char **ret_path, uint64_t *ret_bytes,
		    struct err **ret_err);

void publisher_hold(struct publisher *publisher);
void publisher_release(struct publisher *publisher);

pid_t publisher_tid(const struct publisher *publisher);

#endif
