// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/kallsyms.h"

#include <ctype.h>
#include <errno.h>

#include "base/xalloc.h"

/*
 * The last function of a region (the kernel, a module) has no true neighbour;
 * what lies further off than this belongs to nobody.
 */
enum { MAX_FUNCTION = 1 << 20 };

struct kallsyms {
	char *text; /* the names, NUL-terminated in place */
	struct ksym *sym;
	size_t nr, cap;
	uint32_t *by_name; /* made at the first kallsyms_find() */
	size_t bad_lines;
};

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->text);
	free(k->sym);
	free(k->by_name);
	free(k);
}

/* Cuts the next word off @line, ends it with a NUL; NULL when there is none. */
static char *next_word(char **line)
{
	char *s = *line + strspn(*line, " \t\r");
	size_t len = strcspn(s, " \t\r");

	if (!len)
		return NULL;
	*line = s + len + (s[len] != '\0');
	s[len] = '\0';
	return s;
}

static bool parse_hex(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t len = strlen(s);

	if (!len || len > 16)
		return false;
	for (; *s; s++) {
		if (!isxdigit((unsigned char)*s))
			return false;
		v = v << 4 | (uint64_t)(*s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10);
	}
	*ret = v;
	return true;
}

static bool parse_line(char *line, struct ksym *ret)
{
	char *addr = next_word(&line);
	char *type = next_word(&line);
	char *name = next_word(&line);
	char *module = next_word(&line);

	if (!name || type[1] || !parse_hex(addr, &ret->addr))
		return false;
	ret->type = *type;
	ret->name = name;
	ret->module = NULL;
	if (module) {
		size_t len = strlen(module);

		if (len < 3 || module[0] != '[' || module[len - 1] != ']')
			return false;
		module[len - 1] = '\0';
		ret->module = module + 1;
	}
	return true;
}

static bool is_text(const struct ksym *sym)
{
	/* $x and .L are what an assembler leaves behind, not functions. */
	return strchr("tTwW", sym->type) && sym->name[0] != '$' && sym->name[0] != '.';
}

static int type_rank(const struct ksym *sym)
{
	return sym->type == 'T' ? 0 : sym->type == 'W' ? 1 : sym->type == 't' ? 2 : 3;
}

/* Names lie in one buffer in the order of the file, so they make the order total. */
static int compare_addr(const void *va, const void *vb)
{
	const struct ksym *a = va, *b = vb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (type_rank(a) != type_rank(b))
		return type_rank(a) - type_rank(b);
	return a->name < b->name ? -1 : a->name > b->name;
}

struct err *kallsyms_parse(struct span text, struct kallsyms **ret)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = xcalloc(1, sizeof(*k));
	bool all_zero = true;

	k->text = malloc(text.len + 1);
	if (!k->text)
		return err_os(ENOMEM, "kallsyms of %zu bytes", text.len);
	if (text.len)
		memcpy(k->text, text.data, text.len);
	k->text[text.len] = '\0';

	char *end = k->text + text.len;

	for (char *line = k->text; line < end;) {
		char *lf = memchr(line, '\n', (size_t)(end - line));
		char *next = lf ? lf + 1 : end;
		struct ksym sym;

		if (lf)
			*lf = '\0';
		if (!parse_line(line, &sym)) {
			k->bad_lines++;
		} else if (is_text(&sym)) {
			all_zero &= !sym.addr;
			vec_room(k->sym, k->nr, k->cap);
			k->sym[k->nr++] = sym;
		}
		line = next;
	}
	if (!k->nr && text.len)
		return err_new(ERR_FORMAT, "kallsyms holds no function in %zu bytes", text.len);
	if (k->nr && all_zero)
		return err_new(ERR_FORMAT,
			       "kallsyms holds only zero addresses: read it as root with "
			       "kernel.kptr_restrict at 0 or 1 (needs CAP_SYSLOG)");
	if (k->nr > UINT32_MAX)
		return err_new(ERR_FORMAT, "kallsyms holds %zu functions", k->nr);
	if (k->nr)
		qsort(k->sym, k->nr, sizeof(*k->sym), compare_addr);
	*ret = take_ptr(k);
	return NULL;
}

size_t kallsyms_nr(const struct kallsyms *k)
{
	return k->nr;
}

size_t kallsyms_bad_lines(const struct kallsyms *k)
{
	return k->bad_lines;
}

const struct ksym *kallsyms_symbols(const struct kallsyms *k, size_t *ret_nr)
{
	*ret_nr = k->nr;
	return k->sym;
}

/* Number of symbols at or below @addr. */
static size_t count_upto(const struct kallsyms *k, uint64_t addr)
{
	size_t lo = 0, hi = k->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->sym[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct ksym *kallsyms_at(const struct kallsyms *k, uint64_t addr, uint64_t *ret_size)
{
	size_t next = count_upto(k, addr), first = next;

	if (!next)
		return NULL;
	do
		first--;
	while (first && k->sym[first - 1].addr == k->sym[next - 1].addr);

	const struct ksym *sym = &k->sym[first];
	uint64_t size = next < k->nr ? k->sym[next].addr - sym->addr : 0;

	if (!sym->addr || addr - sym->addr >= MAX_FUNCTION)
		return NULL;
	*ret_size = size < MAX_FUNCTION ? size : 0;
	return sym;
}

static int compare_name(const void *va, const void *vb, void *arg)
{
	const struct ksym *sym = arg;
	const struct ksym *a = &sym[*(const uint32_t *)va], *b = &sym[*(const uint32_t *)vb];
	int cmp = strcmp(a->name, b->name);

	if (cmp)
		return cmp;
	if (type_rank(a) != type_rank(b))
		return type_rank(a) - type_rank(b);
	return a < b ? -1 : a > b;
}

const struct ksym *kallsyms_find(struct kallsyms *k, const char *name, size_t i)
{
	if (!k->nr)
		return NULL;
	if (!k->by_name) {
		k->by_name = xreallocarray(NULL, k->nr, sizeof(*k->by_name));
		for (size_t n = 0; n < k->nr; n++)
			k->by_name[n] = (uint32_t)n;
		qsort_r(k->by_name, k->nr, sizeof(*k->by_name), compare_name, k->sym);
	}

	size_t lo = 0, hi = k->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(k->sym[k->by_name[mid]].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (i >= k->nr - lo)
		return NULL;
	const struct ksym *sym = &k->sym[k->by_name[lo + i]];

	return strcmp(sym->name, name) ? NULL : sym;
}
