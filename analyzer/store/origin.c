// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/origin.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "store/query.h"
#include "store/schema.h"

/* The name of a file that does not depend on where one stands. */
static char *absolute(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static void add(char **text, const char *name, const char *path)
{
	if (!path)
		return;
	auto_free char *real = absolute(path);
	char *longer = xasprintf("%s%s %s\n", *text, name, real);

	free(*text);
	*text = longer;
}

/* A file that may be edited between two analyses. */
static void add_content(char **text, const char *name, const char *path)
{
	struct stat st;

	if (!path)
		return;
	add(text, name, path);
	if (stat(path, &st))
		return;
	char *longer = xasprintf("%s%s-mtime %lld.%09ld\n", *text, name,
				 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);

	free(*text);
	*text = longer;
}

/* FILE.part/ is as large as its files, and as new as the newest. */
static void add_files(struct origin *origin)
{
	DIR *dir = opendir(origin->path);
	struct dirent *entry;
	struct stat st;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) || !S_ISREG(st.st_mode))
			continue;
		int64_t ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

		origin->bytes += st.st_size;
		if (ns > origin->mtime_ns)
			origin->mtime_ns = ns;
	}
	closedir(dir);
}

static bool add_file(struct origin *origin, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	int64_t ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

	origin->bytes += st.st_size;
	if (ns > origin->mtime_ns)
		origin->mtime_ns = ns;
	return true;
}

/* FILE.1, FILE.2 …, should FILE be the first of a chain. */
static void add_chain(struct origin *origin)
{
	bool more = true;

	for (unsigned int i = 1; more; i++) {
		auto_free char *path = xasprintf("%s.%u", origin->path, i);

		more = add_file(origin, path);
	}
	auto_free char *part = xasprintf("%s.part", origin->path);

	add_file(origin, part);
}

struct err *origin_init(struct origin *origin, const char *recording, const char *vmlinux,
			const char *kallsyms, const char *wrappers,
			const char *const *debug_dirs)
{
	struct stat st;

	if (stat(recording, &st))
		return err_os(errno, "%s", recording);
	*origin = (struct origin){
		.path = absolute(recording),
		.bytes = st.st_size,
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.options = xstrdup(""),
	};
	if (S_ISDIR(st.st_mode))
		add_files(origin);
	else
		add_chain(origin);
	add(&origin->options, "vmlinux", vmlinux);
	add(&origin->options, "kallsyms", kallsyms);
	add_content(&origin->options, "wrappers", wrappers);
	for (; debug_dirs && *debug_dirs; debug_dirs++)
		add(&origin->options, "debug-dir", *debug_dirs);
	return NULL;
}

void origin_window(struct origin *origin, const char *name, uint64_t ns, bool from_end)
{
	char *longer = xasprintf("%s%s-ns %s%" PRIu64 "\n", origin->options, name,
				 from_end ? "-" : "", ns);

	free(origin->options);
	origin->options = longer;
}

void origin_deinit(struct origin *origin)
{
	free(origin->path);
	free(origin->options);
}

struct err *origin_write(const struct origin *origin, struct writer *writer)
{
	if (origin->path) {
		TRY(writer_recording_text(writer, "input", origin->path, strlen(origin->path)));
		TRY(writer_recording_int(writer, "input_bytes", origin->bytes));
		TRY(writer_recording_int(writer, "input_mtime_ns", origin->mtime_ns));
		TRY(writer_recording_text(writer, "options", origin->options,
					  strlen(origin->options)));
	}
	return writer_recording_text(writer, "analyzer", VERSION, strlen(VERSION));
}

static bool text_is(const struct cell *cell, const char *text)
{
	return cell->type == CELL_TEXT && cell->len == strlen(text) &&
	       !memcmp(cell->text, text, cell->len);
}

/* The options are of a window. */
static bool has_window(const char *options)
{
	return !strncmp(options, "from-ns ", 8) || !strncmp(options, "to-ns ", 6) ||
	       strstr(options, "\nfrom-ns ") || strstr(options, "\nto-ns ");
}

static struct err *compare(const struct origin *origin, const char *path, bool *ret)
{
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_db_open(path, &db));
	TRY(query_prepare(db, schema_query("origin"), NULL, &query));
	TRY(query_next(query, &row));
	*ret = row && !query_db_is_older(db) &&
	       text_is(&row[query_find_column(query, "input")], origin->path) &&
	       row[query_find_column(query, "input_bytes")].i == origin->bytes &&
	       row[query_find_column(query, "input_mtime_ns")].i == origin->mtime_ns &&
	       text_is(&row[query_find_column(query, "analyzer")], VERSION) &&
	       ((!*origin->options &&
		 !has_window(row[query_find_column(query, "options")].text)) ||
		text_is(&row[query_find_column(query, "options")], origin->options));
	if (!*ret)
		return NULL;
	/* One of several recordings stands for more than this one. */
	TRY(query_next(query, &row));
	*ret = !row;
	return NULL;
}

bool origin_matches(const struct origin *origin, const char *path)
{
	bool matches = false;

	/* A database that cannot be read stands for nothing. */
	err_free(compare(origin, path, &matches));
	return matches;
}

bool origin_is_orphan(const char *path)
{
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row = NULL;
	auto_err struct err *err = query_db_open(path, &db);

	if (!err)
		err = query_prepare(db, schema_query("origin"), NULL, &query);
	if (!err)
		err = query_next(query, &row);
	return !err && row && row[query_find_column(query, "input")].type == CELL_NULL;
}
