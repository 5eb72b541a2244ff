/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/line.h - text on its way to a stream, in one piece
 *
 * Rules:  (1) a row of fifty cells is one call of the C library in place of a hundred,
 *             each of which would take as long as making the cell's text
 */
#ifndef VIEW_LINE_H
#define VIEW_LINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "view/text.h"

struct line {
	char *text;
	size_t len, cap;
};

static inline void line_deinit(struct line *line)
{
	free(line->text);
}

/* Where @len more bytes go; the caller adds to @line->len what it wrote there. */
static inline char *line_room(struct line *line, size_t len)
{
	if (len > line->cap - line->len) {
		line->cap = 2 * line->cap + len + 256;
		line->text = xreallocarray(line->text, line->cap, 1);
	}
	return line->text + line->len;
}

static inline void line_put(struct line *line, const char *text, size_t len)
{
	/* The text of nothing may be NULL. */
	if (!len)
		return;
	memcpy(line_room(line, len), text, len);
	line->len += len;
}

static inline void line_text(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

static inline void line_char(struct line *line, char c)
{
	*line_room(line, 1) = c;
	line->len++;
}

static inline void line_int(struct line *line, int64_t n)
{
	line->len += text_int(line_room(line, TEXT_MAX), n);
}

static inline void line_real(struct line *line, double v)
{
	line->len += text_real(line_room(line, TEXT_MAX), v);
}

/* To the stream; the line is empty then. */
static inline void line_write(struct line *line, FILE *out)
{
	if (line->len)
		fwrite_unlocked(line->text, 1, line->len, out);
	line->len = 0;
}

#endif
