// SPDX-License-Identifier: GPL-2.0-or-later
/* analyze.c - allocprof analyze: a recording to a database */
#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"

struct analyze_args {
	struct database_args database;
	const char *output;
};

static const struct opt analyze_cmd_opts[] = {
	{ 'i', "input", "FILE", OPT_TEXT(struct analyze_args, database.input),
	  "the recording; default allocprof.dat" },
	{ 'o', "output", "DB", OPT_TEXT(struct analyze_args, output),
	  "the database, replaced when it exists;\ndefault: X.db for X.dat" },
	DATABASE_WINDOW_OPTS(struct analyze_args, database),
	DATABASE_OPTS(struct analyze_args, database),
	{ 0, "memory-limit", "SIZE", OPT_SIZE(struct analyze_args, database.memory_limit),
	  "memory to stay within, like 256M; default: what it takes" },
	{ 0, "threads", "N", OPT_NUMBER(struct analyze_args, database.threads),
	  "threads to work in; default: one for each CPU" },
	{}
};

static struct err *analyze_run(const void *p, char **words, int *status)
{
	const struct analyze_args *args = p;

	(void)status;
	if (*words)
		return err_new(ERR_USAGE, "analyze: %s: name the recording with -i", *words);
	const char *input = args->database.input;

	if (!input) {
		TRY(database_default());
		input = "allocprof.dat";
	}
	auto_free char *default_output = database_path(input);

	return database_make(&args->database, input,
			     args->output ? args->output : default_output);
}

const struct cmd cmd_analyze = {
	.name = "analyze",
	.summary = "Turn a recording into a database of call sites",
	.usage =
		"[-i FILE] [-o DB] [--from TIME] [--to TIME] [--vmlinux FILE]\n"
		"                         [--debug-dir DIR]... [--kallsyms FILE]\n"
		"                         [--wrappers FILE] [--debuginfod] [--no-cache] [--threads N]\n"
		"                         [--memory-limit SIZE]",
	.opts = analyze_cmd_opts,
	.args_size = sizeof(struct analyze_args),
	.run = analyze_run,
};
