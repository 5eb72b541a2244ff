/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/sqlite.h - SQLite's functions, as the program or as an extension calls them
 *
 * The program is linked with SQLite. An extension must call the copy that the
 * program which loads it has, and that may be another one.
 */
#ifndef VIEW_SQLITE_H
#define VIEW_SQLITE_H

#ifdef ALLOCPROF_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif

#endif
