/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/workload.h - the command that is recorded
 *
 * In:     a command line
 * Out:    a process that exists from workload_fork() on, so that its birth is
 *         not in the recording, and turns into the command when released
 * Use:    workload_fork, workload_release, workload_reap at each SIGCHLD
 * Rules:  (1) a process that was never released ends with its recorder
 *         (2) the command starts with the signals its recorder was started with
 */
#ifndef CAPTURE_WORKLOAD_H
#define CAPTURE_WORKLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct workload {
	pid_t pid;  /* 0: none, or reaped */
	int go_fd;
	int fail_fd;
};

/* @argv is NULL-terminated; @mask is what the command starts with. */
struct err *workload_fork(char *const *argv, const sigset_t *mask,
			  struct workload *ret) MUST_CHECK;
/* The errno with which the command could not be started; 0: it runs. */
int workload_release(struct workload *workload);
/* True once it has ended; *ret is then its exit status, 128+signal if killed. */
bool workload_reap(struct workload *workload, int *ret);
void workload_signal(const struct workload *workload, int sig);
/* Ends a process never released, leaves a command alone; accepts an all-zero one. */
void workload_deinit(struct workload *workload);

#endif
