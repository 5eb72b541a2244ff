// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/gfp.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_FLAGS = 128, MAX_NAME = 64 };

struct gfp {
	struct {
		uint64_t mask;
		char name[MAX_NAME];
	} flag[MAX_FLAGS];
	size_t nr;
};

/*
 * What stands for a mask is an expression of C: numbers, casts, parentheses, | & ~ <<
 * and so on. libtraceevent could evaluate it, but its reader of print formats is
 * not made for input that means harm.
 */
struct reader {
	const char *at, *end;
	int depth;
	bool bad;
};

static uint64_t expression(struct reader *r, int level);

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
		r->at++;
}

static bool take(struct reader *r, const char *token)
{
	size_t len = strlen(token);

	skip_space(r);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, token, len))
		return false;
	r->at += len;
	return true;
}

/* "( unsigned long)": words only, in parentheses. */
static bool take_cast(struct reader *r)
{
	const char *p = r->at;

	if (p == r->end || *p++ != '(')
		return false;
	const char *word = p;

	while (p < r->end && (isalpha((unsigned char)*p) || *p == '_' || *p == ' ' ||
			      (p > word && isdigit((unsigned char)*p))))
		p++;
	if (p == word || p == r->end || *p != ')')
		return false;
	r->at = p + 1;
	return true;
}

static uint64_t number(struct reader *r)
{
	char text[32];
	size_t len = 0;
	char *end;

	while (r->at + len < r->end && len + 1 < sizeof(text) &&
	       isalnum((unsigned char)r->at[len])) {
		text[len] = r->at[len];
		len++;
	}
	text[len] = '\0';
	uint64_t v = strtoull(text, &end, 0);

	r->bad |= end == text || end[strspn(end, "uUlL")] != '\0';
	r->at += len;
	return v;
}

static uint64_t operand(struct reader *r)
{
	uint64_t v = 0;

	skip_space(r);
	if (r->bad || r->depth > 64 || r->at == r->end) {
		r->bad = true;
		return 0;
	}
	r->depth++;
	if (take_cast(r)) {
		v = operand(r);
	} else if (take(r, "(")) {
		v = expression(r, 0);
		r->bad |= !take(r, ")");
	} else if (take(r, "~")) {
		v = ~operand(r);
	} else {
		v = number(r);
	}
	r->depth--;
	return v;
}

/* Operators by how strongly they bind. */
static uint64_t expression(struct reader *r, int level)
{
	static const char *const of_level[][2] = {
		{ "|", NULL }, { "&", NULL }, { "<<", ">>" }, { "+", "-" }
	};

	if (level == sizeof(of_level) / sizeof(*of_level))
		return operand(r);
	uint64_t v = expression(r, level + 1);

	while (!r->bad) {
		const char *op = take(r, of_level[level][0]) ? of_level[level][0]
				 : of_level[level][1] && take(r, of_level[level][1])
					 ? of_level[level][1]
					 : NULL;

		if (!op)
			break;
		uint64_t w = expression(r, level + 1);

		switch (*op) {
		case '|':
			v |= w;
			break;
		case '&':
			v &= w;
			break;
		case '<':
			v = w < 64 ? v << w : 0;
			break;
		case '>':
			v = w < 64 ? v >> w : 0;
			break;
		case '+':
			v += w;
			break;
		case '-':
			v -= w;
			break;
		}
	}
	return v;
}

/* A name in quotes, fit for a list. */
static bool take_name(struct reader *r, char *ret)
{
	size_t len = 0;

	if (!take(r, "\""))
		return false;
	while (r->at + len < r->end &&
	       (isalnum((unsigned char)r->at[len]) || r->at[len] == '_'))
		len++;
	if (!len || len >= MAX_NAME || r->at + len == r->end || r->at[len] != '"')
		return false;
	memcpy(ret, r->at, len);
	ret[len] = '\0';
	r->at += len + 1;
	return true;
}

/* Past the "}" that ends an entry; false when none does. */
static bool skip_entry(struct reader *r)
{
	const char *end = memchr(r->at, '}', (size_t)(r->end - r->at));

	if (!end)
		return false;
	r->at = end + 1;
	return true;
}

/* "__print_flags(REC->gfp_flags, "|", {MASK, "NAME"}, …)" */
static void take_format(struct gfp *gfp, struct span text)
{
	static const char call[] = "__print_flags(";
	const char *from = memmem(text.data, text.len, call, strlen(call));
	struct reader r = { .at = from, .end = (const char *)text.data + text.len };

	if (!from || !(from = memchr(from, '{', (size_t)(r.end - from))))
		return;
	r.at = from;
	while (gfp->nr < MAX_FLAGS && take(&r, "{")) {
		r.bad = false;
		r.depth = 0;
		gfp->flag[gfp->nr].mask = expression(&r, 0);
		r.bad |= !take(&r, ",") || !take_name(&r, gfp->flag[gfp->nr].name);
		/* A flag that the kernel was built without is 0. */
		gfp->nr += !r.bad && gfp->flag[gfp->nr].mask;
		if (!skip_entry(&r) || !take(&r, ","))
			break;
	}
}

static bool is_event(struct span text, const char *name)
{
	struct span line;
	size_t len = strlen(name);

	return span_line(&text, &line) && line.len == len + 6 &&
	       !memcmp(line.data, "name: ", 6) && !memcmp(line.data + 6, name, len);
}

struct gfp *gfp_new(const struct tracefile *file)
{
	struct gfp *gfp = xcalloc(1, sizeof(*gfp));
	const char *system;
	struct span text;

	for (size_t i = 0; !gfp->nr && tracefile_format(file, i, &system, &text); i++)
		if (!strcmp(system, "kmem") &&
		    (is_event(text, "mm_page_alloc") || is_event(text, "kmalloc") ||
		     is_event(text, "kmem_cache_alloc")))
			take_format(gfp, text);
	return gfp;
}

struct gfp *gfp_of_format(struct span text)
{
	struct gfp *gfp = xcalloc(1, sizeof(*gfp));

	take_format(gfp, text);
	return gfp;
}

void gfp_free(struct gfp *gfp)
{
	free(gfp);
}

bool gfp_name(const struct gfp *gfp, size_t i, uint64_t *ret_mask, const char **ret)
{
	if (i >= gfp->nr)
		return false;
	*ret_mask = gfp->flag[i].mask;
	*ret = gfp->flag[i].name;
	return true;
}

char *gfp_text(const struct gfp *gfp, uint32_t flags)
{
	char *text = NULL;

	for (size_t i = 0; i < gfp->nr && flags; i++) {
		uint64_t mask = gfp->flag[i].mask;

		if ((flags & mask) != mask)
			continue;
		flags &= ~(uint32_t)mask;
		char *longer = xasprintf("%s%s%s", text ? text : "", text ? "|" : "",
					 gfp->flag[i].name);

		free(text);
		text = longer;
	}
	if (flags || !text) {
		char *longer =
			xasprintf("%s%s%#" PRIx32, text ? text : "", text ? "|" : "", flags);

		free(text);
		text = longer;
	}
	return text;
}
