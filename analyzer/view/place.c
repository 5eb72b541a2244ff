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

/* A text as a terminal takes it: mostly itself; *ret_owned when not. "" of NULL. */
static const char *shown(const char *text, char **ret_owned)
{
	size_t len = text ? strlen(text) : 0;

	if (text_is_plain(text, len))
		return text ? text : "";
	return *ret_owned = text_printable(text, len);
}

enum { PARTS = 8 };

/* A report makes one for each row. */
static char *join(const char *const part[PARTS])
{
	size_t len[PARTS], all = 0;

	for (size_t i = 0; i < PARTS; i++)
		all += len[i] = strlen(part[i]);
	char *ret = xmalloc(all + 1), *end = ret;

	for (size_t i = 0; i < PARTS; i++)
		end = mempcpy(end, part[i], len[i]);
	*end = '\0';
	return ret;
}

char *place_format(const struct place *place)
{
	auto_free char *own_file = NULL;
	auto_free char *own_func = NULL;
	auto_free char *own_module = NULL;
	const char *file = shown(place->file, &own_file), *func = shown(place->func, &own_func);
	const char *module = shown(place->module, &own_module);
	const char *open = *module ? " [" : "", *close = *module ? "]" : "";

	if (*file) {
		char line[TEXT_MAX];

		text_int(line, place->line);
		return join(
			(const char *[]){ file, ":", line, " ", func, open, module, close });
	}
	if (place->sym_size)
		return xasprintf("%s+%#" PRIx64 "/%#" PRIx64 "%s%s%s", func,
				 (uint64_t)place->sym_off, (uint64_t)place->sym_size, open,
				 module, close);
	return xasprintf("%s%s%s%s", *func ? func : "(no address recorded)", open, module,
			 close);
}

static const char *known_text(const struct cell *cell)
{
	return cell->type == CELL_TEXT ? cell->text : NULL;
}

char *place_text(struct query *query, const struct cell *row)
{
	return place_format(&(struct place){
		.file = known_text(get(query, row, "file")),
		.func = known_text(get(query, row, "func")),
		.module = known_text(get(query, row, "module")),
		.line = get(query, row, "line")->i,
		.sym_off = get(query, row, "sym_off")->i,
		.sym_size = get(query, row, "sym_size")->i,
	});
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
