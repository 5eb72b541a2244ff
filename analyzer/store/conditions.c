// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/conditions.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

bool conditions_kind(const char *kinds, const char *kind)
{
	size_t len = strlen(kind);

	for (const char *word = kinds;; word++) {
		size_t word_len = strcspn(word, ",");

		if (word_len == len && !memcmp(word, kind, len))
			return true;
		word += word_len;
		if (!*word)
			return false;
	}
}

bool conditions_exact(const char *wanted, const char *text)
{
	return !wanted || !*wanted || (text && !strcmp(text, wanted));
}

bool conditions_text(const char *wanted, const char *text)
{
	return conditions_exact(wanted, text) || (text && !sqlite3_strglob(wanted, text));
}

bool conditions_path(const char *wanted, const char *path)
{
	size_t len = wanted ? strlen(wanted) : 0;

	return conditions_text(wanted, path) ||
	       (path && !strncmp(path, wanted, len) && path[len] == '/');
}

bool conditions_module(const char *wanted, const char *module)
{
	return conditions_exact(wanted, module ? module : "vmlinux");
}

bool conditions_number(const char *wanted, bool known, int64_t value)
{
	if (!wanted || !*wanted)
		return true;
	return known && strtoll(wanted, NULL, 10) == value;
}

static const char *text(sqlite3_value *value)
{
	return (const char *)sqlite3_value_text(value);
}

static void of_kind(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const char *kinds = text(argv[0]), *kind = text(argv[1]);

	(void)argc;
	sqlite3_result_int(context,
			   sqlite3_value_int64(argv[3]) <= sqlite3_value_int64(argv[2]) &&
				   kinds && kind && conditions_kind(kinds, kind));
}

static void fits(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	bool (*const fit[])(const char *, const char *) = {
		conditions_text,
		conditions_path,
		conditions_text,
		conditions_module,
	};
	bool all = true;

	for (int i = 0; all && 2 * i + 1 < argc; i++) {
		const char *wanted = text(argv[2 * i]);

		all = !wanted || !*wanted || fit[i](wanted, text(argv[2 * i + 1]));
	}
	sqlite3_result_int(context, all);
}

/* The recordings of a database, read when a condition first asks for a machine. */
struct hosts {
	bool known;
	struct host {
		int64_t recording;
		char *name; /* NULL: not known */
	} * host;
	size_t nr, cap;
};

static void hosts_free(void *arg)
{
	struct hosts *hosts = arg;

	for (size_t i = 0; i < hosts->nr; i++)
		free(hosts->host[i].name);
	free(hosts->host);
	free(hosts);
}

static int hosts_load(struct hosts *hosts, sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT id, hostname FROM _recording", -1, &stmt, NULL);

	while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 1);

		vec_room(hosts->host, hosts->nr, hosts->cap);
		hosts->host[hosts->nr++] = (struct host){
			sqlite3_column_int64(stmt, 0),
			name ? xstrdup(name) : NULL,
		};
	}
	hosts->known = rc == SQLITE_OK;
	sqlite3_finalize(stmt);
	return rc;
}

static const char *host_of(const struct hosts *hosts, int64_t recording)
{
	for (size_t i = 0; i < hosts->nr; i++)
		if (hosts->host[i].recording == recording)
			return hosts->host[i].name;
	return NULL;
}

static void of_recording(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct hosts *hosts = sqlite3_user_data(context);
	const char *number = text(argv[0]), *host = text(argv[1]);
	bool known = sqlite3_value_type(argv[2]) != SQLITE_NULL;
	int64_t recording = sqlite3_value_int64(argv[2]);
	bool all = conditions_number(number, known, recording);

	(void)argc;
	if (all && host && *host) {
		int rc = hosts->known ? SQLITE_OK
				      : hosts_load(hosts, sqlite3_context_db_handle(context));

		if (rc != SQLITE_OK) {
			sqlite3_result_error_code(context, rc);
			return;
		}
		all = conditions_exact(host, host_of(hosts, recording));
	}
	sqlite3_result_int(context, all);
}

int conditions_register(sqlite3 *db)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };
	int rc = sqlite3_create_function(db, "_of_kind", 4, FLAGS, NULL, of_kind, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "_fits", 8, FLAGS, NULL, fits, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	/* Calls the destructor itself where it fails. */
	return sqlite3_create_function_v2(db, "_of_recording", 3,
					  SQLITE_UTF8 | SQLITE_DIRECTONLY,
					  xcalloc(1, sizeof(struct hosts)), of_recording, NULL,
					  NULL, hosts_free);
}
