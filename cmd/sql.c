// SPDX-License-Identifier: GPL-2.0-or-later
/* sql.c - allocprof sql: queries, read-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "progress.h"
#include "view/view.h"

struct sql_args {
	struct database_args database;
	const char *format;
};

static const struct opt sql_opts[] = {
	{ 'i', "input", "DB", OPT_TEXT(struct sql_args, database.input),
	  "a database, or a recording, which is analyzed\nfirst; default allocprof.dat" },
	{ 'f', "format", "FORMAT", OPT_TEXT(struct sql_args, format),
	  "table (default), csv or json" },
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

static struct err *run_all(struct query_db *db, const char *sql, enum view_format format)
{
	const struct view_layout layout = { .width = progress_columns(STDOUT_FILENO) };
	bool gap = false;

	while (*sql) {
		CLEANUP(query_cleanup) struct query *query = NULL;

		TRY(query_prepare(db, sql, &sql, &query));
		if (!query || !query_nr_columns(query))
			continue;
		/* Tables are told apart by a blank line; so are CSV files in a row. */
		if (gap && format != VIEW_JSON)
			putchar('\n');
		gap = true;
		TRY(view_query(query, format, stdout, &layout));
	}
	return NULL;
}

static struct err *sql_run(const void *p, char **words, int *status)
{
	const struct sql_args *args = p;
	enum view_format format;
	auto_free char *text = NULL;
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	(void)status;
	if (words[0] && words[1])
		return err_new(ERR_USAGE, "sql: %s: one query, in quotes", words[1]);
	if (!view_format_find(args->format, &format))
		return err_new(ERR_USAGE,
			       "sql: --format %s: no such format; there are table, csv, "
			       "json",
			       args->format);
	TRY(database_open(&args->database, &db));
	if (!words[0])
		TRY(read_stdin(&text));
	return err_wrap(run_all(db, text ? text : words[0], format), "sql");
}

const struct cmd cmd_sql = {
	.name = "sql",
	.summary = "Query a database, read-only",
	.usage = "[-i DB] [--format table|csv|json] [QUERY]",
	.opts = sql_opts,
	.args_size = sizeof(struct sql_args),
	.defaults = &(const struct sql_args){ .format = "table" },
	.run = sql_run,
};
