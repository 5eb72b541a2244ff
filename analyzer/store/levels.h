/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/levels.h - what a call site held at a time, bytes and objects as one value of SQL
 *
 * In:     _level(bytes, calls)
 * Out:    a value for _level_bytes() and _level_calls(); NULL where neither is more than 0
 * Rules:  (1) a subquery has one result, so that to find two columns of the last bucket by a
 *             time SQLite would look twice: 4,000 instructions a call site
 */
#ifndef STORE_LEVELS_H
#define STORE_LEVELS_H

#include <sqlite3.h>

/* A code of SQLite. */
int levels_register(sqlite3 *db);

#endif
