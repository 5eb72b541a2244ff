// SPDX-License-Identifier: GPL-2.0-or-later
/* import.c - allocprof import: files of other programs to a database */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "import.h"

struct import_args {
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

static struct err *import_run(const void *p, char **words, int *status)
{
	const struct import_args *args = p;
	auto_free int64_t *times = NULL;
	enum import_type type = IMPORT_UNKNOWN;
	struct import_result result;
	size_t nr = 0;

	(void)status;
	while (words[nr])
		nr++;
	if (!nr)
		return err_new(ERR_USAGE, "import: name the files");
	TRY(parse_times(args, nr, &times));
	for (size_t i = 0; i < nr; i++) {
		TRY(err_wrap(import_find_type(words[i], &type), "import"));
		if (type == IMPORT_UNKNOWN)
			return err_new(ERR_FORMAT,
				       "import: %s: not a snapshot of /proc/allocinfo",
				       words[i]);
	}
	auto_free char *default_output = database_path(words[0]);
	const struct import_opts opts = {
		.inputs = (const char *const *)words,
		.nr_inputs = nr,
		.times = times,
		.host = args->host,
		.output = args->output ? args->output : default_output,
	};

	TRY(err_wrap(import(&opts, &result), "import"));
	fprintf(stderr, "%s: %zu snapshot%s, %" PRIu64 " call sites\n", opts.output,
		result.snapshots, result.snapshots == 1 ? "" : "s", result.sites);
	return NULL;
}

const struct cmd cmd_import = {
	.name = "import",
	.summary = "Turn files of other programs into a database",
	.usage = "[OPTION...] FILE...",
	.opts = import_opts,
	.args_size = sizeof(struct import_args),
	.run = import_run,
};
