/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/functions.h - what SQL gains: size(bytes), sym(address)
 *
 * Out:    size(640) is '640B', size(1536) '1.5Ki'; sym(address) 'func file:line'
 *         where the database knows it, else 'func+0x12/0x34 [module]' by the symbols
 *         of the recording; NULL for NULL, and where nothing is known
 * Rules:  (1) sym cannot be used in views: it reads the database and the recording
 */
#ifndef VIEW_FUNCTIONS_H
#define VIEW_FUNCTIONS_H

#include "view/source.h"

/* A result code of SQLite. */
int functions_register(sqlite3 *db, struct source *source);

/* The tables of view/eventtab.h and these functions, all that a connection gains. */
int functions_register_all(sqlite3 *db);

#endif
