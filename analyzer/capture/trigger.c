// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/trigger.h"

#include <stdlib.h>

/* A number with nothing or K, M, G, T behind it. */
static bool parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t v = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9')
		return false;
	if (*end) {
		const char *unit = strchr(units, *end);

		if (!unit || end[1] ||
		    __builtin_mul_overflow(v, UINT64_C(1) << 10 * (unit - units + 1), &v))
			return false;
	}
	*ret = v;
	return true;
}

struct err *trigger_parse(const char *text, struct trigger *ret)
{
	size_t len = strcspn(text, "<>");
	struct trigger trigger = { .text = text, .field_len = len };

	if (!len || !text[len] || !parse_size(text + len + 1, &trigger.limit))
		return err_new(ERR_USAGE,
			       "%s: not a field of /proc/meminfo, < or >, and a size, like "
			       "SUnreclaim>2G",
			       text);
	trigger.above = text[len] == '>';
	*ret = trigger;
	return NULL;
}

bool trigger_value(const struct trigger *trigger, struct span meminfo, uint64_t *ret)
{
	struct span line;

	while (span_line(&meminfo, &line)) {
		size_t i = trigger->field_len;
		uint64_t v = 0;
		size_t digits = 0;

		if (line.len <= i || memcmp(line.data, trigger->text, i) ||
		    line.data[i++] != ':')
			continue;
		while (i < line.len && line.data[i] == ' ')
			i++;
		for (; i < line.len && line.data[i] >= '0' && line.data[i] <= '9';
		     i++, digits++)
			if (__builtin_mul_overflow(v, 10, &v) ||
			    __builtin_add_overflow(v, line.data[i] - '0', &v))
				return false;
		if (!digits)
			return false;
		if (line.len - i == 3 && !memcmp(line.data + i, " kB", 3) &&
		    __builtin_mul_overflow(v, 1024, &v))
			return false;
		*ret = v;
		return true;
	}
	return false;
}

bool trigger_fires(struct trigger *trigger, struct span meminfo)
{
	uint64_t v;
	bool is_true = trigger_value(trigger, meminfo, &v) &&
		       (trigger->above ? v > trigger->limit : v < trigger->limit);
	bool fires = is_true && !trigger->was_true;

	trigger->was_true = is_true;
	return fires;
}
