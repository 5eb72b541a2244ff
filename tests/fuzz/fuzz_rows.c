// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the last pages of a database, where two tables begin: what is read of them
 * without SQLite is rows or an error.
 */
#include "store/rows.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGE = 512, PAGES = 64 };

static const char tables[] = "CREATE TABLE _plain (id INTEGER PRIMARY KEY, a, b REAL, c TEXT);"
			     "CREATE TABLE _keyed (a INTEGER, b TEXT, c INTEGER, "
			     "PRIMARY KEY (a, b)) WITHOUT ROWID;"
			     "CREATE TABLE _rest (a BLOB);"
			     "INSERT INTO _rest VALUES (zeroblob(512 * 64));";

/* A database at @path; where its two tables begin, which is where inputs go. */
static off_t make(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert(sqlite3_open(path, &db) == SQLITE_OK);
	auto_free char *head = xasprintf(
		"PRAGMA page_size = %d; PRAGMA application_id = %d; PRAGMA user_version = %d",
		PAGE, SCHEMA_APPLICATION_ID, SCHEMA_VERSION);

	sqlite3_exec(db, head, NULL, NULL, NULL);
	sqlite3_exec(db, schema_tables, NULL, NULL, NULL);
	sqlite3_exec(db, schema_views, NULL, NULL, NULL);
	assert(sqlite3_exec(db, tables, NULL, NULL, NULL) == SQLITE_OK);
	assert(sqlite3_prepare_v2(db,
				  "SELECT min(rootpage) FROM sqlite_schema "
				  "WHERE name IN ('_plain', '_keyed')",
				  -1, &stmt, NULL) == SQLITE_OK);
	assert(sqlite3_step(stmt) == SQLITE_ROW);
	off_t at = (off_t)(sqlite3_column_int(stmt, 0) - 1) * PAGE;

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return at;
}

static struct err *count(void *arg, const struct cell *row)
{
	size_t *sum = arg;

	for (int i = 0; i < 3; i++)
		*sum += row[i].len + strlen(row[i].text) + (size_t)row[i].i;
	return NULL;
}

static void read_all(const char *path)
{
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	size_t sum = 0;
	const struct rows_query asked[] = {
		{ "_plain", "id, a, c", "id", count, &sum, NULL },
		{ "_plain", "b, c, a", NULL, count, &sum, NULL },
		{ "_keyed", "a, b, c", "a, b", count, &sum, NULL },
	};
	struct err *err = query_db_open(path, &db);

	for (int i = 0; !err && i < 3; i++)
		err_free(rows_each(db, &asked[i]));
	err_free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Made once: the schema takes longer than what is to be tested. */
	static uint8_t file[1 << 20];
	static ssize_t len;
	static off_t at;
	char path[] = "/tmp/allocprof-fuzz-XXXXXX";
	auto_fd int fd = mkstemp(path);

	assert(fd >= 0);
	if (!at) {
		at = make(path);
		len = pread(fd, file, sizeof(file), 0);
	}
	if (size > PAGE * PAGES)
		size = PAGE * PAGES;
	assert(len < (ssize_t)sizeof(file) && pwrite(fd, file, (size_t)len, 0) == len);
	assert(pwrite(fd, data, size, at) == (ssize_t)size);
	read_all(path);
	unlink(path);
	return 0;
}
