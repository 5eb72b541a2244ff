/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/stmt.h - statements of SQLite that end with their scope
 */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include <sqlite3.h>

#include "base/cleanup.h"

/* What finalizing returns is the error of the last step, which was told then. */
static inline void stmt_finalize(sqlite3_stmt *stmt)
{
	sqlite3_finalize(stmt);
}
DEFINE_CLEANUP(sqlite3_stmt *, stmt, stmt_finalize)

#endif
