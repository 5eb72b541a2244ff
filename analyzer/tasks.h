/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tasks.h - who the tasks were that a recording speaks of
 *
 * In:     the recording's lists of tasks at its two ends, its saved_cmdlines, and
 *         the events of tasks that begin, change their name or their cgroup
 * Out:    process, name and cgroup of a task by its number; table _task
 * Use:    tasks_new, tasks_event for each event in order of time, then the rest
 * Rules:  (1) a number that is given to another task means that one from then on
 *         (2) what the recording does not tell is empty, never guessed
 *         (3) all texts are borrowed of the file and the names
 */
#ifndef TASKS_H
#define TASKS_H

#include "decode/event.h"
#include "decode/names.h"
#include "decode/tracefile.h"
#include "store/writer.h"

struct task {
	int32_t pid;
	int32_t tgid; /* -1: not known */
	struct span comm, cgroup;
	bool chosen; /* it is, or descends from, a process that was asked for */
};

struct tasks;

/* @file and @names must outlive it. */
struct tasks *tasks_new(const struct tracefile *file, const struct names *names);
void tasks_free(struct tasks *tasks);
DEFINE_CLEANUP(struct tasks *, tasks, tasks_free)

/* Takes note of EVENT_TASK_*; does nothing for others. */
void tasks_take(struct tasks *tasks, const struct event *ev);

static inline void tasks_event(struct tasks *tasks, const struct event *ev)
{
	if (__builtin_expect(ev->kind >= EVENT_TASK_NEW, 0))
		tasks_take(tasks, ev);
}

/* The task of that number as far as it is known now, or NULL; until the next event. */
const struct task *tasks_find(const struct tasks *tasks, int32_t pid);

/*
 * Whose allocations were asked for (record -p, --cgroup); false when it is
 * everybody's. With several conditions all have to hold.
 */
bool tasks_choose(const struct tasks *tasks);
/* Whether @ev, which nothing behind it was taken of, is the doing of such a task. */
bool tasks_wanted(const struct tasks *tasks, const struct event *ev);

/* With what the end of the recording knows: the same file, or one opened later. */
struct err *tasks_write(struct tasks *tasks, const struct tracefile *file,
			struct writer *writer) MUST_CHECK;

#endif
