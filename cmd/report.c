// SPDX-License-Identifier: GPL-2.0-or-later
/* report.c - allocprof report: memory per call site */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "progress.h"
#include "view/allocinfo.h"
#include "view/answer.h"
#include "view/callers.h"
#include "view/reconcile.h"
#include "view/report.h"

enum { ROWS_ON_TERMINAL = 30 };
#define ROWS_BY_DEFAULT UINT64_MAX

struct report_args {
	struct database_args database;
	const char *sort, *kinds, *format;
	uint64_t limit;
	const char *by, *callers;
	bool tree;
	bool self, no_self, reconcile;
	const char *filter, *at;
	bool growth, lifetimes, waste;
};

static const struct opt report_opts[] = {
	{ 'i', "input", "FILE", OPT_TEXT(struct report_args, database.input),
	  "a recording, which is analyzed first, or a\ndatabase; default allocprof.dat" },
	{ 's', "sort", "KEY,...", OPT_TEXT(struct report_args, sort),
	  "bytes (default), calls, alloc_bytes, allocs, frees,\n"
	  "peak, req, waste, failures, inferred, unknown,\n"
	  "uncertain, first, last, kind, file, func, module" },
	{ 'n', "rows", "N", OPT_NUMBER(struct report_args, limit),
	  "print the first N call sites, 0 for all; default:\n30 in a table on a terminal, else all" },
	{ 0, "kind", "KIND,...", OPT_TEXT(struct report_args, kinds),
	  "slab, page, percpu, vmalloc, any (from\n/proc/allocinfo); default all" },
	{ 'f', "format", "FORMAT", OPT_TEXT(struct report_args, format),
	  "table (default), csv, json, markdown, or allocinfo\nfor lines as in /proc/allocinfo" },
	{ 0, "by", "GROUP", OPT_TEXT(struct report_args, by),
	  "a row for each site (default), function, file,\n"
	  "directory, module, cache, kind, recording, host, or\n"
	  "caller N: who called, N frames out (default 1);\n"
	  "by who allocated: pid, tgid, comm, cgroup, cpu, node,\n"
	  "context, gfp, order, migratetype; or free: who freed" },
	{ 0, "for", "KEY=VALUE,...", OPT_TEXT(struct report_args, filter),
	  "only what was allocated so: pid, tgid, comm, cgroup,\n"
	  "cpu, node, context, gfp, order, migratetype, cache,\n"
	  "file, func, module, recording, host" },
	{ 0, "growth", NULL, OPT_FLAG(struct report_args, growth),
	  "what grows, steepest and steadiest first" },
	{ 0, "lifetimes", NULL, OPT_FLAG(struct report_args, lifetimes),
	  "how long objects live" },
	{ 0, "waste", NULL, OPT_FLAG(struct report_args, waste),
	  "what is allocated and not asked for, freed from\nelsewhere, or refused" },
	{ 0, "at", "TIME|peak", OPT_TEXT(struct report_args, at),
	  "what was live then: seconds since the start, or\n-SECONDS from the end, or the peak of each kind" },
	{ 0, "callers", "SITE", OPT_TEXT(struct report_args, callers),
	  "who called this site: a function, file or file:line" },
	{ 0, "tree", NULL, OPT_FLAG(struct report_args, tree),
	  "print below each call site who called it" },
	{ 0, "self", NULL, OPT_FLAG(struct report_args, self),
	  "show what the recorder allocated itself, too" },
	{ 0, "no-self", NULL, OPT_FLAG(struct report_args, no_self),
	  "leave it out, which is the default" },
	{ 0, "reconcile", NULL, OPT_FLAG(struct report_args, reconcile),
	  "compare with what the kernel counted meanwhile" },
	DATABASE_WINDOW_OPTS(struct report_args, database),
	DATABASE_OPTS(struct report_args, database),
	{}
};

static struct err *print_rows(struct query_db *db, const struct sites_opts *opts,
			      enum view_format format, const struct view_layout *layout)
{
	CLEANUP(query_cleanup) struct query *query = NULL;

	TRY(sites_query(db, opts, &query));
	return view_query(query, format, stdout, layout);
}

