/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/place.h - a place in the source as one line for people
 *
 * In:     a row with the columns file, line, func, module, sym_off, sym_size
 * Out:    "file:line func [module]", or "func+0x1c/0x90 [module]" where no debug
 *         information tells the line
 */
#ifndef VIEW_PLACE_H
#define VIEW_PLACE_H

#include "store/query.h"

struct place {
	const char *file, *func, *module; /* NULL: not known; module: the kernel itself */
	int64_t line, sym_off, sym_size;  /* sym_size 0: offset not known */
};

/* Printable; owned by the caller. */
char *place_format(const struct place *place);
char *place_text(struct query *query, const struct cell *row);

/*
 * True when the row is what @name means: a function (with or without its
 * offset), a file, a file:line, or all of place_text().
 */
bool place_is(struct query *query, const struct cell *row, const char *name);

#endif
