// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/place.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/text.h"

static const struct cell *get(struct query *query, const struct cell *row, const char *column)
{
	return &row[query_find_column(query, column)];
}

static char *get_text(struct query *query, const struct cell *row, const char *column)
{
	const struct cell *cell = get(query, row, column);

	return text_printable(cell->text, cell->len);
}

char *place_text(struct query *query, const struct cell *row)
{
	auto_free char *file = get_text(query, row, "file");
	auto_free char *func = get_text(query, row, "func");
	auto_free char *module = get_text(query, row, "module");
	const struct cell *off = get(query, row, "sym_off");
	const char *open = *module ? " [" : "", *close = *module ? "]" : "";

	if (*file)
		return xasprintf("%s:%" PRId64 " %s%s%s%s", file, get(query, row, "line")->i,
				 func, open, module, close);
	if (off->type == CELL_INT)
		return xasprintf("%s+%#" PRIx64 "/%#" PRIx64 "%s%s%s", func, (uint64_t)off->i,
				 (uint64_t)get(query, row, "sym_size")->i, open, module, close);
	return xasprintf("%s%s%s%s", *func ? func : "(no address recorded)", open, module,
			 close);
}

bool place_is(struct query *query, const struct cell *row, const char *name)
{
	auto_free char *all = place_text(query, row);
	auto_free char *file = get_text(query, row, "file");
	auto_free char *func = get_text(query, row, "func");
	size_t len = strlen(name);

	if (!strcmp(name, func) || !strcmp(name, file) || !strcmp(name, all))
		return true;
	/* file:line before the function, function+offset before the size */
	return len && !strncmp(all, name, len) && (all[len] == ' ' || all[len] == '/') &&
	       (strchr(name, ':') || strchr(name, '+'));
}
