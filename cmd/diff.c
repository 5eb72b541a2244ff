// SPDX-License-Identifier: GPL-2.0-or-later
/* diff.c - allocprof diff: what changed between two sides */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "import.h"
#include "progress.h"
#include "store/sites.h"
#include "view/diff.h"

#define ROWS_BY_DEFAULT UINT64_MAX
enum { ROWS_ON_TERMINAL = 30 };

/* As diff(1) has them. */
enum { SAME, DIFFERENT, TROUBLE };

struct diff_args {
	struct database_args database;
	const char *metric, *per, *kinds, *format, *fail_over;
	uint64_t limit;
	bool all, self;
};

static const struct opt diff_cmd_opts[] = {
	{ 'm', "metric", "FIGURE", OPT_TEXT(struct diff_args, metric),
	  "bytes (default): what lives at the end; calls,\n"
	  "alloc_bytes, allocs, frees, peak, waste, failures" },
	{ 0, "per", "UNIT", OPT_TEXT(struct diff_args, per),
	  "divide by: second, GB (10^9 bytes allocated), or the\n"
	  "number that an SQL query gives" },
	{ 0, "kind", "KIND,...", OPT_TEXT(struct diff_args, kinds),
	  "slab, page, percpu, vmalloc, any; default all" },
	{ 'n', "rows", "N", OPT_NUMBER(struct diff_args, limit),
	  "print the N largest changes, 0 for all; default: 30\nin a table on a terminal, else all" },
	{ 'f', "format", "FORMAT", OPT_TEXT(struct diff_args, format),
	  "table (default), csv, json or markdown" },
	{ 'a', "all", NULL, OPT_FLAG(struct diff_args, all),
	  "also what did not change, or within the noise" },
	{ 0, "self", NULL, OPT_FLAG(struct diff_args, self),
	  "with what the recorder allocated itself" },
	{ 0, "fail-over", "LIMIT", OPT_TEXT(struct diff_args, fail_over),
	  "exit with 1 only if a call site or a kind grew by\n"
	  "more: 64K, or 5% of what its kind had" },
	DATABASE_OPTS(struct diff_args, database),
	{}
};

struct inputs {
	struct query_db **db;
	char **word;
	size_t nr;
};

static void inputs_deinit(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->nr; i++)
		query_db_close(inputs->db[i]);
	free(inputs->db);
	inputs->nr = 0;
}

/* A snapshot becomes a database that has no name any more when this returns. */
static struct err *open_snapshot(const char *path, struct query_db **ret)
{
	const char *tmp = getenv("TMPDIR");
	auto_free char *dir = xasprintf("%s/allocprof-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!mkdtemp(dir))
		return err_os(errno, "%s", dir);
	auto_free char *db = xasprintf("%s/db", dir);
	const struct import_opts opts = { .inputs = &path, .nr_inputs = 1, .output = db };
	struct import_result result;
	struct err *err = import(&opts, &result);

	if (!err)
		err = query_db_open(db, ret);
	unlink(db);
	rmdir(dir);
	return err;
}

static struct err *open_input(const struct diff_args *args, const char *path,
			      struct query_db **ret)
{
	struct database_args input = args->database;
	enum import_type type = IMPORT_UNKNOWN;

	/* What cannot be read is said by who opens it for good. */
	err_free(import_find_type(path, &type));
	if (type == IMPORT_ALLOCINFO)
		return open_snapshot(path, ret);
	input.input = path;
	return database_open(&input, ret);
}

static struct err *open_inputs(const struct diff_args *args, struct inputs *inputs,
			       char **words, size_t nr)
{
	inputs->word = words;
	inputs->db = xcalloc(nr + 1, sizeof(*inputs->db));
	for (; inputs->nr < nr; inputs->nr++)
		TRY(open_input(args, words[inputs->nr], &inputs->db[inputs->nr]));
	return NULL;
}

/* OLD NEW, or OLD... : NEW... */
static struct err *split(char **words, size_t *ret_old, char ***ret_new, size_t *ret_nr_new)
{
	size_t nr = 0, colon = 0, nr_colons = 0;

	for (; words[nr]; nr++) {
		if (strcmp(words[nr], ":") != 0)
			continue;
		colon = nr;
		nr_colons++;
	}
	bool sides = nr_colons == 1 && colon && colon + 1 < nr;

	if (!sides && (nr != 2 || nr_colons))
		return err_new(ERR_USAGE, "name OLD and NEW, or OLD... : NEW...");
	*ret_old = sides ? colon : 1;
	*ret_new = words + (sides ? colon + 1 : 1);
	*ret_nr_new = sides ? nr - colon - 1 : 1;
	return NULL;
}

static struct err *look(const struct inputs *inputs, size_t *ret_recordings, bool *ret_any)
{
	*ret_recordings = 0;
	for (size_t i = 0; i < inputs->nr; i++) {
		size_t nr = 0;
		bool any = false;

		TRY(err_wrap(side_look(inputs->db[i], &nr, &any), "%s", inputs->word[i]));
		*ret_recordings += nr;
		*ret_any |= any;
	}
	return NULL;
}

static struct err *add(struct side *side, const struct inputs *inputs,
		       const struct side_opts *opts)
{
	for (size_t i = 0; i < inputs->nr; i++)
		TRY(side_add(side, inputs->db[i], inputs->word[i], opts));
	return NULL;
}

struct limit {
	double value;
	bool percent;
};

static struct err *parse_limit(const char *text, struct limit *ret)
{
	static const char units[] = "KMGT";
	char *end;
	double v = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;

