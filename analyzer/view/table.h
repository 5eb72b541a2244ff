/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/table.h - rows as a table for people
 *
 * Rules:  (1) columns of numbers are flush right, others flush left
 *         (2) widths come from the first TABLE_MEASURED rows; a later cell that is
 *             wider pushes its line to the right, and is not cut
 *         (3) a column of style VIEW_SITE is cut where the line would pass the
 *             terminal's width, down to TABLE_MIN_SITE columns
 */
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include "view/view.h"

enum { TABLE_MEASURED = 4096, TABLE_MIN_SITE = 24 };

struct table;

struct table *table_new(FILE *out, const struct view_layout *layout,
			const struct view_column *column, size_t nr);
void table_free(struct table *table);
void table_row(struct table *table, const struct cell *row);
void table_gap(struct table *table);
void table_finish(struct table *table);

/* A cell as a person reads it, printable; owned by the caller. @human: units. */
char *table_cell(const struct cell *cell, enum view_style style, bool human);

#endif
