// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * extension.c - the tables and functions of allocprof sql, for any SQLite
 *
 *	sqlite3 -cmd '.load allocprof' memory.db 'SELECT count(*) FROM events'
 *
 * Built apart from the program: see view/sqlite.h. SQLite finds the entry by the
 * name of the file.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "view/functions.h"

int sqlite3_allocprof_init(sqlite3 *db, char **ret_error, const sqlite3_api_routines *api);

__attribute__((visibility("default"))) int sqlite3_allocprof_init(
	sqlite3 *db, char **ret_error, const sqlite3_api_routines *api)
{
	SQLITE_EXTENSION_INIT2(api);
	(void)ret_error;
	return functions_register_all(db);
}
