// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/quickview.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/schema.h"

/* @text, which is freed, with @to for each @from. */
static char *replaced(char *text, const struct quickview_words *words)
{
	static const char rest[] = " …";
	size_t len = strlen(words->from), end = strlen(rest);
	bool all = len > end && !strcmp(words->from + len - end, rest);
	auto_free char *from = xstrndup(words->from, all ? len - end : len);
	char *at = strstr(text, from);

	assert(at);
	for (; at; at = strstr(at, from)) {
		auto_free char *before = text;
		size_t offset = (size_t)(at - text);

		text = xasprintf("%.*s%s%s", (int)offset, before, words->to,
				 all ? "" : at + strlen(from));
		at = text + offset + strlen(words->to);
	}
	return text;
}

static struct schema_view find(const char *name)
{
	const char *at = schema_views;
	struct schema_view view = {};
	bool more;

	do
		more = schema_next_view(&at, &view);
	while (more && ((size_t)view.name_len != strlen(name) ||
			memcmp(view.name, name, strlen(name)) != 0));
	assert(more);
	return view;
}

int quickview_define(sqlite3 *db, const char *name, const struct quickview_words *words,
		     size_t nr)
{
	struct schema_view view = find(name);
	auto_free char *text =
		xasprintf("CREATE TEMP VIEW %s AS %.*s", name, view.query_len, view.query);

	for (size_t i = 0; i < nr; i++)
		text = replaced(take_ptr(text), &words[i]);
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}
