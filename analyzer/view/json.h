/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/json.h - rows as an array of objects (RFC 8259), one object a line
 *
 * Rules:  (1) the output is valid JSON whatever the cells hold: bytes that are
 *             not UTF-8 become U+FFFD, numbers that JSON lacks become null, a
 *             blob is a text in hexadecimal
 */
#ifndef VIEW_JSON_H
#define VIEW_JSON_H

#include "view/view.h"

void json_begin(FILE *out);
void json_row(FILE *out, const struct view_column *column, const struct cell *row, size_t nr,
	      bool first);
void json_end(FILE *out, bool empty);

#endif
