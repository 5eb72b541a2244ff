/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/workload.h - the command that is recorded
 *
 * In:     a command line
 * Out:    its process, its exit status
 * Use:    workload_env_save before the process changes what a child inherits,
 *         workload_start, workload_reap at each SIGCHLD
 * Rules:  (1) the command starts with the signals and limits its recorder was
 *             started with
 *         (2) it is born while recording: what a process takes at its birth
 *             and gives back at its death is then either both in or both out
 */
#ifndef CAPTURE_WORKLOAD_H
#define CAPTURE_WORKLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

struct workload_env {
	sigset_t mask;
	bool sigpipe_ignored;
	struct rlimit files;
};

void workload_env_save(struct workload_env *ret);

/* A failure has the errno of the exec; *ret is the pid. @argv ends in NULL. */
struct err *workload_start(char *const *argv, const struct workload_env *env,
			   pid_t *ret) MUST_CHECK;
/* True once @pid has ended; *ret is then its exit status, 128+signal if killed. */
bool workload_reap(pid_t pid, int *ret);

#endif
