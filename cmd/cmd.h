/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd.h - one subcommand is one file that ends in a const struct cmd
 *
 * To add a command: cmd/NAME.c, its name in CMDS below, and its page
 * Documentation/man/allocprof-NAME.1.adoc.
 */
#ifndef CMD_H
#define CMD_H

#include <stdio.h>

#include "base/err.h"
#include "opt.h"

struct cmd {
	const char *name;
	const char *summary;	/* one line, for the list of commands */
	const char *usage;	/* what follows the name: "[-i FILE] [QUERY]" */
	const struct opt *opts; /* ends in {} */
	size_t args_size;	/* of the struct that opts fill … */
	const void *defaults;	/* … and its first value; NULL: all zero */
	bool options_first;	/* the first word that is no option ends the options */

	/*
	 * @args is the filled struct, @words what is left of the command line,
	 * NULL-terminated. *status is 0 and may be set where success is not the
	 * whole answer; an error means 1, or 2 when it is ERR_USAGE, unless
	 * *status says otherwise.
	 */
	struct err *(*run)(const void *args, char **words, int *status);
};

#define CMDS(x)                                                                           \
	x(record) x(top) x(doctor) x(analyze) x(report) x(leaks) x(diff) x(sql) x(import) \
		x(merge) x(help)

#define CMD_DECLARE(name) extern const struct cmd cmd_##name;
CMDS(CMD_DECLARE)
#undef CMD_DECLARE

/* All commands, in the order of CMDS; ends in NULL. */
extern const struct cmd *const cmd_all[];

/* NULL when there is none of that name. */
const struct cmd *cmd_find(const char *name);

/* What allocprof -h and allocprof COMMAND -h print. */
void cmd_print_usage(FILE *f);
void cmd_print_help(const struct cmd *cmd);

#endif