static struct err *print_allocinfo(struct query_db *db, const struct sites_opts *opts)
{
	CLEANUP(query_cleanup) struct query *query = NULL;

	TRY(sites_query_allocinfo(db, opts, &query));
	return allocinfo_print(query, stdout);
}

/*
 * "--by caller 2" is an option and a word; "caller:2" is one. A word behind any
 * other group is a mistake that the caller reports.
 */
static struct err *parse_by(const struct report_args *args, char ***words, char **ret_by,
			    uint64_t *ret_depth)
{
	size_t len = strcspn(args->by, ": ");
	const char *number = args->by[len] ? args->by + len + 1 : NULL;
	char *end;

	*ret_by = xstrndup(args->by, len);
	if (!strcmp(*ret_by, "caller") && !number && **words)
		number = *(*words)++;
	if (!number)
		return NULL;
	errno = 0;
	*ret_depth = strtoull(number, &end, 10);
	if (strcmp(*ret_by, "caller") || *number < '1' || *number > '9' || *end || errno ||
	    *ret_depth > CALLERS_DEPTH)
		return err_new(ERR_USAGE,
			       "report: --by %s %s: give caller and a number from 1 to %d",
			       *ret_by, number, CALLERS_DEPTH);
	return NULL;
}

/* Seconds, with a sign where they count from the end; or "peak". */
static struct err *check_at(const char *at)
{
	const char *digits = at + (*at == '-');

	if (!strcmp(at, "peak") ||
	    (*digits >= '0' && *digits <= '9' && !digits[strspn(digits, "0123456789.")]))
		return NULL;
	return err_new(ERR_USAGE,
		       "report: --at %s: give peak, or seconds such as 1.5 or -10 from the end",
		       at);
}

/* That there was a recording then. What is printed of its length is rounded. */
static struct err *check_at_in(struct query_db *db, const char *at)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	if (!strcmp(at, "peak"))
		return NULL;
	TRY(query_prepare(db, "SELECT max(duration_s) FROM recording", NULL, &query));
	TRY(query_next(query, &row));
	double seconds = row && row[0].type == CELL_REAL ? row[0].real : 0;

	if (seconds <= 0 || fabs(atof(at)) <= seconds + 0.01)
		return NULL;
	return err_new(ERR_USAGE, "report: --at %s: the recording lasts from 0 to %.3f s", at,
		       seconds);
}

/* Which answer is asked for; *ret_any is false for the plain report. */
static struct err *choose_answer(const struct report_args *args, const char *by, bool *ret_any,
				 enum answer *ret)
{
	const struct {
		bool wanted;
		enum answer answer;
	} choice[] = {
		{ args->growth, ANSWER_GROWTH },       { args->lifetimes, ANSWER_LIFETIMES },
		{ args->waste, ANSWER_WASTE },	       { args->at != NULL, ANSWER_AT },
		{ !strcmp(by, "free"), ANSWER_FREED },
	};
	int nr = 0;

	for (size_t i = 0; i < sizeof(choice) / sizeof(*choice); i++) {
		nr += choice[i].wanted;
		if (choice[i].wanted)
			*ret = choice[i].answer;
	}
	*ret_any = nr > 0;
	if (args->at)
		TRY(check_at(args->at));
	if (nr > 1 || (nr && (args->callers || args->tree || args->reconcile ||
			      !strcmp(args->format, "allocinfo") ||
			      (strcmp(by, "site") && strcmp(by, "free")))))
		return err_new(ERR_USAGE,
			       "report: --growth, --lifetimes, --waste, --at and --by free go "
			       "with --kind, --for, -n, --self and all formats but allocinfo, "
			       "and one at a time");
	return NULL;
}

static struct err *report_run(const void *p, char **words, int *status)
{
	const struct report_args *args = p;
	bool allocinfo = !strcmp(args->format, "allocinfo");
	enum view_format format = VIEW_TABLE;

	(void)status;
	auto_free char *by = NULL;
	uint64_t depth = 1;

