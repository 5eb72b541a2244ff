// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "view/text.h"

static void string(FILE *out, const char *text, size_t len)
{
	putc('"', out);
	for (size_t i = 0; i < len;) {
		uint8_t c = (uint8_t)text[i];
		size_t n = text_utf8(text + i, len - i);

		if (!n)
			fputs("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fwrite(text + i, 1, n, out);
		i += n ? n : 1;
	}
	putc('"', out);
}

void json_begin(FILE *out)
{
	putc('[', out);
}

static void value(FILE *out, const struct cell *cell)
{
	char text[TEXT_MAX];

	switch (cell->type) {
	case CELL_NULL:
		fputs("null", out);
		break;
	case CELL_INT:
		fprintf(out, "%" PRId64, cell->i);
		break;
	case CELL_REAL:
		text_real(text, cell->real);
		fputs(isfinite(cell->real) ? text : "null", out);
		break;
	case CELL_TEXT:
		string(out, cell->text, cell->len);
		break;
	case CELL_BLOB: {
		auto_free char *hex = text_hex(cell->text, cell->len);

		string(out, hex, strlen(hex));
		break;
	}
	}
}

void json_row(FILE *out, const struct view_column *column, const struct cell *row, size_t nr,
	      bool first)
{
	fputs(first ? "\n{" : ",\n{", out);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputs(", ", out);
		string(out, column[i].title, strlen(column[i].title));
		fputs(": ", out);
		value(out, &row[i]);
	}
	putc('}', out);
}

void json_end(FILE *out, bool empty)
{
	fputs(empty ? "]\n" : "\n]\n", out);
}
