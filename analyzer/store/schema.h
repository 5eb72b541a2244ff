/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/schema.h - the texts of schema/, embedded
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stdbool.h>

enum {
	SCHEMA_APPLICATION_ID = 0x61707266, /* as in schema/tables.sql; a test compares */
	SCHEMA_VERSION = 3,
};

extern const char schema_tables[];
extern const char schema_views[];
extern const char schema_indices[];

/* A statement of schema_views. */
struct schema_view {
	const char *name, *text; /* text: from CREATE on, without the semicolon */
	int name_len, text_len;
	const char *query; /* of the text, behind AS */
	int query_len;
};

/* The next view from *at on, which begins at schema_views; false: there is none. */
bool schema_next_view(const char **at, struct schema_view *ret);

/* A file of schema/queries/: store/library.h tells what its head means. */
struct schema_query {
	const char *name; /* of the file, without .sql */
	const char *text;
};

/* All of them by name; ends in {}. */
extern const struct schema_query schema_queries[];

/* The text of a query; a name that there is not is a mistake of the program. */
const char *schema_query(const char *name);

#endif
