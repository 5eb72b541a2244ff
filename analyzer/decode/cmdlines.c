// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/cmdlines.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct task {
	int32_t pid;
	uint32_t nr; /* of the line: the first of a pid counts */
	const char *name;
};

struct cmdlines {
	char *text; /* a copy, lines cut by NULs */
	struct task *task;
	size_t nr, cap;
};

static int compare(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->nr > y->nr) - (x->nr < y->nr);
}

struct cmdlines *cmdlines_parse(struct span text)
{
	struct cmdlines *c = xcalloc(1, sizeof(*c));
	char *save = NULL;

	c->text = text.len ? xstrndup((const char *)text.data, text.len) : xstrdup("");
	for (char *line = strtok_r(c->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *end;
		long pid = strtol(line, &end, 10);

		if (end == line || *end != ' ' || !end[1] || pid < 0 || pid > INT32_MAX)
			continue;
		vec_room(c->task, c->nr, c->cap);
		c->task[c->nr] = (struct task){ (int32_t)pid, (uint32_t)c->nr, end + 1 };
		c->nr++;
	}
	if (c->nr)
		qsort(c->task, c->nr, sizeof(*c->task), compare);
	return c;
}

void cmdlines_free(struct cmdlines *cmdlines)
{
	if (!cmdlines)
		return;
	free(cmdlines->task);
	free(cmdlines->text);
	free(cmdlines);
}

const char *cmdlines_name(const struct cmdlines *cmdlines, int32_t pid)
{
	size_t low = 0, high = cmdlines->nr;

	if (!pid)
		return "swapper";
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cmdlines->task[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < cmdlines->nr && cmdlines->task[low].pid == pid ? cmdlines->task[low].name
								    : NULL;
}
