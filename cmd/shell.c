// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell.h"

#include <editline/readline.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "progress.h"
#include "store/library.h"

enum { HISTORY_LINES = 1000 };

struct shell {
	struct query_db *db;
	enum view_format format;
	bool done;
};

static char *const no_values[] = { NULL };

void shell_list(FILE *out)
{
	for (const struct schema_query *q = schema_queries; q->name; q++) {
		struct library_param param;
		size_t len;
		const char *summary = library_summary(q, &len);

		fprintf(out, "%-14s %.*s\n", q->name, (int)len, summary);
		for (size_t i = 0; library_param(q, i, &param); i++)
			fprintf(out, "%-16s%.*s=%.*s  %.*s\n", "", (int)param.name_len,
				param.name, (int)param.value_len, param.value,
				(int)param.meaning_len, param.meaning);
	}
}

/* Where lines are kept: NULL without a home. Makes the folders. */
static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	auto_free char *base = NULL;

	if (state && *state == '/')
		base = xstrdup(state);
	else if (home && *home == '/')
		base = xasprintf("%s/.local/state", home);
	else
		return NULL;
	auto_free char *dir = xasprintf("%s/allocprof", base);

	for (char *slash = dir + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(dir, 0700);
		*slash = '/';
	}
	mkdir(dir, 0700);
	return xasprintf("%s/history", dir);
}

/* What the completion reads: libedit gives its callback no argument. */
static struct query_db *completing;

/* The next name that begins with @text; owned by the caller. */
static char *complete_name(const char *text, int state)
{
	static struct query *query;
	const struct cell *row = NULL;

	if (!state) {
		auto_err struct err *err = query_prepare(
			completing,
			"SELECT name FROM sqlite_schema WHERE type = 'view' "
			"AND substr(name, 1, length(:text)) = :text "
			"UNION SELECT c.name FROM sqlite_schema v, pragma_table_info(v.name) c "
			"WHERE v.type = 'view' AND substr(c.name, 1, length(:text)) = :text",
			NULL, &query);

		if (err)
			return NULL;
		query_bind_text(query, ":text", text);
	}
	auto_err struct err *err = query_next(query, &row);

	if (!err && row)
		return xstrdup(row[0].text);
	query_free(take_ptr(query));
	return NULL;
}

static void run_sql(struct shell *shell, const char *sql, char *const *values)
{
	const struct view_layout layout = { .width = progress_columns(STDOUT_FILENO) };
	struct err *err = NULL;

	while (!err && *sql) {
		CLEANUP(query_cleanup) struct query *query = NULL;

		err = query_prepare(shell->db, sql, &sql, &query);
		if (err || !query || !query_nr_columns(query))
			continue;
		err = library_bind(query, values);
		if (!err)
			err = view_query(query, shell->format, stdout, &layout);
	}
	fflush(stdout);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	err_free(err);
}

/* NAME [PARAMETER=VALUE…] without a semicolon, as on the command line. */
static bool run_named(struct shell *shell, char *line)
{
	const struct view_layout layout = { .width = progress_columns(STDOUT_FILENO) };
	CLEANUP(query_cleanup) struct query *query = NULL;
	char *words[32] = {}, *save = NULL;
	size_t nr = 0;
	auto_free char *copy = xstrdup(line);

	for (char *w = strtok_r(copy, " \t", &save); w && nr < 31;
	     w = strtok_r(NULL, " \t", &save))
		words[nr++] = w;
	const struct schema_query *named = nr ? library_find(words[0]) : NULL;

	if (!named)
		return false;
	auto_err struct err *err = library_prepare(shell->db, named, words + 1, &query);

	if (!err)
		err = view_query(query, shell->format, stdout, &layout);
	fflush(stdout);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	return true;
}

static void print_help(void)
{
	puts("A query ends with a semicolon; the name of a query of the library needs none.\n"
	     "  .list            the named queries and their parameters\n"
	     "  .tables          the views\n"
	     "  .schema [VIEW]   the columns of a view, or of all\n"
	     "  .mode FORMAT     table, csv or json\n"
	     "  .help, .quit     this, and the end (also Ctrl-D)");
}

static void run_dot(struct shell *shell, char *line)
{
	char *save = NULL, *word = strtok_r(line, " \t", &save);
	char *arg = strtok_r(NULL, " \t", &save);

	if (!strcmp(word, ".quit") || !strcmp(word, ".exit")) {
		shell->done = true;
	} else if (!strcmp(word, ".help")) {
		print_help();
	} else if (!strcmp(word, ".list")) {
		shell_list(stdout);
	} else if (!strcmp(word, ".tables")) {
		run_sql(shell,
			"SELECT name FROM sqlite_schema WHERE type = 'view' "
			"AND substr(name, 1, 1) <> '_' ORDER BY 1",
			no_values);
	} else if (!strcmp(word, ".schema")) {
		static const char sql[] =
			"SELECT v.name AS view, c.name AS column FROM sqlite_schema v, "
			"pragma_table_info(v.name) c WHERE v.type = 'view' "
			"AND substr(v.name, 1, 1) <> '_' "
			"AND v.name LIKE :view ORDER BY v.name, c.cid";
		auto_free char *value = xasprintf("view=%s", arg ? arg : "%");

		run_sql(shell, sql, (char *const[]){ value, NULL });
	} else if (!strcmp(word, ".mode") && arg) {
		if (!view_format_find(arg, &shell->format))
			fprintf(stderr, "%s: no such format; there are table, csv, json\n",
				arg);
	} else {
		fprintf(stderr, "%s: no such command; .help lists them\n", word);
	}
}

/* Takes one line; *text collects those of a query that goes on. */
static void take_line(struct shell *shell, char **text, char *line)
{
	size_t len = strlen(line);

	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
	line += strspn(line, " \t");
	if (!*text && (!*line || *line == '.')) {
		if (*line)
			run_dot(shell, line);
		return;
	}
	if (!*text && run_named(shell, line))
		return;
	char *before = *text;

	*text = before ? xasprintf("%s\n%s", before, line) : xstrdup(line);
	free(before);
	if (query_complete(*text)) {
		run_sql(shell, *text, no_values);
		free(take_ptr(*text));
	}
}

static struct query_db *interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	query_db_interrupt(interrupted);
}

struct err *shell_run(struct query_db *db, enum view_format format)
{
	struct shell shell = { .db = db, .format = format };
	auto_free char *history = history_path();
	auto_free char *text = NULL;

	interrupted = completing = db;
	signal(SIGINT, on_interrupt);
	rl_readline_name = "allocprof";
	rl_completion_entry_function = complete_name;
	using_history();
	stifle_history(HISTORY_LINES);
	if (history)
		read_history(history);
	puts("Views: .tables; named queries: .list; help: .help; end: Ctrl-D.");
	while (!shell.done) {
		auto_free char *line = readline(text ? "      ...> " : "allocprof> ");

		if (!line)
			break;
		if (line[strspn(line, " \t")])
			add_history(line);
		take_line(&shell, &text, line);
	}
	if (!shell.done)
		putchar('\n');
	if (history)
		write_history(history);
	return NULL;
}
