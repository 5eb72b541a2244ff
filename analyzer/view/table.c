// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/text.h"

/* A cell of a row that is kept or printed: where its text is in the room. */
struct piece {
	size_t at;	/* GAP in the first of a row: the row is a blank line */
	uint32_t width; /* columns that the text takes up */
};

#define GAP SIZE_MAX

struct table {
	FILE *out;
	struct view_layout layout;
	const struct view_column *column;
	size_t nr;
	size_t *width;
	bool *left;	     /* flush left: the column holds a text that is not empty */
	struct piece *piece; /* of the rows that are measured, one after another; then of one */
	size_t nr_rows, cap_rows;
	char *room; /* their texts, each with a NUL behind it */
	size_t used, cap_room;
	char *line;
	size_t line_len, cap_line;
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

void table_free(struct table *table)
{
	if (!table)
		return;
	free(table->line);
	free(table->room);
	free(table->piece);
	free(table->width);
	free(table->left);
	free(table);
}

/* Where @len more bytes go, behind the @used ones of a buffer. */
static char *grow(char **buf, size_t used, size_t *cap, size_t len)
{
	if (len > *cap - used) {
		*cap = 2 * *cap + len + 256;
		*buf = xreallocarray(*buf, *cap, 1);
	}
	return *buf + used;
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

/* What is no text and no blob; the length. */
static size_t number_text(const struct cell *cell, enum view_style style, bool human,
			  char text[TEXT_MAX + 1])
{
	bool iec = human && (style == VIEW_BYTES || style == VIEW_BYTES_CHANGE);
	bool sign = style == VIEW_CHANGE || style == VIEW_BYTES_CHANGE;
	bool plus = sign && (cell->type == CELL_INT ? cell->i > 0 : cell->real > 0);

	text[0] = '+';
	if (cell->type == CELL_REAL)
		real_text(style, human, cell->real, text + plus);
	else if (iec)
		text_iec(text + plus, cell->i);
	else
		return plus + text_int(text + plus, cell->i);
	return strlen(text);
}

char *table_cell(const struct cell *cell, enum view_style style, bool human)
{
	char text[TEXT_MAX + 1];

	switch (cell->type) {
	case CELL_NULL:
		return xstrdup("-");
	case CELL_INT:
	case CELL_REAL:
		return xstrndup(text, number_text(cell, style, human, text));
	case CELL_TEXT:
		return text_printable(cell->text, cell->len);
	case CELL_BLOB:
		return text_hex(cell->text, cell->len);
	}
	return NULL;
}

/* Puts a text of @len bytes into the room. */
static void keep(struct table *table, const char *text, size_t len, size_t width,
		 struct piece *ret)
{
	char *room = grow(&table->room, table->used, &table->cap_room, len + 1);

	memcpy(room, text, len);
	room[len] = '\0';
	*ret = (struct piece){ .at = table->used, .width = (uint32_t)width };
	table->used += len + 1;
}

static void keep_cell(struct table *table, const struct cell *cell, enum view_style style,
		      struct piece *ret)
{
	char number[TEXT_MAX + 1];

	if (cell->type == CELL_INT || cell->type == CELL_REAL) {
		size_t len = number_text(cell, style, table->layout.human, number);

		keep(table, number, len, len, ret);
	} else if (cell->type == CELL_TEXT && text_is_plain(cell->text, cell->len)) {
		keep(table, cell->text, cell->len, cell->len, ret);
	} else {
		auto_free char *text = table_cell(cell, style, table->layout.human);

		keep(table, text, strlen(text), text_width(text), ret);
	}
}

static void put(struct table *table, const char *text, size_t len)
{
	if (!len)
		return;
	memcpy(grow(&table->line, table->line_len, &table->cap_line, len), text, len);
	table->line_len += len;
}

static void put_spaces(struct table *table, size_t nr)
{
	if (!nr)
		return;
	memset(grow(&table->line, table->line_len, &table->cap_line, nr), ' ', nr);
	table->line_len += nr;
}

static void put_cell(struct table *table, size_t i, char *text, size_t width)
{
	bool last = i + 1 == table->nr;

	if (width > table->width[i] && table->column[i].style == VIEW_SITE) {
		text_shorten(text, table->width[i]);
		width = text_width(text);
	}
	size_t pad = width < table->width[i] ? table->width[i] - width : 0;

	if (i)
		put_spaces(table, 2);
	if (!table->left[i])
		put_spaces(table, pad);
	put(table, text, strlen(text));
	if (table->left[i] && !last)
		put_spaces(table, pad);
}

static void end_line(struct table *table)
{
	put(table, "\n", 1);
	fwrite_unlocked(table->line, 1, table->line_len, table->out);
	table->line_len = 0;
}

static void print_row(struct table *table, const struct piece *row)
{
	for (size_t i = 0; i < table->nr && row[0].at != GAP; i++)
		put_cell(table, i, table->room + row[i].at, row[i].width);
	end_line(table);
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

		put_cell(table, i, title, text_width(title));
	}
	end_line(table);
	for (size_t r = 0; r < table->nr_rows; r++)
		print_row(table, &table->piece[r * table->nr]);
	table->nr_rows = 0;
	table->used = 0;
}

/* Where the pieces of the next row go. */
static struct piece *new_row(struct table *table)
{
	if (table->nr_rows == table->cap_rows) {
		table->cap_rows = 2 * table->cap_rows + 16;
		table->piece = xreallocarray(table->piece, table->cap_rows,
					     (table->nr + 1) * sizeof(*table->piece));
	}
	return &table->piece[table->nr_rows * table->nr];
}

static void add(struct table *table, const struct piece *row)
{
	if (table->measured) {
		print_row(table, row);
		table->used = 0;
	} else if (++table->nr_rows == TABLE_MEASURED) {
		print_measured(table);
	}
}

void table_row(struct table *table, const struct cell *cells)
{
	struct piece *row = new_row(table);

	for (size_t i = 0; i < table->nr; i++) {
		keep_cell(table, &cells[i], table->column[i].style, &row[i]);
		if (table->measured)
			continue;
		if (row[i].width > table->width[i])
			table->width[i] = row[i].width;
		table->left[i] |= cells[i].len != 0;
	}
	add(table, row);
}

void table_gap(struct table *table)
{
	struct piece *row = new_row(table);

	row[0].at = GAP;
	add(table, row);
}

void table_finish(struct table *table)
{
	if (!table->measured)
		print_measured(table);
}
