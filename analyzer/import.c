// SPDX-License-Identifier: GPL-2.0-or-later
#include "import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/texts.h"
#include "decode/allocinfo.h"
#include "decode/perfdata.h"
#include "history.h"
#include "store/newfile.h"
#include "store/origin.h"

struct err *import_find_type(const char *path, enum import_type *ret)
{
	uint8_t head[64];
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	ssize_t len = read(fd, head, sizeof(head));

	if (len < 0)
		return err_os(errno, "%s", path);
	const struct span span = { head, (size_t)len };

	*ret = allocinfo_is(span)  ? IMPORT_ALLOCINFO
	       : perfdata_is(span) ? IMPORT_PERF
				   : IMPORT_UNKNOWN;
	return NULL;
}

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* A snapshot's time is when its file was written; a file of /proc is written now. */
static struct err *time_of(const char *path, int64_t *ret)
{
	struct timespec now;
	struct stat st;

	if (stat(path, &st))
		return err_os(errno, "%s", path);
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = st.st_size ? ns_of(&st.st_mtim) : ns_of(&now);
	return NULL;
}

struct snapshot {
	const char *path;
	int64_t ns;
	size_t nr; /* in the order of the command line, which decides between equal times */
};

static int compare(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->nr < y->nr ? -1 : 1;
}

static struct err *read_series(const struct import_opts *opts, struct history *history)
{
	auto_free struct snapshot *series = xcalloc(opts->nr_inputs, sizeof(*series));

	for (size_t i = 0; i < opts->nr_inputs; i++) {
		series[i] = (struct snapshot){ .path = opts->inputs[i], .nr = i };
		if (opts->times)
			series[i].ns = opts->times[i];
		else
			TRY(time_of(opts->inputs[i], &series[i].ns));
	}
	qsort(series, opts->nr_inputs, sizeof(*series), compare);
	for (size_t i = 0; i < opts->nr_inputs; i++) {
		auto_text text = {};

		TRY(text_read_file(&text, series[i].path));
		TRY(err_wrap(history_add(history,
					 (struct span){ (const uint8_t *)text.data, text.len },
					 series[i].ns),
			     "%s", series[i].path));
	}
	return NULL;
}

struct err *import(const struct import_opts *opts, struct import_result *ret)
{
	CLEANUP(history_cleanup) struct history *history = history_new();
	CLEANUP(writer_cleanup) struct writer *writer = NULL;
	CLEANUP(origin_deinit) struct origin origin = {};

	TRY(newfile_check(opts->output));
	TRY(origin_init(&origin, opts->inputs[0], NULL, NULL, NULL, NULL));
	TRY(read_series(opts, history));
	TRY(writer_open(opts->output, &writer));
	TRY(origin_write(&origin, writer));
	TRY(history_write(history, opts->host, writer));
	ret->snapshots = opts->nr_inputs;
	ret->sites = writer_nr_call_sites(writer);
	return writer_commit(writer);
}