	ret->percent = *end == '%';
	if (unit)
		for (const char *u = units; u <= unit; u++)
			v *= 1024;
	if (end == text || !(v >= 0) || (*end && end[1]) || (*end && !unit && !ret->percent))
		return err_new(ERR_USAGE,
			       "diff: --fail-over %s: neither a size such as 64K nor a "
			       "share such as 5%%",
			       text);
	ret->value = v;
	return NULL;
}

static struct err *parse_per(const char *text, struct side_opts *opts)
{
	if (!text)
		return NULL;
	opts->per = !strcmp(text, "second") ? PER_SECOND
		    : !strcmp(text, "GB")   ? PER_GB
					    : PER_SQL;
	opts->per_sql = text;
	if (opts->per == PER_SQL && !strchr(text, ' '))
		return err_new(ERR_USAGE, "diff: --per %s: neither second, GB nor a query",
			       text);
	return NULL;
}

static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

/* Whether it is to fail, which it says on stderr. */
static bool over(const struct changes *changes, const struct limit *limit, const char *text)
{
	size_t nr = 0, totals = 0;

	for (size_t i = 0; i < changes->nr; i++)
		nr += changes_exceed(changes, &changes->change[i], limit->value,
				     limit->percent);
	for (size_t i = 0; i < changes->nr_totals; i++)
		totals += changes_exceed(changes, &changes->total[i].sum, limit->value,
					 limit->percent);
	if (nr || totals)
		fprintf(stderr,
			"allocprof diff: grew by more than %s: %zu call site%s, %zu kind%s in "
			"total\n",
			text, nr, nr == 1 ? "" : "s", totals, totals == 1 ? "" : "s");
	return nr || totals;
}

static struct err *run(const struct diff_args *args, char **words, enum view_format format,
		       struct side_opts *opts, const struct limit *limit, int *status)
{
	CLEANUP(inputs_deinit) struct inputs old_inputs = {};
	CLEANUP(inputs_deinit) struct inputs new_inputs = {};
	CLEANUP(strings_deinit) struct strings strings = {};
	CLEANUP(side_deinit) struct side old = {};
	CLEANUP(side_deinit) struct side new = {};
	CLEANUP(pairing_deinit) struct pairing pairing = {};
	CLEANUP(changes_deinit) struct changes changes = {};
	size_t nr_old = 0, nr_new = 0, old_runs = 0, new_runs = 0;
	char **new_words = NULL;

	TRY(split(words, &nr_old, &new_words, &nr_new));
	TRY(open_inputs(args, &old_inputs, words, nr_old));
	TRY(open_inputs(args, &new_inputs, new_words, nr_new));
	TRY(look(&old_inputs, &old_runs, &opts->any_kind));
	TRY(look(&new_inputs, &new_runs, &opts->any_kind));
	side_init(&old, &strings, old_runs);
	side_init(&new, &strings, new_runs);
	TRY(add(&old, &old_inputs, opts));
	TRY(add(&new, &new_inputs, opts));
	pairing_init(&pairing, &old, &new);
	changes_init(&changes, &old, &new, &pairing);

	bool table = format == VIEW_TABLE, terminal = isatty(STDOUT_FILENO);
	const struct view_layout layout = { terminal, progress_columns(STDOUT_FILENO) };
	const struct diff_opts view = {
		.metric = args->metric,
		.per = args->per,
		.bytes = in_list("bytes alloc_bytes peak waste", args->metric),
		.all = args->all,
		.any_kind = opts->any_kind,
		.limit = args->limit != ROWS_BY_DEFAULT ? args->limit
			 : table && terminal		? ROWS_ON_TERMINAL
							: 0,
	};

	diff_print(&changes, &old, &new, &view, format, stdout, &layout);
	fflush(stdout);
	*status = changes.nr_significant ? DIFFERENT : SAME;
	if (args->fail_over)
		*status = over(&changes, limit, args->fail_over) ? DIFFERENT : SAME;
	return NULL;
}

static struct err *diff_run(const void *p, char **words, int *status)
{
	static const char metrics[] =
		"bytes calls alloc_bytes allocs frees peak waste failures";
	const struct diff_args *args = p;
	struct side_opts opts = {
		.metric = args->metric,
		.kinds = args->kinds,
		.self = args->self,
	};
	const struct sites_opts check = { .kinds = args->kinds };
	enum view_format format = VIEW_TABLE;
	struct limit limit = {};

	*status = TROUBLE;
	TRY(err_wrap(sites_check(&check), "diff"));
	if (!in_list(metrics, args->metric))
		return err_new(ERR_USAGE, "diff: --metric %s: no such figure; there are %s",
			       args->metric, metrics);
	if (!view_format_find(args->format, &format))
		return err_new(ERR_USAGE,
			       "diff: --format %s: no such format; there are " VIEW_FORMATS,
			       args->format);
	TRY(parse_per(args->per, &opts));
	if (args->fail_over)
		TRY(parse_limit(args->fail_over, &limit));
	return err_wrap(run(args, words, format, &opts, &limit, status), "diff");
}

const struct cmd cmd_diff = {
	.name = "diff",
	.summary = "Say which call sites changed from one recording to another",
	.usage = "[OPTION...] OLD NEW | OLD... : NEW...",
	.opts = diff_cmd_opts,
	.args_size = sizeof(struct diff_args),
	.defaults =
		&(const struct diff_args){
			.metric = "bytes",
			.kinds = SITES_ALL_KINDS,
			.format = "table",
			.limit = ROWS_BY_DEFAULT,
		},
	.run = diff_run,
};
