/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/markdown.h - rows as a table in Markdown, as GitHub and GitLab render it
 */
#ifndef VIEW_MARKDOWN_H
#define VIEW_MARKDOWN_H

#include "view/line.h"
#include "view/view.h"

void markdown_head(struct line *line, const struct view_column *column, size_t nr);
void markdown_row(struct line *line, const struct view_column *column, const struct cell *row,
		  size_t nr);

#endif
