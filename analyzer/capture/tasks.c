// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tasks.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Whether "a,memory,b" names memory. */
static bool has_memory(const char *controllers, size_t len)
{
	static const char word[] = "memory";

	while (len) {
		const char *comma = memchr(controllers, ',', len);
		size_t n = comma ? (size_t)(comma - controllers) : len;

		if (n == strlen(word) && !memcmp(controllers, word, n))
			return true;
		n += comma != NULL;
		controllers += n;
		len -= n;
	}
	return false;
}

bool tasks_cgroup(const char *text, unsigned int *ret_hierarchy, char **ret_path)
{
	bool found = false;

	*ret_path = NULL;
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *first = memchr(line, ':', len);
		const char *second =
			first ? memchr(first + 1, ':', len - (size_t)(first + 1 - line)) : NULL;
		size_t list = second ? (size_t)(second - first - 1) : 0;
		bool memory = second && has_memory(first + 1, list);

		/* Version 2 has no list of controllers, and all that are in no other. */
		if (second && (memory || (!list && !found))) {
			free(*ret_path);
			*ret_hierarchy = (unsigned int)strtoul(line, NULL, 10);
			*ret_path = xstrndup(second + 1, len - (size_t)(second + 1 - line));
			found = true;
			if (memory)
				return true;
		}
		line += len + (line[len] == '\n');
	}
	return found;
}

/* One line without what ends a field; NULL when the task is gone. */
static char *read_line(const char *path)
{
	auto_text text = {};
	auto_err struct err *gone = text_read_file(&text, path);

	if (gone || !text.len)
		return NULL;
	text.data[strcspn(text.data, "\n")] = '\0';
	for (char *c = text.data; *c; c++)
		*c = *c == '\t' ? ' ' : *c;
	return take_ptr(text.data);
}

static void add_process(struct text *ret, int pid)
{
	auto_free char *path = xasprintf("/proc/%d/task", pid);
	auto_free char *cgroup_file = xasprintf("/proc/%d/cgroup", pid);
	auto_free char *cgroup = NULL;
	auto_text text = {};
	unsigned int hierarchy;
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	err_free(text_read_file(&text, cgroup_file));
	if (text.len)
		tasks_cgroup(text.data, &hierarchy, &cgroup);
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		auto_free char *file = xasprintf("%s/%s/comm", path, entry->d_name);
		auto_free char *comm = read_line(file);

		if (comm)
			text_printf(ret, "%s %d %s\t%s\n", entry->d_name, pid, comm,
				    cgroup ? cgroup : "");
	}
	closedir(dir);
}

void tasks_describe(struct text *ret)
{
	auto_free char *path = NULL;
	auto_text own = {};
	unsigned int hierarchy = 0;
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return;
	err_free(text_read_file(&own, "/proc/self/cgroup"));
	if (own.len)
		tasks_cgroup(own.data, &hierarchy, &path);
	text_printf(ret, "hierarchy %u\n", hierarchy);
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			add_process(ret, atoi(entry->d_name));
	closedir(dir);
}
