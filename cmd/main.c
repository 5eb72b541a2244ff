// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cmd.h"

#define CMD_POINTER(name) &cmd_##name,
const struct cmd *const cmd_all[] = { CMDS(CMD_POINTER) NULL };
#undef CMD_POINTER

const struct cmd *cmd_find(const char *name)
{
	for (const struct cmd *const *c = cmd_all; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

void cmd_print_help(const struct cmd *cmd)
{
	printf("Usage: allocprof %s %s\n\n%s.\n\n", cmd->name, cmd->usage, cmd->summary);
	opt_print(cmd->opts);
}

void cmd_print_usage(FILE *f)
{
	fputs("Usage: allocprof COMMAND [OPTION...]\n"
	      "\n"
	      "Records the kernel's memory allocations and finds who holds the memory.\n"
	      "\n",
	      f);
	for (const struct cmd *const *c = cmd_all; *c; c++)
		fprintf(f, "  %-10s %s\n", (*c)->name, (*c)->summary);
	fputs("\n"
	      "allocprof COMMAND -h lists its options, allocprof help COMMAND opens its page.\n",
	      f);
}

static struct err *no_such_command(const char *name)
{
	auto_free char *names = xstrdup("");

	for (const struct cmd *const *c = cmd_all; *c; c++) {
		auto_free char *before = take_ptr(names);

		names = xasprintf("%s%s%s", before, *before ? ", " : "", (*c)->name);
	}
	return err_new(ERR_USAGE, "%s: no such command; there are %s", name, names);
}

/* Prints the one line and turns @err, which it consumes, into the exit status. */
static int fail(struct err *err, const char *hint)
{
	int status = err_kind(err) == ERR_USAGE ? 2 : 1;

	fprintf(stderr, "allocprof: %s", err_text(err));
	if (status == 2)
		fprintf(stderr, " (try 'allocprof%s%s -h')", hint ? " " : "", hint ? hint : "");
	fputc('\n', stderr);
	err_free(err);
	return status;
}

/* An answer that did not reach its reader is a failure, unless the reader left. */
static int flushed(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		fprintf(stderr, "allocprof: standard output: %s\n",
			strerror(errno ? errno : EIO));
	return status ? status : 1;
}

static int run(const struct cmd *cmd, char **argv)
{
	auto_free void *args = xcalloc(1, cmd->args_size);
	enum opt_wish wish;
	int status = 0;

	if (cmd->defaults)
		memcpy(args, cmd->defaults, cmd->args_size);
	struct err *err = opt_parse(cmd->opts, cmd->options_first, argv, args, &wish);

	if (err) {
		status = fail(err_wrap(err, "%s", cmd->name), cmd->name);
	} else if (wish == OPT_HELP) {
		cmd_print_help(cmd);
	} else if (wish == OPT_VERSION) {
		puts("allocprof " VERSION);
	} else {
		err = cmd->run(args, argv, &status);
		/* What was printed before it failed comes first. */
		if (err) {
			fflush(stdout);
			int failed = fail(err, cmd->name);

			status = status ? status : failed;
		}
	}
	opt_release(cmd->opts, args);
	return flushed(status);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		cmd_print_usage(stderr);
		return 2;
	}
	const struct cmd *cmd = cmd_find(argv[1]);

	/* Nobody asks how much memory SQLite has, and counting takes a lock a piece. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (cmd)
		return run(cmd, argv + 2);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		cmd_print_usage(stdout);
	else if (!strcmp(argv[1], "--version"))
		puts("allocprof " VERSION);
	else
		return fail(no_such_command(argv[1]), NULL);
	return flushed(0);
}
