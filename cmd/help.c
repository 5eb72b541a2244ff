// SPDX-License-Identifier: GPL-2.0-or-later
/* help.c - allocprof help: the man page of a command */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"

static const struct opt help_opts[] = { {} };

/* True when man finds the page; says nothing when it does not. */
static bool page_exists(const char *page)
{
	fflush(NULL);
	pid_t pid = fork();
	int status = 1;

	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(1);
		execlp("man", "man", "-w", "1", page, (char *)NULL);
		_exit(1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static struct err *help_run(const void *args, char **words, int *status)
{
	(void)args, (void)status;
	if (words[0] && words[1])
		return err_new(ERR_USAGE, "help: one command at a time, not also %s", words[1]);
	const struct cmd *cmd = words[0] ? cmd_find(words[0]) : NULL;

	if (words[0] && !cmd)
		return err_new(ERR_USAGE, "help: %s: no such command", words[0]);
	auto_free char *page =
		cmd ? xasprintf("allocprof-%s", cmd->name) : xstrdup("allocprof");

	if (page_exists(page))
		execlp("man", "man", "1", page, (char *)NULL);
	if (cmd)
		cmd_print_help(cmd);
	else
		cmd_print_usage(stdout);
	return NULL;
}

const struct cmd cmd_help = {
	.name = "help",
	.summary = "Open the manual page of a command",
	.usage = "[COMMAND]",
	.opts = help_opts,
	.run = help_run,
};
