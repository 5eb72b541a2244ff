// SPDX-License-Identifier: GPL-2.0-or-later
#include "tasks.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "capture/blobs.h"

/* A new task that is a thread of its parent's process: CLONE_THREAD. */
#define NEW_THREAD 0x10000

struct tasks {
	const struct tracefile *file;
	const struct names *names;
	struct task *task;
	size_t nr, cap;
	uint32_t *slot;	 /* index + 1; 0 is empty */
	size_t nr_slots; /* a power of two, at least twice nr */
	struct hash_secret secret;
	struct span cgroup; /* that was asked for, without the last / */
	bool by_pid, by_cgroup;
	uint64_t hierarchy;
	bool has_hierarchy;
};

static size_t home(const struct tasks *tasks, int32_t pid)
{
	return hash_word(tasks->secret, (uint32_t)pid) & (tasks->nr_slots - 1);
}

static size_t slot_of(const struct tasks *tasks, int32_t pid)
{
	size_t i = home(tasks, pid);

	while (tasks->slot[i] && tasks->task[tasks->slot[i] - 1].pid != pid)
		i = (i + 1) & (tasks->nr_slots - 1);
	return i;
}

const struct task *tasks_find(const struct tasks *tasks, int32_t pid)
{
	size_t i = slot_of(tasks, pid);

	return tasks->slot[i] ? &tasks->task[tasks->slot[i] - 1] : NULL;
}

static void grow(struct tasks *tasks)
{
	free(tasks->slot);
	tasks->nr_slots *= 2;
	tasks->slot = xcalloc(tasks->nr_slots, sizeof(*tasks->slot));
	for (size_t i = 0; i < tasks->nr; i++)
		tasks->slot[slot_of(tasks, tasks->task[i].pid)] = (uint32_t)i + 1;
}

static struct task *get(struct tasks *tasks, int32_t pid)
{
	size_t i = slot_of(tasks, pid);

	if (tasks->slot[i])
		return &tasks->task[tasks->slot[i] - 1];
	vec_room(tasks->task, tasks->nr, tasks->cap);
	tasks->task[tasks->nr] = (struct task){ .pid = pid, .tgid = -1 };
	tasks->slot[i] = (uint32_t)++tasks->nr;
	if (tasks->nr > tasks->nr_slots / 2)
		grow(tasks);
	return &tasks->task[tasks->nr - 1];
}

/* A decimal number at the start of @line, and the blank behind it. */
static bool take_number(struct span *line, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < line->len && i < 10 && line->data[i] >= '0' && line->data[i] <= '9'; i++)
		v = v * 10 + (line->data[i] - '0');
	if (!i || v > INT32_MAX || (i < line->len && line->data[i] != ' '))
		return false;
	i += i < line->len;
	line->data += i;
	line->len -= i;
	*ret = v;
	return true;
}

static void read_list(struct tasks *tasks, const char *name)
{
	static const char key[] = "hierarchy ";
	struct span text, line;
	uint64_t pid, tgid;

	if (!tracefile_text(tasks->file, name, &text))
		return;
	while (span_line(&text, &line)) {
		if (line.len > strlen(key) && !memcmp(line.data, key, strlen(key))) {
			line.data += strlen(key);
			line.len -= strlen(key);
			tasks->has_hierarchy = take_number(&line, &tasks->hierarchy);
			continue;
		}
		if (!take_number(&line, &pid) || !take_number(&line, &tgid))
			continue;
		const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
		size_t len = tab ? (size_t)(tab - line.data) : line.len;
		struct task *task = get(tasks, (int32_t)pid);

		task->tgid = (int32_t)tgid;
		task->comm = (struct span){ line.data, len };
		if (tab)
			task->cgroup = (struct span){ tab + 1, line.len - len - 1 };
	}
}

/* Recorders that know no more than the kernel keeps: "PID COMM". */
static void read_cmdlines(struct tasks *tasks)
{
	struct span text, line;
	uint64_t pid;

	if (!tracefile_text(tasks->file, "cmdlines", &text))
		return;
	while (span_line(&text, &line)) {
		if (!take_number(&line, &pid))
			continue;
		struct task *task = get(tasks, (int32_t)pid);

		if (!task->comm.len)
			task->comm = line;
	}
}

/* Processes that were asked for. */
struct chosen {
	int32_t *tgid;
	size_t nr, cap;
};

