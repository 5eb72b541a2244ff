// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/levels.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct level {
	int64_t bytes, calls;
};

static void make(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct level level = { sqlite3_value_int64(argv[0]), sqlite3_value_int64(argv[1]) };

	(void)argc;
	if (level.bytes > 0 || level.calls > 0)
		sqlite3_result_blob(context, &level, sizeof(level), SQLITE_TRANSIENT);
}

/* False for what _level() did not make. */
static bool read(sqlite3_value *value, struct level *ret)
{
	if (sqlite3_value_type(value) != SQLITE_BLOB ||
	    sqlite3_value_bytes(value) != sizeof(*ret))
		return false;
	memcpy(ret, sqlite3_value_blob(value), sizeof(*ret));
	return true;
}

static void bytes_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct level level;

	(void)argc;
	if (read(argv[0], &level))
		sqlite3_result_int64(context, level.bytes);
}

static void calls_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct level level;

	(void)argc;
	if (read(argv[0], &level))
		sqlite3_result_int64(context, level.calls);
}

int levels_register(sqlite3 *db)
{
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY };
	int rc = sqlite3_create_function(db, "_level", 2, FLAGS, NULL, make, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "_level_bytes", 1, FLAGS, NULL, bytes_of, NULL,
					     NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "_level_calls", 1, FLAGS, NULL, calls_of, NULL,
					     NULL);
	return rc;
}
