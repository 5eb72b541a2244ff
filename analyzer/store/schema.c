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
