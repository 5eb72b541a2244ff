// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/quickview.h"

#include <assert.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/schema.h"

/* @text, which is freed, with @to for each @from. */
static char *replaced(char *text, const struct quickview_words *words)
{
	char *at = strstr(text, words->from);

	assert(at);
	for (; at; at = strstr(at, words->from)) {
		auto_free char *before = text;
		size_t offset = (size_t)(at - text);

		text = xasprintf("%.*s%s%s", (int)offset, before, words->to,
				 at + strlen(words->from));
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
