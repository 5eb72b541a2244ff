// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/markdown.h"

#include <string.h>

#include "base/xalloc.h"
#include "view/table.h"

/* Escapes what would end the cell, or be taken for an emphasis, a link or a tag. */
static void cell_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\`*_[]<>", *text))
			putc_unlocked('\\', out);
		putc_unlocked(*text, out);
	}
}

void markdown_head(FILE *out, const struct view_column *column, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? " | " : "| ", out);
		cell_text(out, column[i].title);
	}
	fputs(" |\n", out);
	for (size_t i = 0; i < nr; i++) {
		bool text = column[i].style == VIEW_PLAIN || column[i].style == VIEW_SITE;

		fputs(text ? "|---" : "|---:", out);
	}
	fputs("|\n", out);
}

void markdown_row(FILE *out, const struct view_column *column, const struct cell *row,
		  size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		auto_free char *text = table_cell(&row[i], column[i].style, true);

		fputs(i ? " | " : "| ", out);
		cell_text(out, text);
	}
	fputs(" |\n", out);
}
