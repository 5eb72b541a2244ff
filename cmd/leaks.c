// SPDX-License-Identifier: GPL-2.0-or-later
/* leaks.c - allocprof leaks: what grows and is not freed, and how sure that is */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "progress.h"
#include "store/library.h"
#include "store/sites.h"
#include "view/functions.h"
#include "view/leaks.h"

enum { ROWS_ON_TERMINAL = 10 };
#define ROWS_BY_DEFAULT UINT64_MAX

struct leaks_args {
	struct database_args database;
	const char *format, *kinds;
	uint64_t limit, least;
	bool all;
};

static const struct opt leaks_opts[] = {
	{ 'i', "input", "FILE", OPT_TEXT(struct leaks_args, database.input),
	  "a recording, which is analyzed first, or a\ndatabase; default allocprof.dat" },
	{ 'n', "rows", "N", OPT_NUMBER(struct leaks_args, limit),
	  "print the first N suspects, 0 for all; default: 10\nin a table on a terminal, else all" },
	{ 0, "min", "SIZE", OPT_SIZE(struct leaks_args, least),
	  "what holds less at the end is none (4K)" },
	{ 0, "kind", "KIND,...", OPT_TEXT(struct leaks_args, kinds),
	  "slab, page, percpu, vmalloc; default all" },
	{ 'a', "all", NULL, OPT_FLAG(struct leaks_args, all),
	  "also what is explained, or hardly suspect" },
	{ 'f', "format", "FORMAT", OPT_TEXT(struct leaks_args, format),
	  "table (default), csv, json or markdown" },
	DATABASE_OPTS(struct leaks_args, database),
	{}
};

static struct err *leaks_run(const void *p, char **words, int *status)
{
	const struct leaks_args *args = p;
	bool terminal = isatty(STDOUT_FILENO);
	const struct view_layout layout = { terminal, progress_columns(STDOUT_FILENO) };
	uint64_t limit = args->limit != ROWS_BY_DEFAULT ? args->limit
			 : terminal			? ROWS_ON_TERMINAL
							: 0;
	enum view_format format;
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;

	(void)status;
	if (*words)
		return err_new(ERR_USAGE, "leaks: %s: name the input with -i", *words);
	if (!view_format_find(args->format, &format))
		return err_new(ERR_USAGE,
			       "leaks: --format %s: no such format; there are " VIEW_FORMATS,
			       args->format);
	TRY(err_wrap(sites_check(&(struct sites_opts){ .kinds = args->kinds }), "leaks"));
	TRY(database_open(&args->database, &db));
	if (functions_register_all(query_db_handle(db)))
		return err_new(ERR_OS, "leaks: no memory for the functions");

	auto_free char *kinds = xasprintf("kinds=%s", args->kinds);
	auto_free char *least = xasprintf("min=%" PRIu64, args->least);
	char all[] = "all=1";
	char *const values[] = { kinds, least, args->all ? all : NULL, NULL };

	TRY(library_prepare(db, library_find("leaks"), values, &query));
	if (format == VIEW_TABLE)
		return leaks_print(query, limit, stdout, &layout);
	return view_query(query, format, stdout, &layout);
}

const struct cmd cmd_leaks = {
	.name = "leaks",
	.summary = "Name what grows and is not freed",
	.usage = "[-i FILE|DB] [-n N] [--min SIZE] [--kind KIND[,KIND...]] [--all]\n"
		 "                       [--format table|csv|json|markdown]",
	.opts = leaks_opts,
	.args_size = sizeof(struct leaks_args),
	.defaults = &(const struct leaks_args){ .format = "table",
						.kinds = SITES_ALL_KINDS,
						.least = 4096,
						.limit = ROWS_BY_DEFAULT },
	.run = leaks_run,
};
