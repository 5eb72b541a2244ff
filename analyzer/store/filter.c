// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const struct {
	const char *name;
	bool number;
	bool account; /* only accounts tell it apart */
} keys[FILTER_KEYS] = {
	[FILTER_PID] = { "pid", true, true },
	[FILTER_TGID] = { "tgid", true, true },
	[FILTER_COMM] = { "comm", false, true },
	[FILTER_CGROUP] = { "cgroup", false, true },
	[FILTER_CPU] = { "cpu", true, true },
	[FILTER_NODE] = { "node", true, true },
	[FILTER_CONTEXT] = { "context", false, true },
	[FILTER_GFP] = { "gfp", false, true },
	[FILTER_ORDER] = { "order", true, true },
	[FILTER_MIGRATETYPE] = { "migratetype", false, true },
	[FILTER_CACHE] = { "cache", false, false },
	[FILTER_FILE] = { "file", false, false },
	[FILTER_FUNC] = { "func", false, false },
	[FILTER_MODULE] = { "module", false, false },
	[FILTER_RECORDING] = { "recording", true, false },
	[FILTER_HOST] = { "host", false, false },
};

/* The key that @text begins with, and "=" behind it; FILTER_KEYS for none. */
static size_t key_at(const char *text)
{
	size_t len = strcspn(text, "=,");

	for (size_t i = 0; text[len] == '=' && i < FILTER_KEYS; i++)
		if (strlen(keys[i].name) == len && !memcmp(keys[i].name, text, len))
			return i;
	return FILTER_KEYS;
}

static size_t value_len(const char *value)
{
	for (size_t len = 0;; len++)
		if (!value[len] || (value[len] == ',' && key_at(value + len + 1) < FILTER_KEYS))
			return len;
}

struct err *filter_parse(const char *text, struct filter *ret)
{
	for (const char *at = text;;) {
		size_t key = key_at(at);

		if (key == FILTER_KEYS)
			return err_new(ERR_USAGE,
				       "--for %s: give KEY=VALUE,... with pid, tgid, comm, "
				       "cgroup, cpu, node, context, gfp, order, migratetype, "
				       "cache, file, func, module, recording or host",
				       text);
		if (ret->value[key])
			return err_new(ERR_USAGE, "--for %s: %s is given twice", text,
				       keys[key].name);
		const char *value = at + strlen(keys[key].name) + 1;
		size_t len = value_len(value);

		if (!len || (keys[key].number && strspn(value, "0123456789") < len))
			return err_new(ERR_USAGE, "--for %s: %s wants a %s", text,
				       keys[key].name, keys[key].number ? "number" : "value");
		ret->value[key] = xstrndup(value, len);
		if (!value[len])
			return NULL;
		at = value + len + 1;
	}
}

void filter_deinit(struct filter *filter)
{
	for (size_t i = 0; i < FILTER_KEYS; i++)
		free(filter->value[i]);
	*filter = (struct filter){};
}

bool filter_is_empty(const struct filter *filter)
{
	for (size_t i = 0; filter && i < FILTER_KEYS; i++)
		if (filter->value[i])
			return false;
	return true;
}

const char *filter_by_account(const struct filter *filter)
{
	for (size_t i = 0; filter && i < FILTER_KEYS; i++)
		if (filter->value[i] && keys[i].account)
			return keys[i].name;
	return NULL;
}

size_t filter_words(const struct filter *filter, char **ret)
{
	size_t nr = 0;

	for (size_t i = 0; filter && i < FILTER_KEYS; i++)
		if (filter->value[i])
			ret[nr++] = xasprintf("%s=%s", keys[i].name, filter->value[i]);
	return nr;
}

void filter_bind(const struct filter *filter, struct query *query)
{
	for (size_t i = 0; i < FILTER_KEYS; i++) {
		auto_free char *name = xasprintf(":%s", keys[i].name);
		const char *value = filter ? filter->value[i] : NULL;

		query_bind_text(query, name, value ? value : "");
	}
}
