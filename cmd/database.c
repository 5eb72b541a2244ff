// SPDX-License-Identifier: GPL-2.0-or-later
#include "database.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <math.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze.h"
#include "base/xalloc.h"
#include "decode/partdir.h"
#include "progress.h"
#include "resolve/cache.h"
#include "store/newfile.h"
#include "store/origin.h"
#include "store/schema.h"

#define DEFAULT_RECORDING "allocprof.dat"

char *database_path(const char *recording)
{
	static const char part[] = ".part";
	size_t len = strlen(recording);

	/* The database of FILE.part/ is that of FILE. */
	while (len && recording[len - 1] == '/')
		len--;
	if (len > strlen(part) &&
	    !strncmp(recording + len - strlen(part), part, strlen(part)) &&
	    partdir_is(recording))
		len -= strlen(part);
	if (len > 4 && !strncmp(recording + len - 4, ".dat", 4))
		len -= 4;
	return xasprintf("%.*s.db", (int)len, recording);
}

/*
 * Whether to ask servers, and which: those of DEBUGINFOD_URLS; where that is not
 * set, only if @wanted, those of /etc/debuginfod, else the one that asks all others.
 */
static bool ask_debuginfod(bool wanted)
{
	const char *set = getenv("DEBUGINFOD_URLS");
	auto_free char *urls = xstrdup("");
	glob_t found;

	if ((set && *set) || !wanted)
		return set && *set;
	if (!glob("/etc/debuginfod/*.urls", 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			auto_file FILE *file = fopen(found.gl_pathv[i], "r");
			char line[1024];

			while (file && fgets(line, sizeof(line), file)) {
				char *longer = xasprintf("%s%s%.*s", urls, *urls ? " " : "",
							 (int)strcspn(line, "#\n"), line);

				free(urls);
				urls = longer;
			}
		}
		globfree(&found);
	}
	return !setenv("DEBUGINFOD_URLS",
		       urls[strspn(urls, " ")] ? urls : "https://debuginfod.elfutils.org/", 1);
}

/* "1.5", "90s", "2m", "1h"; behind a "-" from the end. */
static struct err *parse_time(const char *name, const char *text, struct window_time *ret)
{
	char *end;

	if (!text)
		return NULL;
	ret->from_end = *text == '-';

	const char *digits = text + ret->from_end;
	double seconds = strtod(digits, &end);

	if (!isdigit((unsigned char)digits[*digits == '.']) ||
	    end != digits + strspn(digits, "0123456789."))
		end = (char *)digits;
	if (*end == 's' || *end == 'm' || *end == 'h') {
		seconds *= *end == 's' ? 1 : *end == 'm' ? 60 : 3600;
		end++;
	}
	if (end == digits || *end || !(seconds < 0x1p33))
		return err_new(ERR_USAGE,
			       "--%s %s: not a time such as 10, 0.5, 5m, or -10 from the end",
			       name, text);
	ret->given = true;
	ret->ns = (uint64_t)llround(seconds * 1e9);
	return NULL;
}

/* One that was named and is not there is a slip of the keyboard. */
struct err *database_check_dirs(const struct opt_list *dirs)
{
	struct stat st;

	for (size_t i = 0; i < dirs->nr; i++) {
		if (stat(dirs->item[i], &st))
			return err_os(errno, "--debug-dir %s", dirs->item[i]);
		if (!S_ISDIR(st.st_mode))
			return err_new(ERR_OS, "--debug-dir %s: is not a directory",
				       dirs->item[i]);
	}
	return NULL;
}

struct err *database_check(const struct database_args *args)
{
	struct window_time time;

	TRY(database_check_dirs(&args->debug_dirs));

	TRY(parse_time("from", args->from, &time));
	return parse_time("to", args->to, &time);
}

void database_analyze_opts(const struct database_args *args, const char *input,
			   const char *cache_dir, struct analyze_opts *ret)
{
	*ret = (struct analyze_opts){
		.input = input,
		.vmlinux = args->vmlinux,
		.kallsyms = args->kallsyms,
		.wrappers = args->wrappers,
		.cache_dir = cache_dir,
		.debug_dirs = args->debug_dirs.item,
		.debuginfod = ask_debuginfod(args->debuginfod),
		.memory_limit = args->memory_limit,
		.threads = args->threads < UINT_MAX ? (unsigned int)args->threads : UINT_MAX,
	};
}

