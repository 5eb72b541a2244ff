// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sites.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/schema.h"
#include "store/siterows.h"

/* NULLs last, which SQLite sorts first. */
#define TEXT_KEY(column) column " IS NULL, " column

static const struct {
	const char *name, *order;
} keys[] = {
	{ "bytes", "net_bytes DESC" },
	{ "calls", "net_calls DESC" },
	{ "alloc_bytes", "alloc_bytes DESC" },
	{ "allocs", "allocs DESC" },
	{ "frees", "frees DESC" },
	{ "peak", "peak_bytes DESC" },
	{ "req", "bytes_req DESC" },
	{ "waste", "waste_bytes DESC" },
	{ "failures", "failures DESC" },
	{ "inferred", "inferred_frees DESC" },
	{ "unknown", "unknown_frees DESC" },
	{ "uncertain", "uncertain_bytes DESC" },
	{ "first", "first_ns" },
	{ "last", "last_ns DESC" },
	{ "kind", "kind" },
	{ "file", TEXT_KEY("file") ", line" },
	{ "func", TEXT_KEY("func") },
	{ "module", TEXT_KEY("module") },
	/* The columns' own names, where they differ. */
	{ "net_bytes", "net_bytes DESC" },
	{ "net_calls", "net_calls DESC" },
	{ "peak_bytes", "peak_bytes DESC" },
	{ "bytes_req", "bytes_req DESC" },
	{ "waste_bytes", "waste_bytes DESC" },
	{ "inferred_frees", "inferred_frees DESC" },
	{ "unknown_frees", "unknown_frees DESC" },
	{ "uncertain_bytes", "uncertain_bytes DESC" },
};
enum { NR_KEYS = sizeof(keys) / sizeof(*keys), NR_SHORT_KEYS = 18 };

ERR_PRINTF(2, 3) static void append(char **text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *more = xvasprintf(fmt, ap);
	va_end(ap);
	char *longer = xasprintf("%s%s", *text, more);

	free(*text);
	*text = longer;
}

char *sites_keys(void)
{
	char *list = xstrdup(keys[0].name);

	for (size_t i = 1; i < NR_SHORT_KEYS; i++)
		append(&list, ", %s", keys[i].name);
	return list;
}

/* The next word of a list with commas; false at the end. Moves @list. */
static bool next_word(const char **list, const char **word, size_t *len)
{
	if (!*list)
		return false;
	*word = *list;
	*len = strcspn(*list, ",");
	*list = (*word)[*len] ? *word + *len + 1 : NULL;
	return true;
}

static const char *find_order(const char *word, size_t len)
{
	for (size_t i = 0; i < NR_KEYS; i++)
		if (strlen(keys[i].name) == len && !memcmp(keys[i].name, word, len))
			return keys[i].order;
	return NULL;
}

static bool is_kind(const char *word, size_t len)
{
	const char *list = SITES_ALL_KINDS, *kind;
	size_t kind_len;

	while (next_word(&list, &kind, &kind_len))
		if (kind_len == len && !memcmp(kind, word, len))
			return true;
	return false;
}

static bool is_group(const char *name)
{
	const char *list = SITES_GROUPS, *word;
	size_t len;

	while (next_word(&list, &word, &len)) {
		size_t space = strspn(word, " ");

		if (strlen(name) == len - space && !memcmp(name, word + space, len - space))
			return true;
	}
	return false;
}

struct err *sites_check(const struct sites_opts *opts)
{
	const char *list = opts->kinds, *word;
	size_t len;

	while (next_word(&list, &word, &len))
		if (!is_kind(word, len))
			return err_new(ERR_USAGE,
				       "--kind %.*s: no such kind; there are " SITES_ALL_KINDS,
				       (int)len, word);
	list = opts->sort;
	while (next_word(&list, &word, &len)) {
		if (find_order(word, len))
			continue;
		auto_free char *names = sites_keys();

		return err_new(ERR_USAGE, "--sort %.*s: no such key; there are %s", (int)len,
			       word, names);
	}
	if (!is_group(opts->by ? opts->by : "site"))
		return err_new(ERR_USAGE,
			       "--by %s: no such group; there are " SITES_GROUPS " N",
			       opts->by);
	return NULL;
}

