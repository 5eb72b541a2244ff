// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/describe.h"

#include <dirent.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/machine.h"
#include "capture/modules.h"
#include "capture/tasks.h"

/* kernel_stack and print are among them; their files are at the top level. */
static void ftrace_formats(struct texts *ret, const char *tracedir)
{
	auto_free char *path = xasprintf("%s/events/ftrace", tracedir);
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		auto_free char *name = xasprintf("ftrace/%s", entry->d_name);
		auto_free char *file = xasprintf("%s/%s/format", path, entry->d_name);

		if (entry->d_name[0] != '.')
			texts_file(ret, name, file);
	}
	closedir(dir);
}

struct err *describe_start(struct recording *rec, const char *tracedir, const char *instance)
{
	static const char *const names[] = { "header_page", "header_event" };

	for (size_t i = 0; i < 2; i++) {
		auto_free char *path = xasprintf("%s/events/%s", instance, names[i]);

		TRY(text_read_file(texts_new(&rec->standard, names[i]), path));
	}
	auto_free char *clock = xasprintf("%s/trace_clock", instance);
	auto_free char *printk = xasprintf("%s/printk_formats", tracedir);

	texts_file(&rec->standard, "trace_clock", clock);
	texts_file(&rec->standard, "printk_formats", printk);
	machine_uname(texts_new(&rec->standard, "uname"));
	ftrace_formats(&rec->ftrace_formats, tracedir);
	/* Those that end before we do; the rest is asked again at the end. */
	machine_add_tasks(texts_new(&rec->standard, "saved_cmdlines"));
	tasks_describe(texts_new(&rec->blobs, BLOB_TASKS "start"));
	machine_describe(&rec->blobs);
	return NULL;
}

/* What modules loaded since the start add to the texts of the start. */
static void add_new_modules(struct recording *rec)
{
	CLEANUP(texts_deinit) struct texts now = {};
	auto_text added = {}, kallsyms = {};

	machine_describe(&now);
	modules_merge(&rec->blobs, &now, &added);
	if (!added.len)
		return;
	err_free(text_read_file(&kallsyms, "/proc/kallsyms"));
	modules_append(texts_get(&rec->standard, "kallsyms"), text_span(&kallsyms),
		       MODULES_BRACKETED, text_span(&added));
}

void describe_now(struct recording *rec, const char *tracedir, struct modwatch *watch)
{
	auto_free char *cmdlines = xasprintf("%s/saved_cmdlines", tracedir);
	struct text *names = texts_get(&rec->standard, "saved_cmdlines");
	auto_text earlier = *names;

	*names = (struct text){};
	/* Kernels built without it still know the tasks that live. */
	err_free(text_read_file(names, cmdlines));
	machine_add_tasks(names);
	machine_merge_tasks(names, text_span(&earlier));
	tasks_describe(texts_new(&rec->blobs, BLOB_TASKS "end"));
	modwatch_add(watch, &rec->blobs, texts_get(&rec->standard, "kallsyms"));
	add_new_modules(rec);
}
