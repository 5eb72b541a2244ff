// SPDX-License-Identifier: GPL-2.0-or-later
/* import.c - allocprof import: files of other programs to a database */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "import.h"
#include "perfimport.h"
#include "store/newfile.h"
#include "store/writer.h"

struct import_args {
	struct database_args database;
	const char *output, *host;
	struct opt_list times;
};

static const struct opt import_opts[] = {
	{ 'o', "output", "DB", OPT_TEXT(struct import_args, output),
	  "the database, replaced when it exists;\ndefault: FILE.db for the first FILE" },
	{ 0, "host", "NAME", OPT_TEXT(struct import_args, host),
	  "name of the machine that they are of" },
	{ 0, "time", "TIME", OPT_LIST(struct import_args, times),
	  "when the snapshot was taken: Unix time, or\n"
	  "YYYY-MM-DD HH:MM:SS in UTC; once for each FILE;\n"
	  "default: when the file was written" },
	DATABASE_OPTS(struct import_args, database),
	{}
};

/* "1700000000.25" */
static bool parse_unix(const char *text, int64_t *ret)
{
	char *end;
	long long s;
	int64_t ns = 0, digit = 100000000;

	errno = 0;
	s = strtoll(text, &end, 10);
	if (end == text || errno || s < 0 || s > INT64_MAX / 1000000000 - 1)
		return false;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, digit /= 10)
			ns += (*end - '0') * digit;
	*ret = (int64_t)s * 1000000000 + ns;
	return !*end;
}

static struct err *parse_time(const char *text, int64_t *ret)
{
	struct tm tm = {};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (parse_unix(text, ret))
		return NULL;
	if (end && (*end == ' ' || *end == 'T'))
		end = strptime(end + 1, "%H:%M:%S", &tm);
	if (!end || (*end && strcmp(end, "Z")))
		return err_new(ERR_USAGE,
			       "import: --time %s: neither seconds since 1970 nor "
			       "YYYY-MM-DD HH:MM:SS",
			       text);
	*ret = (int64_t)timegm(&tm) * 1000000000;
	return NULL;
}

static struct err *parse_times(const struct import_args *args, size_t nr, int64_t **ret)
{
	auto_free int64_t *times = NULL;

	if (!args->times.nr)
		return NULL;
	if (args->times.nr != nr)
		return err_new(ERR_USAGE,
			       "import: %zu times for %zu files; give --time once for each",
			       args->times.nr, nr);
	times = xcalloc(nr, sizeof(*times));
	for (size_t i = 0; i < nr; i++)
		TRY(parse_time(args->times.item[i], &times[i]));
	*ret = take_ptr(times);
	return NULL;
}

static struct err *import_snapshots(const struct import_args *args, char **words, size_t nr,
				    const char *output)
{
	auto_free int64_t *times = NULL;
	struct import_result result = {};

	TRY(parse_times(args, nr, &times));
	const struct import_opts opts = {
		.inputs = (const char *const *)words,
		.nr_inputs = nr,
		.times = times,
		.host = args->host,
		.output = output,
	};

	TRY(import(&opts, &result));
	fprintf(stderr, "%s: %zu snapshot%s, %" PRIu64 " call site%s\n", output,
		result.snapshots, result.snapshots == 1 ? "" : "s", result.sites,
		result.sites == 1 ? "" : "s");
	return NULL;
}

/* By way of a recording that nobody else sees, on the file system of the database. */
static struct err *import_perf(const struct import_args *args, const char *path,
			       const char *output)
{
	const char *slash = strrchr(output, '/');
	auto_free char *dir =
		slash ? xstrndup(output, (size_t)(slash - output) + 1) : xstrdup(".");
	struct perfimport_result result = {};
	auto_fd int fd = -1;

	if (args->times.nr || args->host)
		return err_new(
			ERR_USAGE,
			"import: --time and --host are for snapshots of /proc/allocinfo");
	TRY(newfile_check(output));
	/* A limit of the file's size is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	TRY(perfimport(path, dir, &fd, &result));
	auto_free char *recording = xasprintf("/proc/self/fd/%d", fd);

	TRY(database_make_of(&args->database, recording, path, output));
	if (result.malformed)
		fprintf(stderr,
			"allocprof import: %s: records left out as damaged: %" PRIu64 "\n",
			path, result.malformed);
	return NULL;
}

/* What all files are; they are of one type. */
static struct err *find_type(char **words, size_t nr, enum import_type *ret)
{
	for (size_t i = 0; i < nr; i++) {
		enum import_type type = IMPORT_UNKNOWN;

		TRY(import_find_type(words[i], &type));
		if (type == IMPORT_UNKNOWN)
			return err_new(ERR_FORMAT,
				       "%s: not a snapshot of /proc/allocinfo, nor a perf.data",
				       words[i]);
		if (i && (type != *ret || type == IMPORT_PERF))
			return err_new(
				ERR_USAGE,
				"import: %s: one perf.data, or snapshots only; merge puts "
				"databases together",
				words[i]);
		*ret = type;
	}
	return NULL;
}

static struct err *import_run(const void *p, char **words, int *status)
{
	const struct import_args *args = p;
	enum import_type type = IMPORT_UNKNOWN;
	size_t nr = 0;

	(void)status;
	while (words[nr])
		nr++;
	if (!nr)
		return err_new(ERR_USAGE, "import: name the files");
	TRY(err_wrap(find_type(words, nr, &type), "import"));
	auto_free char *default_output = database_path(words[0]);
	const char *output = args->output ? args->output : default_output;

	return err_wrap(type == IMPORT_PERF ? import_perf(args, words[0], output)
					    : import_snapshots(args, words, nr, output),
			"import");
}

const struct cmd cmd_import = {
	.name = "import",
	.summary = "Turn files of other programs into a database",
	.usage = "[OPTION...] FILE...",
	.opts = import_opts,
	.args_size = sizeof(struct import_args),
	.run = import_run,
};
