/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/functions.h - what SQL gains: size(bytes), sym(address), gfp(flags)
 *
 * Out:    size(640) is '640B', size(1536) '1.5Ki'; sym(address) 'func file:line'
 *         where the database knows it, else 'func+0x12/0x34 [module]' by the symbols
 *         of the recording; NULL for NULL, and where nothing is known
 *         gfp(flags) 'GFP_KERNEL|__GFP_ZERO' in the names of the recorded kernel
 * Rules:  (1) sym and gfp cannot be used in views: they read the database and the
 *             recording
 */
#ifndef VIEW_FUNCTIONS_H
#define VIEW_FUNCTIONS_H

#include "view/source.h"

/* A result code of SQLite. */
int functions_register(sqlite3 *db, struct source *source);

/* The tables of view/eventtab.h and these functions, all that a connection gains. */
int functions_register_all(sqlite3 *db);

#endif
