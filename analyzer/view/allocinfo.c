// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/allocinfo.h"

#include <inttypes.h>
#include <string.h>

#include "view/text.h"

/* A field of a line whose fields end at a space. */
static char *word(const struct cell *cell)
{
	char *text = text_printable(cell->text, cell->len);

	for (char *p = text; *p; p++)
		if (*p == ' ')
			*p = '_';
	return text;
}

struct err *allocinfo_print(struct query *query, FILE *out)
{
	size_t file = query_find_column(query, "file"), line = query_find_column(query, "line");
	size_t func = query_find_column(query, "func"),
	       module = query_find_column(query, "module");
	size_t inaccurate = query_find_column(query, "inaccurate");
	size_t bytes = query_find_column(query, "net_bytes");
	size_t calls = query_find_column(query, "net_calls");
	const struct cell *row;

	fputs("# allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n", out);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		auto_free char *file_text = word(&row[file]);
		auto_free char *func_text = word(&row[func]);
		auto_free char *module_text = word(&row[module]);

		fprintf(out, "%12" PRId64 " %8" PRId64 " %s:%" PRId64 " ", row[bytes].i,
			row[calls].i, *file_text ? file_text : "[unknown]", row[line].i);
		if (*module_text)
			fprintf(out, "[%s] ", module_text);
		fprintf(out, "func:%s %s\n", *func_text ? func_text : "[unknown]",
			row[inaccurate].i ? "accurate:no " : "");
	}
}
