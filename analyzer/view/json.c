// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/json.h"

#include <math.h>
#include <string.h>

/* In front of a value is the same text in each row. */
struct json {
	size_t nr;
	struct line names;
	size_t *end; /* of each, in names */
	bool any;
};

static bool stands_for_itself(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The character of @n bytes at @text, or a byte that is none, 0. */
static void put_escaped(struct line *line, const char *text, size_t n)
{
	uint8_t c = (uint8_t)*text;

	if (!n)
		line_text(line, "\\ufffd");
	else if (c == '"' || c == '\\')
		line_put(line, (const char[]){ '\\', *text }, 2);
	else if (c == '\n')
		line_text(line, "\\n");
	else if (c == '\t')
		line_text(line, "\\t");
	else if (c < 0x20 || c == 0x7f)
		line->len += (size_t)sprintf(line_room(line, 7), "\\u%04x", c);
	else
		line_put(line, text, n);
}

static void string(struct line *line, const char *text, size_t len)
{
	line_char(line, '"');
	for (size_t i = 0; i < len;) {
		size_t plain = i;

		while (plain < len && stands_for_itself((uint8_t)text[plain]))
			plain++;
		line_put(line, text + i, plain - i);
		i = plain;
		if (i == len)
			break;
		size_t n = text_utf8(text + i, len - i);

		put_escaped(line, text + i, n);
		i += n ? n : 1;
	}
	line_char(line, '"');
}

struct json *json_new(const struct view_column *column, size_t nr)
{
	struct json *json = xmalloc(sizeof(*json));

	*json = (struct json){ .nr = nr, .end = xcalloc(nr, sizeof(*json->end)) };
	for (size_t i = 0; i < nr; i++) {
		line_text(&json->names, i ? ", " : "{");
		string(&json->names, column[i].title, strlen(column[i].title));
		line_text(&json->names, ": ");
		json->end[i] = json->names.len;
	}
	return json;
}

void json_free(struct json *json)
{
	if (!json)
		return;
	line_deinit(&json->names);
	free(json->end);
	free(json);
}

static void value(struct line *line, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		line_put(line, "null", 4);
		break;
	case CELL_INT:
		line_int(line, cell->i);
		break;
	case CELL_REAL:
		if (isfinite(cell->real))
			line_real(line, cell->real);
		else
			line_put(line, "null", 4);
		break;
	case CELL_TEXT:
		string(line, cell->text, cell->len);
		break;
	case CELL_BLOB: {
		auto_free char *hex = text_hex(cell->text, cell->len);

		string(line, hex, strlen(hex));
		break;
	}
	}
}

void json_row(struct json *json, struct line *line, const struct cell *row)
{
	size_t from = 0;

	line_text(line, json->any ? ",\n" : "[\n");
	json->any = true;
	if (!json->nr)
		line_char(line, '{');
	for (size_t i = 0; i < json->nr; from = json->end[i++]) {
		line_put(line, json->names.text + from, json->end[i] - from);
		value(line, &row[i]);
	}
	line_char(line, '}');
}

void json_end(struct json *json, struct line *line)
{
	line_text(line, json->any ? "\n]\n" : "[]\n");
}
