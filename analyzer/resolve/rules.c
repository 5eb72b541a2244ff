// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/rules.h"

#include <limits.h>

#include "base/xalloc.h"

struct rule {
	char *name; /* without its * */
	size_t len;
	unsigned int class;
	bool any_before, any_after;
};

struct rules {
	unsigned long version;
	struct rule *exact; /* sorted by name */
	size_t nr_exact, cap_exact;
	struct rule *wild;
	size_t nr_wild, cap_wild;
};

static const char builtin[] =
#include "analyzer/resolve/rules.txt.inc"
	;

struct span rules_builtin(void)
{
	return (struct span){ (const uint8_t *)builtin, sizeof(builtin) - 1 };
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr_exact; i++)
		free(r->exact[i].name);
	for (size_t i = 0; i < r->nr_wild; i++)
		free(r->wild[i].name);
	free(r->exact);
	free(r->wild);
	free(r);
}

static bool parse_class(const char *word, unsigned int *ret)
{
	static const struct {
		const char *name;
		unsigned int class;
	} classes[] = {
		{ "plumbing", RULE_PLUMBING },
		{ "allocator", RULE_ALLOCATOR },
		{ "passthrough", RULE_PASSTHROUGH },
		{ "callback", RULE_CALLBACK },
		{ "caller", RULE_CALLER },
		{ "area", RULE_AREA },
		{ "keep", RULE_KEEP },
		{ "vmalloc", RULE_VMALLOC },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (!strcmp(word, classes[i].name)) {
			*ret = classes[i].class;
			return true;
		}
	}
	return false;
}

/* "6.10" to a number that compares as versions do. */
static bool parse_version(const char **s, unsigned long *ret)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	unsigned long major = strtoul(*s, &end, 10);

	if (*end != '.' || end[1] < '0' || end[1] > '9')
		return false;
	unsigned long minor = strtoul(end + 1, &end, 10);

	if (major > USHRT_MAX || minor > USHRT_MAX)
		return false;
	*ret = major << 16 | minor;
	*s = end;
	return true;
}

/* [all], [A-], [-B], [A-B]; *ret: do the rules below hold for @version? */
static bool parse_section(const char *s, unsigned long version, bool *ret)
{
	unsigned long from = 0, to = ULONG_MAX;

	if (!strcmp(s, "[all]")) {
		*ret = true;
		return true;
	}
	s++;
	if (*s != '-' && !parse_version(&s, &from))
		return false;
	if (*s++ != '-')
		return false;
	if (*s != ']' && !parse_version(&s, &to))
		return false;
	*ret = from <= version && version <= to;
	return !strcmp(s, "]") && from <= to && (from || to != ULONG_MAX);
}

/* @ret->name is borrowed from @word. */
static bool parse_name(char *word, unsigned int class, struct rule *ret)
{
	*ret = (struct rule){ .class = class, .any_before = *word == '*' };
	ret->name = word + ret->any_before;
	ret->len = strlen(ret->name);
	ret->any_after = ret->len && ret->name[ret->len - 1] == '*';
	ret->len -= ret->any_after;
	return ret->len && !memchr(ret->name, '*', ret->len);
}

static void add_rule(struct rules *r, struct rule rule)
{
	rule.name = xstrndup(rule.name, rule.len);
	if (rule.any_before || rule.any_after) {
		vec_room(r->wild, r->nr_wild, r->cap_wild);
		r->wild[r->nr_wild++] = rule;
	} else {
		vec_room(r->exact, r->nr_exact, r->cap_exact);
		r->exact[r->nr_exact++] = rule;
	}
}

static struct err *parse_line(struct rules *r, char *line, unsigned long version, bool *holds)
{
	char *save, *word = strtok_r(line, " \t\r", &save);
	unsigned int class;

	if (!word || *word == '#')
		return NULL;
	if (*word == '[') {
		if (!parse_section(word, version, holds) || strtok_r(NULL, " \t\r", &save))
			return err_new(
				ERR_FORMAT,
				"\"%s\" is no range: [all], [6.10-], [-6.9] or [6.1-6.9]",
				word);
		return NULL;
	}
	if (!parse_class(word, &class))
		return err_new(
			ERR_FORMAT,
			"\"%s\" is no class: plumbing, allocator, passthrough, callback, "
			"caller, area or keep",
			word);
	const char *class_word = word;
	size_t nr = 0;

	while ((word = strtok_r(NULL, " \t\r", &save)) && *word != '#') {
		struct rule rule;

		if (!parse_name(word, class, &rule))
			return err_new(ERR_FORMAT,
				       "\"%s\" is no name: * may stand first or last", word);
		if (*holds)
			add_rule(r, rule);
		nr++;
	}
	if (!nr)
		return err_new(ERR_FORMAT, "\"%s\" without a name", class_word);
	return NULL;
}

static int compare_rules(const void *va, const void *vb)
{
	const struct rule *a = va, *b = vb;

	return strcmp(a->name, b->name);
}

struct err *rules_parse(struct span text, unsigned int major, unsigned int minor,
			struct rules **ret)
{
	CLEANUP(rules_cleanup) struct rules *r = xcalloc(1, sizeof(*r));

	r->version = (unsigned long)major << 16 | minor;
	TRY(err_wrap(rules_add(r, text), "rules"));
	*ret = take_ptr(r);
	return NULL;
}

static struct err *parse_text(struct rules *r, struct span text)
{
	bool holds = true;
	struct span line;

	for (size_t nr = 1; span_line(&text, &line); nr++) {
		auto_free char *copy = xstrndup((const char *)line.data, line.len);

		TRY(err_wrap(parse_line(r, copy, r->version, &holds), "line %zu", nr));
	}
	return NULL;
}

/* Takes back what lies behind the first @nr rules. */
static void forget(struct rule *rule, size_t *nr, size_t keep)
{
	while (*nr > keep)
		free(rule[--*nr].name);
}

struct err *rules_add(struct rules *r, struct span text)
{
	size_t nr_exact = r->nr_exact, nr_wild = r->nr_wild;
	struct err *err = parse_text(r, text);

	if (err) {
		forget(r->exact, &r->nr_exact, nr_exact);
		forget(r->wild, &r->nr_wild, nr_wild);
	}
	if (r->nr_exact)
		qsort(r->exact, r->nr_exact, sizeof(*r->exact), compare_rules);
	return err;
}

static bool contains(const char *s, size_t len, const struct rule *rule)
{
	return memmem(s, len, rule->name, rule->len) != NULL;
}

static bool matches(const struct rule *rule, const char *s, size_t len)
{
	if (len < rule->len)
		return false;
	if (rule->any_before && rule->any_after)
		return contains(s, len, rule);
	return !memcmp(rule->any_before ? s + len - rule->len : s, rule->name, rule->len);
}

unsigned int rules_of(const struct rules *r, const char *func)
{
	size_t len = strcspn(func, "."), lo = 0, hi = r->nr_exact;
	unsigned int class = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct rule *rule = &r->exact[mid];
		int cmp = strncmp(rule->name, func, len);

		if (cmp < 0 || (!cmp && rule->len < len))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < r->nr_exact; lo++) {
		const struct rule *rule = &r->exact[lo];

		if (rule->len != len || memcmp(rule->name, func, len))
			break;
		class |= rule->class;
	}
	for (size_t i = 0; i < r->nr_wild; i++)
		if (matches(&r->wild[i], func, len))
			class |= r->wild[i].class;
	return class & RULE_KEEP ? RULE_KEEP : class;
}
