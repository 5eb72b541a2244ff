// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/schema.h"

#include <assert.h>
#include <string.h>

const char schema_tables[] =
#include "schema/tables.sql.inc"
	;

const char schema_views[] =
#include "schema/views.sql.inc"
	;

const char schema_indices[] =
#include "schema/indices.sql.inc"
	;

bool schema_next_view(const char **at, struct schema_view *ret)
{
	static const char create[] = "CREATE VIEW ", as[] = " AS\n", end[] = ";\n";
	const char *text = strstr(*at, create);

	if (!text)
		return false;
	ret->text = text;
	ret->name = text + strlen(create);
	ret->name_len = (int)strcspn(ret->name, " ");
	*at = strstr(text, end);
	ret->query = strstr(text, as);
	assert(*at && ret->query && ret->query < *at);
	ret->text_len = (int)(*at - text);
	ret->query += strlen(as);
	ret->query_len = (int)(*at - ret->query);
	return true;
}

const struct schema_query schema_queries[] = {
#include "schema/queries.inc"
	{},
};

const char *schema_query(const char *name)
{
	for (const struct schema_query *q = schema_queries; q->name; q++)
		if (!strcmp(q->name, name))
			return q->text;
	assert(!"the program has that query");
	return "";
}
