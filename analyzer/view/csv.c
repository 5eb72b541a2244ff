// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/csv.h"

#include <inttypes.h>
#include <string.h>

#include "view/text.h"

static void field(FILE *out, const char *text, size_t len)
{
	bool quote = !len;

	for (size_t i = 0; i < len && !quote; i++)
		quote = strchr(",\"\r\n", text[i]) != NULL; /* finds NUL as well */
	if (!quote) {
		fwrite(text, 1, len, out);
		return;
	}
	putc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			putc('"', out);
		putc(text[i], out);
	}
	putc('"', out);
}

void csv_head(FILE *out, const struct view_column *column, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i)
			putc(',', out);
		field(out, column[i].title, strlen(column[i].title));
	}
	putc('\n', out);
}

void csv_row(FILE *out, const struct cell *row, size_t nr)
{
	char text[TEXT_MAX];

	for (size_t i = 0; i < nr; i++) {
		if (i)
			putc(',', out);
		switch (row[i].type) {
		case CELL_NULL:
			break;
		case CELL_INT:
			fprintf(out, "%" PRId64, row[i].i);
			break;
		case CELL_REAL:
			text_real(text, row[i].real);
			fputs(text, out);
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
	putc('\n', out);
}