static int compare_tgid(const void *va, const void *vb)
{
	const int32_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

/* "12,34"; what is no number of a process is left out. */
static void add_pids(struct chosen *chosen, struct span list)
{
	uint64_t tgid = 0;

	for (size_t i = 0; i <= list.len; i++) {
		if (i < list.len && list.data[i] >= '0' && list.data[i] <= '9') {
			if (tgid <= INT32_MAX)
				tgid = tgid * 10 + (list.data[i] - '0');
			continue;
		}
		if (tgid && tgid <= INT32_MAX) {
			vec_room(chosen->tgid, chosen->nr, chosen->cap);
			chosen->tgid[chosen->nr++] = (int32_t)tgid;
		}
		tgid = 0;
	}
}

/* Their tasks. Both may be any number, by who made the file. */
static void choose_pids(struct tasks *tasks, struct chosen chosen)
{
	if (!chosen.nr)
		return;
	qsort(chosen.tgid, chosen.nr, sizeof(*chosen.tgid), compare_tgid);
	for (size_t i = 0; i < tasks->nr; i++)
		tasks->task[i].chosen = bsearch(&tasks->task[i].tgid, chosen.tgid, chosen.nr,
						sizeof(*chosen.tgid), compare_tgid) != NULL;
	free(chosen.tgid);
}

/* What the recorder was told: "select pid LIST", "select cgroup PATH". */
static void read_choice(struct tasks *tasks)
{
	static const char pid[] = "select pid ", cgroup[] = "select cgroup ";
	struct chosen chosen = {};
	struct span text, line;

	if (!tracefile_text(tasks->file, BLOB_RECORDER, &text))
		return;
	while (span_line(&text, &line)) {
		if (line.len > strlen(pid) && !memcmp(line.data, pid, strlen(pid))) {
			tasks->by_pid = true;
			add_pids(&chosen, (struct span){ line.data + strlen(pid),
							 line.len - strlen(pid) });
		} else if (line.len > strlen(cgroup) &&
			   !memcmp(line.data, cgroup, strlen(cgroup))) {
			tasks->by_cgroup = true;
			tasks->cgroup = (struct span){ line.data + strlen(cgroup),
						       line.len - strlen(cgroup) };
			while (tasks->cgroup.len &&
			       tasks->cgroup.data[tasks->cgroup.len - 1] == '/')
				tasks->cgroup.len--;
		}
	}
	choose_pids(tasks, chosen);
}

bool tasks_choose(const struct tasks *tasks)
{
	return tasks->by_pid || tasks->by_cgroup;
}

/* The group itself, or one below it. */
static bool is_in(const struct tasks *tasks, struct span cgroup)
{
	size_t len = tasks->cgroup.len;

	if (!cgroup.len || cgroup.len < len || memcmp(cgroup.data, tasks->cgroup.data, len))
		return false;
	return cgroup.len == len || cgroup.data[len] == '/';
}

bool tasks_wanted(const struct tasks *tasks, const struct event *ev)
{
	/* An interrupt works for anyone. */
	const struct task *task = ev->context ? NULL : tasks_find(tasks, ev->pid);

	return task && (!tasks->by_pid || task->chosen) &&
	       (!tasks->by_cgroup || is_in(tasks, task->cgroup));
}

struct tasks *tasks_new(const struct tracefile *file, const struct names *names)
{
	struct tasks *tasks = xcalloc(1, sizeof(*tasks));

	tasks->file = file;
	tasks->names = names;
	tasks->nr_slots = 1024;
	tasks->secret = hash_secret();
	tasks->slot = xcalloc(tasks->nr_slots, sizeof(*tasks->slot));
	/* Every CPU has one of that number, for when there is nothing to do. */
	*get(tasks, 0) = (struct task){ .comm = { (const uint8_t *)"<idle>", 6 } };
	read_list(tasks, BLOB_TASKS "start");
	read_choice(tasks);
	return tasks;
}

void tasks_free(struct tasks *tasks)
{
	if (!tasks)
		return;
	free(tasks->task);
	free(tasks->slot);
	free(tasks);
}

static struct span name_of(const struct tasks *tasks, uint16_t id)
{
	const char *text = names_text(tasks->names, id);

	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void new_task(struct tasks *tasks, const struct event *ev)
{
	const struct task *parent = tasks_find(tasks, ev->pid);
	struct task task = {
		.pid = (int32_t)ev->addr,
		.tgid = (int32_t)ev->addr,
		.comm = name_of(tasks, ev->cache),
	};

	if (ev->bytes_req & NEW_THREAD)
		task.tgid = parent ? parent->tgid : -1;
	if (parent) {
		task.cgroup = parent->cgroup;
		task.chosen = parent->chosen;
	}
	*get(tasks, task.pid) = task;
}

void tasks_take(struct tasks *tasks, const struct event *ev)
{
	if (!ev->addr || ev->addr > INT32_MAX)
		return;
	if (ev->kind == EVENT_TASK_NEW)
		new_task(tasks, ev);
	else if (ev->kind == EVENT_TASK_NAME)
		get(tasks, (int32_t)ev->addr)->comm = name_of(tasks, ev->cache);
	else if (ev->kind == EVENT_TASK_CGROUP && tasks->has_hierarchy &&
		 ev->bytes_req == tasks->hierarchy)
		get(tasks, (int32_t)ev->addr)->cgroup = name_of(tasks, ev->cache);
}

struct err *tasks_write(struct tasks *tasks, const struct tracefile *file,
			struct writer *writer)
{
	struct span list;

	tasks->file = file;
	read_list(tasks, BLOB_TASKS "end");
	/* It has tasks of days ago, too. */
	if (!tracefile_text(tasks->file, BLOB_TASKS "start", &list))
		read_cmdlines(tasks);
	for (size_t i = 0; i < tasks->nr; i++) {
		const struct task *task = &tasks->task[i];

		TRY(writer_task(writer, task->pid, task->tgid, task->comm, task->cgroup));
	}
	return NULL;
}
