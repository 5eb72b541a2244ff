// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/text.h"

struct table {
	FILE *out;
	struct view_layout layout;
	const struct view_column *column;
	size_t nr;
	size_t *width;
	bool *left;  /* flush left: the column holds a text that is not empty */
	char ***row; /* measured rows; NULL is a gap */
	size_t nr_rows, cap_rows;
	bool measured;
};

struct table *table_new(FILE *out, const struct view_layout *layout,
			const struct view_column *column, size_t nr)
{
	struct table *table = xmalloc(sizeof(*table));

	*table = (struct table){
		.out = out,
		.layout = *layout,
		.column = column,
		.nr = nr,
		.width = xcalloc(nr, sizeof(*table->width)),
		.left = xcalloc(nr, sizeof(*table->left)),
	};
	for (size_t i = 0; i < nr; i++)
		table->width[i] = text_width(column[i].title);
	return table;
}

static void free_row(const struct table *table, char **row)
{
	for (size_t i = 0; row && i < table->nr; i++)
		free(row[i]);
	free(row);
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->nr_rows; i++)
		free_row(table, table->row[i]);
	free(table->row);
	free(table->width);
	free(table->left);
	free(table);
}

static void real_text(enum view_style style, bool human, double v, char text[TEXT_MAX])
{
	bool measured = style != VIEW_PLAIN && style != VIEW_CHANGE && style != VIEW_SITE;

	if (measured && !human) {
		text_decimal(text, v);
		return;
	}
	switch (style) {
	case VIEW_BYTES:
	case VIEW_BYTES_CHANGE:
		text_iec(text, (int64_t)v);
		break;
	case VIEW_TIME:
		text_time(text, v);
		break;
	case VIEW_SHARE:
		snprintf(text, TEXT_MAX, "%.1f %%", 100 * v);
		break;
	case VIEW_ROUND:
		snprintf(text, TEXT_MAX, "%.0f", v);
		break;
	case VIEW_PLAIN:
	case VIEW_CHANGE:
	case VIEW_SITE:
		text_real(text, v);
		break;
	}
}

char *table_cell(const struct cell *cell, enum view_style style, bool human)
{
	bool iec = human && (style == VIEW_BYTES || style == VIEW_BYTES_CHANGE);
	bool sign = style == VIEW_CHANGE || style == VIEW_BYTES_CHANGE;
	char text[TEXT_MAX];

	switch (cell->type) {
	case CELL_NULL:
		return xstrdup("-");
	case CELL_INT:
		if (iec)
			text_iec(text, cell->i);
		else
			snprintf(text, sizeof(text), "%" PRId64, cell->i);
		return xasprintf("%s%s", sign && cell->i > 0 ? "+" : "", text);
	case CELL_REAL:
		real_text(style, human, cell->real, text);
		return xasprintf("%s%s", sign && cell->real > 0 ? "+" : "", text);
	case CELL_TEXT:
		return text_printable(cell->text, cell->len);
	case CELL_BLOB:
		return text_hex(cell->text, cell->len);
	}
	return NULL;
}

static void print_cell(const struct table *table, size_t i, char *text)
{
	bool last = i + 1 == table->nr;

	if (table->column[i].style == VIEW_SITE)
		text_shorten(text, table->width[i]);
	size_t width = text_width(text);
	int pad = width < table->width[i] ? (int)(table->width[i] - width) : 0;

	if (i)
		fputs("  ", table->out);
	if (table->left[i]) {
		fputs(text, table->out);
		pad = last ? 0 : pad;
	}
	for (; pad; pad--)
		putc_unlocked(' ', table->out);
	if (!table->left[i])
		fputs(text, table->out);
}

static void print_row(const struct table *table, char **row)
{
	for (size_t i = 0; row && i < table->nr; i++)
		print_cell(table, i, row[i]);
	putc('\n', table->out);
}

/* Takes from the site column what the line has too much. */
static void fit(struct table *table)
{
	size_t total = table->nr ? 2 * (table->nr - 1) : 0;

	for (size_t i = 0; i < table->nr; i++)
		total += table->width[i];
	for (size_t i = 0; i < table->nr; i++) {
		size_t *width = &table->width[i];

		if (table->column[i].style != VIEW_SITE || !table->layout.width ||
		    total <= table->layout.width)
			continue;
		size_t excess = total - table->layout.width;

		if (*width <= TABLE_MIN_SITE)
			continue;
		*width = *width > excess + TABLE_MIN_SITE ? *width - excess : TABLE_MIN_SITE;
	}
}

static void print_measured(struct table *table)
{
	fit(table);
	table->measured = true;
	for (size_t i = 0; i < table->nr; i++) {
		auto_free char *title = xstrdup(table->column[i].title);

		print_cell(table, i, title);
	}
	putc('\n', table->out);
	for (size_t r = 0; r < table->nr_rows; r++) {
		print_row(table, table->row[r]);
		free_row(table, table->row[r]);
	}
	table->nr_rows = 0;
}

static void add(struct table *table, char **row)
{
	if (table->measured) {
		print_row(table, row);
		free_row(table, row);
		return;
	}
	vec_room(table->row, table->nr_rows, table->cap_rows);
	table->row[table->nr_rows++] = row;
	if (table->nr_rows == TABLE_MEASURED)
		print_measured(table);
}

void table_row(struct table *table, const struct cell *cells)
{
	char **row = xcalloc(table->nr, sizeof(*row));

	for (size_t i = 0; i < table->nr; i++) {
		row[i] = table_cell(&cells[i], table->column[i].style, table->layout.human);
		if (table->measured)
			continue;
		size_t width = text_width(row[i]);

		if (width > table->width[i])
			table->width[i] = width;
		table->left[i] |= cells[i].len != 0;
	}
	add(table, row);
}

void table_gap(struct table *table)
{
	add(table, NULL);
}

void table_finish(struct table *table)
{
	if (!table->measured)
		print_measured(table);
}
