// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor.c - allocprof doctor: what this machine lets a recording see */
#include <string.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "doctor.h"
#include "view/view.h"

struct doctor_args {
	const char *format;
	const char *vmlinux;
	struct opt_list debug_dirs;
};

static const struct opt doctor_opts[] = {
	{ 'f', "format", "FORMAT", OPT_TEXT(struct doctor_args, format),
	  "table (default), csv or json" },
	{ 0, "vmlinux", "FILE", OPT_TEXT(struct doctor_args, vmlinux),
	  "the kernel with debug information" },
	{ 0, "debug-dir", "DIR", OPT_LIST(struct doctor_args, debug_dirs),
	  "also look here for debug information" },
	{}
};

static const char *const words[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_LESS] = "less",
	[DOCTOR_BLIND] = "blind",
};

static struct cell cell_of(const char *text)
{
	if (!text)
		return (struct cell){ .type = CELL_NULL };
	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

static void print_rows(const struct doctor *doctor, enum view_format format)
{
	static const struct view_column columns[] = {
		{ "subject", VIEW_PLAIN }, { "status", VIEW_PLAIN }, { "found", VIEW_PLAIN },
		{ "lost", VIEW_PLAIN },	   { "remedy", VIEW_PLAIN },
	};
	CLEANUP(view_cleanup)
	struct view *view = view_new(format, stdout, &(struct view_layout){}, columns, 5);

	for (size_t i = 0; i < doctor->nr; i++) {
		const struct doctor_finding *f = &doctor->finding[i];
		struct cell row[] = { cell_of(f->subject), cell_of(words[f->status]),
				      cell_of(f->found), cell_of(f->lost), cell_of(f->remedy) };

		view_row(view, row);
	}
	view_finish(view);
}

static void print_table(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nr; i++) {
		const struct doctor_finding *f = &doctor->finding[i];

		printf("%-15s %-6s %s\n", f->subject, words[f->status], f->found);
		if (f->lost)
			printf("%23snot seen: %s\n", "", f->lost);
		if (f->remedy)
			printf("%23swhat helps: %s\n", "", f->remedy);
	}
}

static struct err *doctor_run(const void *p, char **args_left, int *status)
{
	const struct doctor_args *args = p;
	CLEANUP(doctor_deinit) struct doctor doctor = {};
	enum view_format format = VIEW_TABLE;

	if (*args_left)
		return err_new(ERR_USAGE, "doctor: %s: there is nothing to name", *args_left);
	if (args->format && !view_format_find(args->format, &format))
		return err_new(
			ERR_USAGE,
			"doctor: --format %s: no such format; there are table, csv, json",
			args->format);
	TRY(err_wrap(database_check_dirs(&args->debug_dirs), "doctor"));
	doctor_examine(args->vmlinux, args->debug_dirs.item, &doctor);
	if (format == VIEW_TABLE)
		print_table(&doctor);
	else
		print_rows(&doctor, format);
	for (size_t i = 0; i < doctor.nr; i++)
		if (doctor.finding[i].status != DOCTOR_OK)
			*status = 1;
	return NULL;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "Say what this machine lets a recording see",
	.usage = "[OPTION...]",
	.opts = doctor_opts,
	.args_size = sizeof(struct doctor_args),
	.run = doctor_run,
};