/* @shown: what the line on stderr is of, and @more its end. */
static struct err *make(const struct database_args *args, const char *recording,
			const char *origin, const char *output, const char *shown,
			const char *more)
{
	TRY(database_check(args));
	struct progress progress = {};
	struct analyze_result result = {};
	uint64_t start_ns = progress_now_ns();
	auto_free char *input = partdir_find(recording);
	auto_free char *cache_dir = args->no_cache ? NULL : cache_default_dir();
	struct analyze_opts opts;

	database_analyze_opts(args, input, cache_dir, &opts);
	opts.output = output;
	TRY(parse_time("from", args->from, &opts.from));
	TRY(parse_time("to", args->to, &opts.to));
	opts.origin = origin;
	opts.progress = progress_show;
	opts.progress_arg = &progress;
	struct err *err = analyze(&opts, &result);

	progress_end(&progress);
	if (err)
		return err;
	fprintf(stderr, "%s: %" PRIu64 " events, %" PRIu64 " call site%s, %.2f s%s\n", shown,
		result.events, result.sites, result.sites == 1 ? "" : "s",
		1e-9 * (double)(progress_now_ns() - start_ns), more);
	return NULL;
}

struct err *database_make_of(const struct database_args *args, const char *recording,
			     const char *origin, const char *output)
{
	return make(args, recording, origin, output,
		    args->from || args->to ? recording : output, "");
}

struct err *database_make(const struct database_args *args, const char *recording,
			  const char *output)
{
	return database_make_of(args, recording, NULL, output);
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* The recording that a database was made of. */
static struct err *recording_of(const char *path, char **ret)
{
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_db_open(path, &db));
	TRY(query_prepare(db, schema_query("origin"), NULL, &query));
	TRY(query_next(query, &row));
	const struct cell *cell = row ? &row[query_find_column(query, "input")] : NULL;

	if (cell && cell->type == CELL_TEXT)
		*ret = xstrdup(cell->text);
	if (row)
		TRY(query_next(query, &row));
	if (row || !*ret || !exists(*ret))
		return err_new(
			ERR_USAGE,
			"%s: --from and --to want the recording, which is not there: name "
			"it with -i",
			path);
	return NULL;
}

struct err *database_default(void)
{
	auto_free char *found = partdir_find(DEFAULT_RECORDING);

	if (exists(found))
		return NULL;
	return err_new(ERR_OS,
		       DEFAULT_RECORDING ": there is none here; make one with 'allocprof "
					 "record', or name one with -i");
}

/* A database that nobody else sees, gone when it is closed. */
static struct err *open_unnamed(const struct database_args *args, const char *recording,
				const char *more, struct query_db **ret)
{
	const char *dir = getenv("TMPDIR");
	auto_free char *path = xasprintf("%s/allocprof-XXXXXX", dir && *dir ? dir : "/tmp");
	auto_fd int fd = mkstemp(path);

	if (fd < 0)
		return err_os(errno, "%s", path);
	struct err *err = make(args, recording, NULL, path, recording, more);

	if (!err)
		err = query_db_open(path, ret);
	/* What is open stays until it is closed. */
	unlink(path);
	return err;
}

static struct err *open_window(const struct database_args *args, const char *input, bool is_db,
			       struct query_db **ret)
{
	auto_free char *recording = NULL;

	TRY(database_check(args));
	if (is_db)
		TRY(recording_of(input, &recording));
	return open_unnamed(args, is_db ? recording : input, "", ret);
}

struct err *database_open(const struct database_args *args, struct query_db **ret)
{
	auto_free char *default_db = database_path(DEFAULT_RECORDING);
	const char *input = args->input;
	bool is_db = false;

	if (!input)
		input = exists(DEFAULT_RECORDING) || !exists(default_db) ? DEFAULT_RECORDING
									 : default_db;
	auto_free char *found = partdir_find(input);

	input = found;
	if (!args->input && !exists(input))
		return database_default();
	if (!partdir_is(input))
		TRY(query_is_db(input, &is_db));
	if (args->from || args->to)
		return open_window(args, input, is_db, ret);
	if (is_db)
		return query_db_open(input, ret);

	auto_free char *path = database_path(input);
	CLEANUP(origin_deinit) struct origin origin = {};

	TRY(origin_init(&origin, input, args->vmlinux, args->kallsyms, args->wrappers,
			args->debug_dirs.item));
	if (origin_matches(&origin, path))
		return query_db_open(path, ret);

	if (exists(path) && origin_is_orphan(path))
		return err_new(
			ERR_OS,
			"%s is not of %s: it holds what was analyzed while it was recorded; "
			"name one of them with -i",
			path, input);

	auto_err struct err *unwritable = newfile_check(path);

	if (unwritable) {
		auto_free char *why =
			xasprintf("; not kept: %s; analyze -o takes another place",
				  err_text(unwritable));

		return open_unnamed(args, input, why, ret);
	}
	TRY(database_make(args, input, path));
	return query_db_open(path, ret);
}
