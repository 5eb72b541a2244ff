/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/csv.h - rows as CSV (RFC 4180, lines end in a line feed)
 *
 * Rules:  (1) NULL is an empty field, an empty text is ""
 *         (2) a text goes out as it is, in quotes where it must; a blob in
 *             hexadecimal
 */
#ifndef VIEW_CSV_H
#define VIEW_CSV_H

#include "view/line.h"
#include "view/view.h"

void csv_head(struct line *line, const struct view_column *column, size_t nr);
void csv_row(struct line *line, const struct cell *row, size_t nr);

#endif
