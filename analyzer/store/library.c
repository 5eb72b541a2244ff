// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/library.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/order.h"

const struct schema_query *library_find(const char *name)
{
	for (const struct schema_query *q = schema_queries; q->name; q++)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}

/* The comment line behind @line, without its dashes; NULL past the head. */
static const char *next_line(const char *line, size_t *ret_len)
{
	static const char dashes[] = "-- ";

	line += strcspn(line, "\n");
	if (!*line || strncmp(line + 1, dashes, strlen(dashes)) != 0)
		return NULL;
	line += 1 + strlen(dashes);
	*ret_len = strcspn(line, "\n");
	return line;
}

const char *library_summary(const struct schema_query *query, size_t *ret_len)
{
	/* Behind the line of the licence. */
	const char *line = next_line(query->text, ret_len);

	if (!line)
		*ret_len = 0;
	return line ? line : "";
}

bool library_param(const struct schema_query *query, size_t i, struct library_param *ret)
{
	size_t len;
	const char *line = library_summary(query, &len);

	do {
		line = next_line(line, &len);
		if (!line || *line != ':')
			return false;
	} while (i--);

	const char *end = line + len, *eq = memchr(line, '=', len);

	if (!eq)
		return false;
	*ret = (struct library_param){ .name = line + 1, .name_len = (size_t)(eq - line - 1) };
	ret->is_text = eq[1] == '\'';
	ret->value = eq + 1 + ret->is_text;
	const char *stop =
		memchr(ret->value, ret->is_text ? '\'' : ' ', (size_t)(end - ret->value));

	if (!stop)
		stop = end;
	ret->value_len = (size_t)(stop - ret->value);
	ret->meaning = stop;
	while (ret->meaning < end && (*ret->meaning == '\'' || *ret->meaning == ' '))
		ret->meaning++;
	ret->meaning_len = (size_t)(end - ret->meaning);
	return true;
}

/* A number when it reads as one, unless @text. */
static void bind(struct query *query, const char *name, const char *value, bool text)
{
	char *end;

	errno = 0;
	long long number = strtoll(value, &end, 0);

	if (text || !*value || *end || errno)
		query_bind_text(query, name, value);
	else
		query_bind_int(query, name, number);
}

static struct err *no_such(const struct query *query, const char *name, size_t len)
{
	auto_free char *names = xstrdup("");
	const char *other;

	for (size_t i = 0; (other = query_param(query, i)); i++) {
		auto_free char *before = take_ptr(names);

		names = xasprintf("%s%s%s", before, i ? ", " : "; there are ", other + 1);
	}
	return err_new(ERR_USAGE, "%.*s: the query has no such parameter%s", (int)len, name,
		       names);
}

/* Whether the parameters of @from (or numbers, where it is NULL) are texts. */
static struct err *bind_words(struct query *query, const struct schema_query *from,
			      char *const *values)
{
	for (; *values; values++) {
		const char *eq = strchr(*values, '=');
		struct library_param param;
		bool text = false;

		if (!eq || eq == *values)
			return err_new(ERR_USAGE, "%s: not a parameter; give NAME=VALUE",
				       *values);
		auto_free char *name = xasprintf(":%.*s", (int)(eq - *values), *values);

		if (!query_has_param(query, name))
			return no_such(query, *values, (size_t)(eq - *values));
		for (size_t i = 0; from && library_param(from, i, &param); i++)
			if (param.name_len == strlen(name + 1) &&
			    !memcmp(param.name, name + 1, param.name_len))
				text = param.is_text;
		bind(query, name, eq + 1, text);
	}
	return NULL;
}

struct err *library_prepare(struct query_db *db, const struct schema_query *from,
			    char *const *values, struct query **ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	struct library_param param;

	TRY(err_wrap(query_prepare(db, from->text, NULL, &query), "query %s", from->name));
	for (size_t i = 0; library_param(from, i, &param); i++) {
		auto_free char *name = xasprintf(":%.*s", (int)param.name_len, param.name);
		auto_free char *value = xasprintf("%.*s", (int)param.value_len, param.value);

		/* A part of a query may do without. */
		if (query_has_param(query, name))
			bind(query, name, value, param.is_text);
	}
	TRY(bind_words(query, from, values));
	*ret = take_ptr(query);
	return NULL;
}

/* Where the head ends, whose lines are comments. */
static const char *body_of(const char *text)
{
	while (!strncmp(text, "--", 2))
		text += strcspn(text, "\n") + 1;
	return text;
}

/* The text of @from with all rows, which @order is to put in order. */
static char *unordered(const struct schema_query *from, const char *body, const char *columns,
		       const char *end, const struct order *order)
{
	auto_free char *extra = order_extra(order, columns);

	return xasprintf("%.*sSELECT %s%s FROM (%.*s)", (int)(body - from->text), from->text,
			 columns ? columns : "*", extra, (int)(end - body), body);
}

struct err *library_prepare_part(struct query_db *db, const struct schema_query *from,
				 const char *columns, bool all, char *const *values,
				 struct query **ret)
{
	static const char by[] = "\nORDER BY ", limit[] = "\nLIMIT :rows";
	const char *body = body_of(from->text), *order_by = NULL;
	const char *end = strstr(body, limit);
	CLEANUP(order_deinit) struct order order = {};
	struct schema_query part = *from;

	assert(end);
	/* The last one is that of the whole. */
	for (const char *at = body; (at = strstr(at, by)); at++)
		order_by = at;
	assert(order_by && order_by < end);
	auto_free char *terms =
		xstrndup(order_by + strlen(by), (size_t)(end - order_by) - strlen(by));
	bool sorted = all && order_parse(terms, &order);
	auto_free char *text =
		sorted ? unordered(from, body, columns, order_by, &order)
		       : xasprintf("%.*sSELECT %s FROM (%.*s)%s", (int)(body - from->text),
				   from->text, columns ? columns : "*", (int)(order_by - body),
				   body, order_by);
	CLEANUP(query_cleanup) struct query *query = NULL;

	part.text = text;
	TRY(library_prepare(db, &part, values, &query));
	if (sorted)
		TRY(order_rows(&order, columns, query));
	*ret = take_ptr(query);
	return NULL;
}

struct err *library_bind(struct query *query, char *const *values)
{
	const char *param;

	TRY(bind_words(query, NULL, values));
	for (size_t i = 0; (param = query_param(query, i)); i++) {
		bool given = false;

		for (char *const *v = values; *v; v++)
			given |= !strncmp(*v, param + 1, strlen(param + 1)) &&
				 (*v)[strlen(param + 1)] == '=';
		if (!given)
			return err_new(ERR_USAGE,
				       "%s has no value; give %s=VALUE behind the query", param,
				       param + 1);
	}
	return NULL;
}
