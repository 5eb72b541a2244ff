/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/json.h - rows as an array of objects (RFC 8259), one object a line
 *
 * Rules:  (1) the output is valid JSON whatever the cells hold: bytes that are
 *             not UTF-8 become U+FFFD, numbers that JSON lacks become null, a
 *             blob is a text in hexadecimal
 */
#ifndef VIEW_JSON_H
#define VIEW_JSON_H

#include "view/line.h"
#include "view/view.h"

struct json;

struct json *json_new(const struct view_column *column, size_t nr);
void json_free(struct json *json);

/* All rows take the same @line; its text is an array once json_end() was called. */
void json_row(struct json *json, struct line *line, const struct cell *row);
void json_end(struct json *json, struct line *line);

#endif