bool sites_grouped(const struct sites_opts *opts)
{
	return opts->by && strcmp(opts->by, "site");
}

/* The terms of ORDER BY; owned. */
static char *order_of(const struct sites_opts *opts)
{
	auto_free char *order = xstrdup("");
	const char *list = opts->sort, *word;
	size_t len;

	while (next_word(&list, &word, &len))
		append(&order, "%s, ", find_order(word, len));
	append(&order,
	       "net_bytes DESC, alloc_bytes DESC, %sfile, line, func, module, kind, first_ns",
	       sites_grouped(opts) ? "name, " : "");
	return take_ptr(order);
}

static struct err *prepare(struct query_db *db, const char *base, const struct sites_opts *opts,
			   struct query **ret)
{
	TRY(sites_check(opts));
	auto_free char *order = order_of(opts);
	auto_free char *limit =
		opts->limit ? xasprintf(" LIMIT %" PRIu64, opts->limit) : xstrdup("");
	/* What is not asked for is not sorted, either. */
	auto_free char *sql =
		xasprintf("SELECT %s FROM (%s)\nORDER BY %s%s",
			  opts->columns ? opts->columns : "*", base, order, limit);

	TRY(query_prepare(db, sql, NULL, ret));
	query_bind_text(*ret, ":kinds", opts->kinds);
	return NULL;
}

/* What only accounts tell apart. */
#define ACCOUNT_GROUPS ",kind,pid,tgid,comm,cgroup,cpu,node,context,gfp,order,migratetype,"

bool sites_by_account(const struct sites_opts *opts)
{
	auto_free char *word = xasprintf(",%s,", opts->by ? opts->by : "site");

	return !filter_is_empty(opts->filter) || strstr(ACCOUNT_GROUPS, word);
}

static struct err *accounts_query(struct query_db *db, const struct sites_opts *opts,
				  struct query **ret)
{
	/* What a call site is called, and how sure it is, no account knows. */
	auto_free char *sql =
		xasprintf("SELECT w.*, c.sym_off, c.sym_size, c.confidence\n"
			  "FROM (%s) w LEFT JOIN call_sites c ON c.id = w.call_site",
			  schema_query("who"));

	TRY(prepare(db, sql, opts, ret));
	query_bind_int(*ret, ":self", opts->self);
	query_bind_text(*ret, ":by", opts->by ? opts->by : "site");
	filter_bind(opts->filter, *ret);
	return NULL;
}

static struct err *all_query(struct query_db *db, const struct sites_opts *opts,
			     struct query **ret)
{
	TRY(sites_check(opts));
	auto_free char *order = order_of(opts);

	return siterows_query(
		db, &(struct siterows){ opts->kinds, opts->self, opts->columns, order }, ret);
}

struct err *sites_query(struct query_db *db, const struct sites_opts *opts, struct query **ret)
{
	bool grouped = sites_grouped(opts);

	if (sites_by_account(opts))
		return accounts_query(db, opts, ret);
	if (!grouped && !opts->limit)
		return all_query(db, opts, ret);
	TRY(prepare(db, grouped ? schema_query("groups") : schema_query("sites"), opts, ret));
	query_bind_int(*ret, ":self", opts->self);
	if (!grouped)
		return NULL;
	query_bind_text(*ret, ":by", opts->by);
	query_bind_int(*ret, ":depth", (int64_t)opts->depth);
	return NULL;
}

struct err *sites_query_allocinfo(struct query_db *db, const struct sites_opts *opts,
				  struct query **ret)
{
	return prepare(db, schema_query("allocinfo"), opts, ret);
}
