// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/csv.h"
#include "view/json.h"
#include "view/markdown.h"
#include "view/table.h"

struct view {
	enum view_format format;
	FILE *out;
	const struct view_column *column;
	size_t nr;
	struct table *table;
	struct json *json;
	struct line line; /* but of a table, which has its own */
};

bool view_format_find(const char *name, enum view_format *ret)
{
	static const char *const names[] = {
		[VIEW_TABLE] = "table",
		[VIEW_CSV] = "csv",
		[VIEW_JSON] = "json",
		[VIEW_MARKDOWN] = "markdown",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i])) {
			*ret = (enum view_format)i;
			return true;
		}
	}
	return false;
}

struct view *view_new(enum view_format format, FILE *out, const struct view_layout *layout,
		      const struct view_column *column, size_t nr)
{
	struct view *view = xmalloc(sizeof(*view));

	*view = (struct view){ .format = format, .out = out, .column = column, .nr = nr };
	switch (format) {
	case VIEW_TABLE:
		view->table = table_new(out, layout, column, nr);
		break;
	case VIEW_CSV:
		csv_head(&view->line, column, nr);
		break;
	case VIEW_JSON:
		view->json = json_new(column, nr);
		break;
	case VIEW_MARKDOWN:
		markdown_head(&view->line, column, nr);
		break;
	}
	line_write(&view->line, out);
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	table_free(view->table);
	json_free(view->json);
	line_deinit(&view->line);
	free(view);
}

void view_row(struct view *view, const struct cell *row)
{
	switch (view->format) {
	case VIEW_TABLE:
		table_row(view->table, row);
		break;
	case VIEW_CSV:
		csv_row(&view->line, row, view->nr);
		break;
	case VIEW_JSON:
		json_row(view->json, &view->line, row);
		break;
	case VIEW_MARKDOWN:
		markdown_row(&view->line, view->column, row, view->nr);
		break;
	}
	line_write(&view->line, view->out);
}

void view_gap(struct view *view)
{
	if (view->format == VIEW_TABLE)
		table_gap(view->table);
}

void view_finish(struct view *view)
{
	switch (view->format) {
	case VIEW_TABLE:
		table_finish(view->table);
		break;
	case VIEW_CSV:
	case VIEW_MARKDOWN:
		break;
	case VIEW_JSON:
		json_end(view->json, &view->line);
		break;
	}
	line_write(&view->line, view->out);
}

struct err *view_query(struct query *query, enum view_format format, FILE *out,
		       const struct view_layout *layout)
{
	size_t nr = query_nr_columns(query);
	auto_free struct view_column *column = xcalloc(nr, sizeof(*column));

	for (size_t i = 0; i < nr; i++)
		column[i].title = query_column(query, i);
	CLEANUP(view_cleanup) struct view *view = view_new(format, out, layout, column, nr);
	const struct cell *row;

	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		view_row(view, row);
	}
	view_finish(view);
	return NULL;
}
