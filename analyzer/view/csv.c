// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/csv.h"

#include <string.h>

#include "view/text.h"

static bool needs_quotes(char c)
{
	return c == ',' || c == '"' || c == '\r' || c == '\n' || c == '\0';
}

static void field(FILE *out, const char *text, size_t len)
{
	bool quote = !len;

	for (size_t i = 0; i < len && !quote; i++)
		quote = needs_quotes(text[i]);
	if (!quote) {
		fwrite_unlocked(text, 1, len, out);
		return;
	}
	putc_unlocked('"', out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			putc_unlocked('"', out);
		putc_unlocked(text[i], out);
	}
	putc_unlocked('"', out);
}

void csv_head(FILE *out, const struct view_column *column, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i)
			putc_unlocked(',', out);
		field(out, column[i].title, strlen(column[i].title));
	}
	putc_unlocked('\n', out);
}

void csv_row(FILE *out, const struct cell *row, size_t nr)
{
	char text[TEXT_MAX];

	for (size_t i = 0; i < nr; i++) {
		if (i)
			putc_unlocked(',', out);
		switch (row[i].type) {
		case CELL_NULL:
			break;
		case CELL_INT:
			fwrite_unlocked(text, 1, text_int(text, row[i].i), out);
			break;
		case CELL_REAL:
			text_real(text, row[i].real);
			fputs_unlocked(text, out);
			break;
		case CELL_TEXT:
			field(out, row[i].text, row[i].len);
			break;
		case CELL_BLOB: {
			auto_free char *hex = text_hex(row[i].text, row[i].len);

			field(out, hex, strlen(hex));
			break;
		}
		}
	}
	putc_unlocked('\n', out);
}
