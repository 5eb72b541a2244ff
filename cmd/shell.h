/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shell.h - allocprof sql on a terminal: one query after the other
 *
 * Lines are edited with libedit, and kept in $XDG_STATE_HOME/allocprof/history.
 * A query ends with a semicolon; what begins with a dot is a command of the
 * shell. An interrupt ends a query, not the shell.
 */
#ifndef SHELL_H
#define SHELL_H

#include <stdio.h>

#include "store/query.h"
#include "view/view.h"

/* Until the user has enough; what is wrong with a query is told to the user. */
struct err *shell_run(struct query_db *db, enum view_format format) MUST_CHECK;

/* The named queries with their parameters. */
void shell_list(FILE *out);

#endif
