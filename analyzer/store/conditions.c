// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/conditions.h"

#include <stdlib.h>
#include <string.h>

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

int conditions_register(sqlite3 *db)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };
	int rc = sqlite3_create_function(db, "_of_kind", 4, FLAGS, NULL, of_kind, NULL, NULL);

	return rc == SQLITE_OK
		       ? sqlite3_create_function(db, "_fits", 8, FLAGS, NULL, fits, NULL, NULL)
		       : rc;
}
