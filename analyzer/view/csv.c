// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/csv.h"

#include <string.h>

static bool needs_quotes(char c)
{
	return c == ',' || c == '"' || c == '\r' || c == '\n' || c == '\0';
}

static void field(struct line *line, const char *text, size_t len)
{
	bool quote = !len;

	for (size_t i = 0; i < len && !quote; i++)
		quote = needs_quotes(text[i]);
	if (!quote) {
		line_put(line, text, len);
		return;
	}
	/* Each may be a quote, which is doubled. */
	char *start = line_room(line, 2 * len + 2), *out = start;

	*out++ = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			*out++ = '"';
		*out++ = text[i];
	}
	*out++ = '"';
	line->len += (size_t)(out - start);
}

void csv_head(struct line *line, const struct view_column *column, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i)
			line_char(line, ',');
		field(line, column[i].title, strlen(column[i].title));
	}
	line_char(line, '\n');
}

void csv_row(struct line *line, const struct cell *row, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i)
			line_char(line, ',');
		switch (row[i].type) {
		case CELL_NULL:
			break;
		case CELL_INT:
			line_int(line, row[i].i);
			break;
		case CELL_REAL:
			line_real(line, row[i].real);
			break;
		case CELL_TEXT:
			field(line, row[i].text, row[i].len);
			break;
		case CELL_BLOB: {
			auto_free char *hex = text_hex(row[i].text, row[i].len);

			field(line, hex, strlen(hex));
			break;
		}
		}
	}
	line_char(line, '\n');
}