	TRY(parse_by(args, &words, &by, &depth));
	if (*words)
		return err_new(ERR_USAGE, "report: %s: name the input with -i", *words);
	if (args->self && args->no_self)
		return err_new(ERR_USAGE, "report: --self and --no-self contradict each other");
	if (!allocinfo && !view_format_find(args->format, &format))
		return err_new(ERR_USAGE,
			       "report: --format %s: no such format; there are table, "
			       "csv, json, markdown, allocinfo",
			       args->format);
	bool tree = args->tree || args->callers;
	bool table = !allocinfo && format == VIEW_TABLE, terminal = isatty(STDOUT_FILENO);
	const struct view_layout layout = { terminal, progress_columns(STDOUT_FILENO) };
	CLEANUP(filter_deinit) struct filter filter = {};

	if (args->filter)
		TRY(err_wrap(filter_parse(args->filter, &filter), "report"));
	const struct sites_opts opts = {
		.filter = &filter,
		.kinds = args->kinds,
		.sort = args->sort,
		.limit = args->limit != ROWS_BY_DEFAULT	       ? args->limit
			 : table && terminal && !args->callers ? ROWS_ON_TERMINAL
							       : 0,
		.by = by,
		.depth = depth,
		.self = args->self,
	};
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;

	bool answer_wanted;
	enum answer answer = ANSWER_AT;

	/* A mistake costs no analysis. */
	TRY(err_wrap(sites_check(&opts), "report"));
	TRY(choose_answer(args, by, &answer_wanted, &answer));
	TRY(err_wrap(database_check(&args->database), "report"));
	if (answer_wanted && filter_by_account(&filter))
		return err_new(
			ERR_USAGE,
			"report: --for %s does not go with --growth, --lifetimes, --waste, "
			"--at and --by free, which are kept for each call site: give file, func, "
			"module, cache, recording or host",
			filter_by_account(&filter));
	if (args->filter && (tree || allocinfo || args->reconcile || !strcmp(by, "caller")))
		return err_new(ERR_USAGE,
			       "report: --for does not go with --by caller, --callers, --tree, "
			       "--reconcile and --format allocinfo");
	if ((tree || allocinfo) && sites_grouped(&opts))
		return err_new(ERR_USAGE, "report: --by %s does not go with %s", by,
			       tree ? "--callers and --tree" : "--format allocinfo");
	if (tree && allocinfo)
		return err_new(ERR_USAGE,
			       "report: --callers and --tree do not go with --format "
			       "allocinfo");
	if (args->reconcile && (tree || allocinfo || sites_grouped(&opts)))
		return err_new(ERR_USAGE,
			       "report: --reconcile goes with all formats but allocinfo, and "
			       "with -n only");
	TRY(database_open(&args->database, &db));
	if (args->at)
		TRY(check_at_in(db, args->at));
	if (answer_wanted)
		return answer_print(db, answer, &opts, args->at, format, stdout, &layout);
	if (args->reconcile)
		return reconcile_print(db, opts.limit, format, stdout, &layout);
	if (tree)
		return err_wrap(callers_print(db, &opts, args->callers, format, stdout,
					      &layout),
				"report");
	if (allocinfo)
		return print_allocinfo(db, &opts);
	if (table)
		return report_print(db, &opts, stdout, &layout);
	return print_rows(db, &opts, format, &layout);
}

const struct cmd cmd_report = {
	.name = "report",
	.summary = "Print the memory of each call site",
	.usage =
		"[-i FILE|DB] [--sort KEY[,KEY...]] [-n N] [--kind KIND[,KIND...]]\n"
		"                        [--by GROUP] [--for KEY=VALUE,...] [--callers SITE]\n"
		"                        [--tree] [--growth|--lifetimes|--waste|--at TIME|peak]\n"
		"                        [--from TIME] [--to TIME]\n"
		"                        [--format table|csv|json|markdown|allocinfo]\n"
		"                        [--self|--no-self] [--reconcile]\n"
		"                        [--vmlinux FILE] [--debug-dir DIR]... [--kallsyms FILE]\n"
		"                        [--wrappers FILE] [--debuginfod] [--no-cache]",
	.opts = report_opts,
	.args_size = sizeof(struct report_args),
	.defaults =
		&(const struct report_args){
			.sort = "bytes",
			.kinds = SITES_ALL_KINDS,
			.format = "table",
			.by = "site",
			.limit = ROWS_BY_DEFAULT,
		},
	.run = report_run,
};
