// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/sorted.h"

/* How long a term is: up to a comma that is in no parentheses or quotes. */
static size_t term_len(const char *text)
{
	size_t len = 0;
	bool quoted = false;

	for (int depth = 0; text[len] && (quoted || depth || text[len] != ','); len++) {
		quoted ^= text[len] == '\'';
		depth += quoted ? 0 : (text[len] == '(') - (text[len] == ')');
	}
	return len;
}

static struct order_term make_term(const char *text, size_t len)
{
	static const char space[] = " \t\n", desc[] = " DESC";
	size_t before = strspn(text, space), after = strlen(desc);

	if (before > len)
		before = len;
	while (len > before && strchr(space, text[len - 1]))
		len--;
	bool descending = len - before > after && !strncmp(text + len - after, desc, after);

	return (struct order_term){
		.text = xstrndup(text + before, len - before - (descending ? after : 0)),
		.descending = descending,
	};
}

/* What is the same in what comes before decides nothing. */
static bool is_known(const struct order *order, const char *text)
{
	for (size_t i = 0; i < order->nr; i++)
		if (!strcmp(order->term[i].text, text))
			return true;
	return false;
}

bool order_parse(const char *text, struct order *ret)
{
	*ret = (struct order){};
	for (;; text++) {
		size_t len = term_len(text);

		if (ret->nr == ORDER_TERMS)
			return false;
		struct order_term term = make_term(text, len);

		if (is_known(ret, term.text))
			free(term.text);
		else
			ret->term[ret->nr++] = term;
		text += len;
		if (!*text)
			return true;
	}
}

void order_deinit(struct order *order)
{
	for (size_t i = 0; i < order->nr; i++)
		free(order->term[i].text);
	*order = (struct order){};
}

int order_column(const char *columns, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0;; i++) {
		size_t word = strcspn(columns, ",");

		if (word == len && !memcmp(columns, name, len))
			return i;
		if (!columns[word])
			return -1;
		columns += word + 1 + strspn(columns + word + 1, " ");
	}
}

char *order_extra(const struct order *order, const char *columns)
{
	char *list = xstrdup("");

	for (size_t i = 0; i < order->nr; i++) {
		if (columns && order_column(columns, order->term[i].text) >= 0)
			continue;
		auto_free char *before = list;

		list = xasprintf("%s, %s", before, order->term[i].text);
	}
	return list;
}

struct err *order_rows(const struct order *order, const char *columns, struct query *query)
{
	struct sorted_key key[ORDER_TERMS];
	size_t nr_extra = 0;

	for (size_t i = 0; i < order->nr; i++)
		nr_extra += !columns || order_column(columns, order->term[i].text) < 0;
	size_t nr_shown = query_nr_columns(query) - nr_extra, extra = nr_shown;

	for (size_t i = 0; i < order->nr; i++) {
		int column = columns ? order_column(columns, order->term[i].text) : -1;

		key[i] = (struct sorted_key){ column < 0 ? extra++ : (size_t)column,
					      order->term[i].descending };
	}
	return query_sort(query, key, order->nr, nr_shown);
}
