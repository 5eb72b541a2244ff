// SPDX-License-Identifier: GPL-2.0-or-later
#include "database.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze.h"
#include "base/xalloc.h"
#include "decode/partdir.h"
#include "progress.h"
#include "resolve/cache.h"
#include "store/origin.h"

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
		.threads = args->threads < UINT_MAX ? (unsigned int)args->threads : UINT_MAX,
	};
}

struct err *database_make(const struct database_args *args, const char *recording,
			  const char *output)
{
	struct progress progress = {};
	struct analyze_result result = {};
	uint64_t start_ns = progress_now_ns();
	auto_free char *input = partdir_find(recording);
	auto_free char *cache_dir = args->no_cache ? NULL : cache_default_dir();
	struct analyze_opts opts;

	database_analyze_opts(args, input, cache_dir, &opts);
	opts.output = output;
	opts.progress = progress_show;
	opts.progress_arg = &progress;
	struct err *err = analyze(&opts, &result);

	progress_end(&progress);
	if (err)
		return err;
	fprintf(stderr, "%s: %" PRIu64 " events, %" PRIu64 " call sites, %.2f s\n", output,
		result.events, result.sites, 1e-9 * (double)(progress_now_ns() - start_ns));
	return NULL;
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
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
		return err_new(ERR_OS,
			       DEFAULT_RECORDING ": there is none here; make one with "
						 "'allocprof record', or name one with -i");
	if (!partdir_is(input))
		TRY(query_is_db(input, &is_db));
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

	auto_err struct err *unwritable = writer_check(path);

	if (unwritable)
		return err_new(err_kind(unwritable), "%s; analyze -o takes another place",
			       err_text(unwritable));
	TRY(database_make(args, input, path));
	return query_db_open(path, ret);
}
