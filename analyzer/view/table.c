// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/line.h"
#include "view/text.h"

/* A cell of a row that is kept or printed: where its text is in the room. */
struct piece {
	size_t at; /* GAP in the first of a row: the row is a blank line */
	uint32_t len;
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
	struct line room; /* their texts, each with a NUL behind it */
	struct line line;
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
	line_deinit(&table->line);
	line_deinit(&table->room);
	free(table->piece);
	free(table->width);
	free(table->left);
	free(table);
}

static size_t real_text(enum view_style style, bool human, double v, char text[TEXT_MAX])
{
	bool measured = style != VIEW_PLAIN && style != VIEW_CHANGE && style != VIEW_SITE;

	if (measured && !human)
		return text_decimal(text, v);
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
		return text_real(text, v);
	}
	return strlen(text);
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
		return plus + real_text(style, human, cell->real, text + plus);
	if (!iec)
		return plus + text_int(text + plus, cell->i);
	text_iec(text + plus, cell->i);
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

/* Spaces and short texts are copied so many bytes at once, whatever is needed of them. */
enum { STEP = 32 };

/* What is behind a text in the room is a piece of it, or STEP bytes of nothing. */
static char *room_for(struct table *table, size_t len)
{
	return line_room(&table->room, len + 1 + STEP);
}

/* @len bytes have been put into the room. */
static void keep(struct table *table, size_t len, size_t width, struct piece *ret)
{
	table->room.text[table->room.len + len] = '\0';
	*ret = (struct piece){ table->room.len, (uint32_t)len, (uint32_t)width };
	table->room.len += len + 1;
}

static void keep_text(struct table *table, const char *text, size_t len, size_t width,
		      struct piece *ret)
{
	memcpy(room_for(table, len), text, len);
	keep(table, len, width, ret);
}

static void keep_cell(struct table *table, const struct cell *cell, enum view_style style,
		      struct piece *ret)
{
	if (cell->type == CELL_INT || cell->type == CELL_REAL) {
		char *room = room_for(table, TEXT_MAX);
		size_t len = cell->type == CELL_INT && style == VIEW_PLAIN
				     ? text_int(room, cell->i)
				     : number_text(cell, style, table->layout.human, room);

		keep(table, len, len, ret);
	} else if (cell->type == CELL_NULL) {
		keep_text(table, "-", 1, 1, ret);
	} else if (cell->type == CELL_TEXT && text_is_plain(cell->text, cell->len)) {
		keep_text(table, cell->text, cell->len, cell->len, ret);
	} else {
		auto_free char *text = table_cell(cell, style, table->layout.human);

		keep_text(table, text, strlen(text), text_width(text), ret);
	}
}

/* In place; the text has a NUL behind it. */
static void shorten(struct table *table, struct piece *piece, size_t width)
{
	char *text = table->room.text + piece->at;

	text_shorten(text, width);
	piece->len = (uint32_t)strlen(text);
	piece->width = (uint32_t)text_width(text);
}

static void print_row(struct table *table, struct piece *row)
{
	const struct view_column *column = table->column;
	const size_t *widths = table->width;
	const bool *lefts = table->left;
	const char *room = table->room.text;
	struct line line = table->line;
	size_t spaces = 0; /* that are due before the next text */

	for (size_t i = 0, nr = row[0].at != GAP ? table->nr : 0; i < nr; i++) {
		size_t width = widths[i];
		bool left = lefts[i];
		struct piece *piece = &row[i];

		if (piece->width > width && column[i].style == VIEW_SITE)
			shorten(table, piece, width);
		size_t pad = piece->width < width ? width - piece->width : 0;
		const char *text = room + piece->at;
		size_t len = piece->len;

		spaces += left ? 0 : pad;
		char *out = line_room(&line, spaces + len + 2 * STEP);

		for (size_t j = 0; j < spaces; j += STEP)
			memset(out + j, ' ', STEP);
		out += spaces;
		if (len <= STEP)
			memcpy(out, text, STEP);
		else
			memcpy(out, text, len);
		line.len += spaces + len;
		/* Two of them between columns. */
		spaces = 2 + (left ? pad : 0);
	}
	line_char(&line, '\n');
	line_write(&line, table->out);
	table->line = line;
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
	auto_free struct piece *titles = xcalloc(table->nr, sizeof(*titles));

	fit(table);
	table->measured = true;
	for (size_t i = 0; i < table->nr; i++) {
		const char *title = table->column[i].title;

		keep_text(table, title, strlen(title), text_width(title), &titles[i]);
	}
	print_row(table, titles);
	for (size_t r = 0; r < table->nr_rows; r++)
		print_row(table, &table->piece[r * table->nr]);
	table->nr_rows = 0;
	table->room.len = 0;
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

static void add(struct table *table, struct piece *row)
{
	if (table->measured) {
		print_row(table, row);
		table->room.len = 0;
	} else if (++table->nr_rows == TABLE_MEASURED) {
		print_measured(table);
	}
}

/* Columns become wider as it takes, until they are measured. */
static void measure(struct table *table, const struct cell *cells, const struct piece *row)
{
	for (size_t i = 0; i < table->nr; i++) {
		if (row[i].width > table->width[i])
			table->width[i] = row[i].width;
		table->left[i] |= cells[i].len != 0;
	}
}

void table_row(struct table *table, const struct cell *cells)
{
	struct piece *row = new_row(table);

	for (size_t i = 0; i < table->nr; i++)
		keep_cell(table, &cells[i], table->column[i].style, &row[i]);
	if (!table->measured)
		measure(table, cells, row);
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
