// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/json.h"

#include <math.h>
#include <string.h>

#include "view/text.h"

static bool stands_for_itself(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void string(FILE *out, const char *text, size_t len)
{
	putc_unlocked('"', out);
	for (size_t i = 0; i < len;) {
		size_t plain = i;

		while (plain < len && stands_for_itself((uint8_t)text[plain]))
			plain++;
		fwrite_unlocked(text + i, 1, plain - i, out);
		i = plain;
		if (i == len)
			break;
		uint8_t c = (uint8_t)text[i];
		size_t n = text_utf8(text + i, len - i);

		if (!n)
			fputs_unlocked("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs_unlocked("\\n", out);
		else if (c == '\t')
			fputs_unlocked("\\t", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fwrite_unlocked(text + i, 1, n, out);
		i += n ? n : 1;
	}
	putc_unlocked('"', out);
}

void json_begin(FILE *out)
{
	putc_unlocked('[', out);
}

static void value(FILE *out, const struct cell *cell)
{
	char text[TEXT_MAX];

	switch (cell->type) {
	case CELL_NULL:
		fputs_unlocked("null", out);
		break;
	case CELL_INT:
		fwrite_unlocked(text, 1, text_int(text, cell->i), out);
		break;
	case CELL_REAL:
		text_real(text, cell->real);
		fputs_unlocked(isfinite(cell->real) ? text : "null", out);
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
	fputs_unlocked(first ? "\n{" : ",\n{", out);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputs_unlocked(", ", out);
		string(out, column[i].title, strlen(column[i].title));
		fputs_unlocked(": ", out);
		value(out, &row[i]);
	}
	putc_unlocked('}', out);
}

void json_end(FILE *out, bool empty)
{
	fputs_unlocked(empty ? "]\n" : "\n]\n", out);
}
