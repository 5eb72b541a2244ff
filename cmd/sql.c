// SPDX-License-Identifier: GPL-2.0-or-later
/* sql.c - allocprof sql: queries, read-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "progress.h"
#include "shell.h"
#include "store/library.h"
#include "view/functions.h"
#include "view/view.h"

struct sql_args {
	struct database_args database;
	const char *format;
	bool list;
};

static const struct opt sql_opts[] = {
	{ 'i', "input", "DB", OPT_TEXT(struct sql_args, database.input),
	  "a database, or a recording, which is analyzed\nfirst; default allocprof.dat" },
	{ 'f', "format", "FORMAT", OPT_TEXT(struct sql_args, format),
	  "table (default), csv, json or markdown" },
	{ 'l', "list", NULL, OPT_FLAG(struct sql_args, list),
	  "print the named queries and their parameters" },
	DATABASE_WINDOW_OPTS(struct sql_args, database),
	DATABASE_OPTS(struct sql_args, database),
	{}
};

/* All of stdin as one text. */
static struct err *read_stdin(char **ret)
{
	auto_free char *text = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		if (cap - len < 2) {
			cap = cap ? 2 * cap : 4096;
			text = xreallocarray(text, cap, 1);
		}
		size_t n = fread(text + len, 1, cap - len - 1, stdin);

		if (!n)
			break;
		len += n;
	}
	if (ferror(stdin))
		return err_os(errno, "standard input");
	text[len] = '\0';
	if (strlen(text) != len)
		return err_new(ERR_FORMAT, "standard input: not a text");
	*ret = take_ptr(text);
	return NULL;
}

static struct err *run_all(struct query_db *db, const char *sql, char *const *values,
			   enum view_format format, const struct view_layout *layout)
{
	bool gap = false;

	while (*sql) {
		CLEANUP(query_cleanup) struct query *query = NULL;

		TRY(query_prepare(db, sql, &sql, &query));
		if (!query || !query_nr_columns(query))
			continue;
		TRY(library_bind(query, values));
		/* Tables are told apart by a blank line; so are CSV files in a row. */
		if (gap && format != VIEW_JSON)
			putchar('\n');
		gap = true;
		TRY(view_query(query, format, stdout, layout));
	}
	return NULL;
}

static struct err *run_named(struct query_db *db, const struct schema_query *named,
			     char *const *values, enum view_format format,
			     const struct view_layout *layout)
{
	CLEANUP(query_cleanup) struct query *query = NULL;

	TRY(library_prepare(db, named, values, &query));
	return view_query(query, format, stdout, layout);
}

static bool is_name(const char *word)
{
	return word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static struct err *run_words(struct query_db *db, char **words, enum view_format format,
			     const struct view_layout *layout)
{
	const struct schema_query *named = library_find(words[0]);

	if (named)
		return run_named(db, named, words + 1, format, layout);
	if (is_name(words[0]))
		return err_new(ERR_USAGE,
			       "%s: no such query; --list names them, and a view is read by "
			       "SELECT * FROM it",
			       words[0]);
	return run_all(db, words[0], words + 1, format, layout);
}

/* A recording or a database where a query belongs. */
static bool is_file(const char *word)
{
	struct stat st;

	return !library_find(word) && !stat(word, &st);
}

static struct err *sql_run(const void *p, char **words, int *status)
{
	const struct sql_args *args = p;
	const struct view_layout layout = { .width = progress_columns(STDOUT_FILENO) };
	enum view_format format;
	auto_free char *text = NULL;
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	(void)status;
	if (!view_format_find(args->format, &format))
		return err_new(ERR_USAGE,
			       "sql: --format %s: no such format; there are " VIEW_FORMATS,
			       args->format);
	if (args->list && words[0])
		return err_new(ERR_USAGE, "sql: --list goes with no query");
	if (args->list) {
		shell_list(stdout);
		return NULL;
	}
	if (words[0] && is_file(words[0]))
		return err_new(ERR_USAGE, "sql: %s: name the input with -i, and a query",
			       words[0]);
	TRY(database_open(&args->database, &db));
	if (functions_register_all(query_db_handle(db)))
		return err_new(ERR_OS, "sql: no memory for the functions");
	if (words[0])
		return err_wrap(run_words(db, words, format, &layout), "sql");
	if (isatty(STDIN_FILENO))
		return err_wrap(shell_run(db, format), "sql");
	TRY(read_stdin(&text));
	return err_wrap(run_all(db, text, words, format, &layout), "sql");
}

const struct cmd cmd_sql = {
	.name = "sql",
	.summary = "Query a database, read-only",
	.usage = "[-i DB] [--format table|csv|json|markdown] [--list]\n"
		 "                     [QUERY|NAME] [PARAMETER=VALUE...]",
	.opts = sql_opts,
	.args_size = sizeof(struct sql_args),
	.defaults = &(const struct sql_args){ .format = "table" },
	.run = sql_run,
};
