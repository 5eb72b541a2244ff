/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/tasks.h - who the tasks of this machine are
 *
 * In:     /proc of this machine
 * Out:    number, process, name and cgroup of all that live now, in the form that
 *         BLOB_TASKS documents
 * Rules:  (1) of several cgroup hierarchies the one that accounts memory counts
 */
#ifndef CAPTURE_TASKS_H
#define CAPTURE_TASKS_H

#include <stdbool.h>

#include "capture/texts.h"

void tasks_describe(struct text *ret);

/*
 * The path and hierarchy number in @text of /proc/PID/cgroup, of the memory
 * controller or else of version 2. *ret_path is owned by the caller.
 */
bool tasks_cgroup(const char *text, unsigned int *ret_hierarchy, char **ret_path);

#endif
