// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/markdown.h"

#include <string.h>

#include "view/table.h"

/* What would end the cell, or be taken for an emphasis, a link or a tag. */
static bool needs_escape(char c)
{
	switch (c) {
	case '|':
	case '\\':
	case '`':
	case '*':
	case '_':
	case '[':
	case ']':
	case '<':
	case '>':
		return true;
	default:
		return false;
	}
}

static void cell_text(struct line *line, const char *text)
{
	char *start = line_room(line, 2 * strlen(text)), *out = start;

	for (; *text; text++) {
		if (needs_escape(*text))
			*out++ = '\\';
		*out++ = *text;
	}
	line->len += (size_t)(out - start);
}

void markdown_head(struct line *line, const struct view_column *column, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		line_text(line, i ? " | " : "| ");
		cell_text(line, column[i].title);
	}
	line_text(line, " |\n");
	for (size_t i = 0; i < nr; i++) {
		bool text = column[i].style == VIEW_PLAIN || column[i].style == VIEW_SITE;

		line_text(line, text ? "|---" : "|---:");
	}
	line_text(line, "|\n");
}

void markdown_row(struct line *line, const struct view_column *column, const struct cell *row,
		  size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		line_text(line, i ? " | " : "| ");
		if (row[i].type == CELL_INT && column[i].style == VIEW_PLAIN) {
			line_int(line, row[i].i);
			continue;
		}
		auto_free char *text = table_cell(&row[i], column[i].style, true);

		cell_text(line, text);
	}
	line_text(line, " |\n");
}
