// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/module.h"

#include "base/xalloc.h"
#include "resolve/pool.h"

/* Lines are cut into this many words; what follows is of no use here. */
enum {
	MAX_WORDS = 6,
	MAX_WORD = 255,
	MAX_MODULES = 1 << 13,
	MAX_SECTIONS = 1 << 12,
	MAX_SECTION = 1 << 20, /* bytes */
	/* Modules and sections looked at: thousands of modules that come and go take fewer. */
	MAX_WORK = 1 << 27,
};

/* A module's text is never larger than the room the kernel has for all of them. */
#define MAX_MODULE_SIZE (UINT64_C(2) << 30)

struct modules {
	struct pool *pool;
	struct module *module;
	size_t nr, cap;
	size_t last; /* that a line of this text was about */
	size_t work; /* done of MAX_WORK */
	const char *kernel_build_id;
};

void modules_free(struct modules *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nr; i++)
		free(m->module[i].section);
	free(m->module);
	pool_free(m->pool);
	free(m);
}

/* Splits @line into NUL-terminated @word; returns their number. */
static size_t split(struct span line, char word[MAX_WORDS][MAX_WORD + 1])
{
	size_t nr = 0, pos = 0;

	while (nr < MAX_WORDS) {
		while (pos < line.len && (line.data[pos] == ' ' || line.data[pos] == '\t'))
			pos++;
		size_t start = pos;

		while (pos < line.len && line.data[pos] != ' ' && line.data[pos] != '\t' &&
		       line.data[pos])
			pos++;
		if (pos == start || pos - start > MAX_WORD)
			return nr;
		memcpy(word[nr], line.data + start, pos - start);
		word[nr++][pos - start] = '\0';
	}
	return nr;
}

static bool parse_u64(const char *s, int base, uint64_t *ret)
{
	char *end;

	if (*s == '-' || *s == '+')
		return false;
	*ret = strtoull(s, &end, base);
	return end != s && !*end;
}

/* What a line is about, so that a second one of a module says so. */
typedef bool has_fn(struct modules *m, const struct module *module, const char *what);

static bool has_base(struct modules *m, const struct module *module, const char *what)
{
	(void)m, (void)what;
	return module->base;
}

static bool has_section(struct modules *m, const struct module *module, const char *what)
{
	for (size_t i = 0; i < module->nr_sections; i++, m->work++)
		if (!strcmp(module->section[i].name, what))
			return true;
	return false;
}

static bool has_build_id(struct modules *m, const struct module *module, const char *what)
{
	(void)m, (void)what;
	return module->build_id;
}

/*
 * The first module of that name that does not have @what yet; made when there is
 * none. NULL when there are too many to be true, or it takes too long to find.
 */
static struct module *get(struct modules *m, const char *name, has_fn *has, const char *what)
{
	if (m->work > MAX_WORK)
		return NULL;
	/* The texts list a module's lines together: the last one is the likely one. */
	if (m->last < m->nr && !strcmp(m->module[m->last].name, name) &&
	    !has(m, &m->module[m->last], what))
		return &m->module[m->last];
	const char *interned = pool_str(m->pool, name);

	for (size_t i = 0; i < m->nr; i++, m->work++) {
		if (m->module[i].name != interned || has(m, &m->module[i], what))
			continue;
		m->last = i;
		return &m->module[i];
	}
	if (m->nr == MAX_MODULES)
		return NULL;
	vec_room(m->module, m->nr, m->cap);
	m->module[m->nr] = (struct module){ .name = interned };
	m->last = m->nr++;
	return &m->module[m->last];
}

static void parse_modules(struct modules *m, struct span text)
{
	char word[MAX_WORDS][MAX_WORD + 1];
	struct span line;

	while (span_line(&text, &line)) {
		uint64_t size, base;

		/* name size refs users state 0xbase */
		if (split(line, word) < 6 || !parse_u64(word[1], 10, &size) ||
		    !parse_u64(word[5], 16, &base) || size > MAX_MODULE_SIZE)
			continue;
		struct module *module = get(m, word[0], has_base, NULL);

		if (module) {
			module->base = base;
			module->size = size;
		}
	}
}

static void parse_sections(struct modules *m, struct span text)
{
	char word[MAX_WORDS][MAX_WORD + 1];
	struct span line;

	while (span_line(&text, &line)) {
		uint64_t addr;

		if (split(line, word) < 3 || !parse_u64(word[2], 16, &addr) || !addr)
			continue;
		struct module *module = get(m, word[0], has_section, word[1]);

		if (!module || module->nr_sections == MAX_SECTIONS)
			continue;
		vec_room(module->section, module->nr_sections, module->cap_sections);
		module->section[module->nr_sections++] =
			(struct module_section){ pool_str(m->pool, word[1]), addr };
	}
}

static void parse_build_ids(struct modules *m, struct span text)
{
	char word[MAX_WORDS][MAX_WORD + 1];
	struct span line;

	while (span_line(&text, &line)) {
		if (split(line, word) < 2)
			continue;
		const char *id = pool_str(m->pool, word[1]);

		if (!strcmp(word[0], "vmlinux")) {
			m->kernel_build_id = id;
			continue;
		}
		struct module *module = get(m, word[0], has_build_id, NULL);

		if (module)
			module->build_id = id;
	}
}

struct modules *modules_parse(struct span modules, struct span sections, struct span build_ids)
{
	struct modules *m = xcalloc(1, sizeof(*m));

	m->pool = pool_new();
	m->kernel_build_id = "";
	parse_modules(m, modules);
	m->last = SIZE_MAX;
	parse_sections(m, sections);
	m->last = SIZE_MAX;
	parse_build_ids(m, build_ids);
	return m;
}

static bool is_text_section(const char *name)
{
	return strstr(name, "text") != NULL;
}

const struct module *modules_at(const struct modules *m, uint64_t addr)
{
	const struct module *best = NULL;
	uint64_t best_addr = 0;

	for (size_t i = 0; i < m->nr; i++) {
		const struct module *module = &m->module[i];

		for (size_t s = 0; s < module->nr_sections; s++) {
			uint64_t start = module->section[s].addr;

			if (start <= addr && start >= best_addr) {
				best = is_text_section(module->section[s].name) ? module : NULL;
				best_addr = start;
			}
		}
	}
	if (best && (!best->size || addr - best_addr < best->size))
		return best;
	for (size_t i = 0; i < m->nr; i++)
		if (m->module[i].base && addr - m->module[i].base < m->module[i].size)
			return &m->module[i];
	return NULL;
}

size_t modules_nr(const struct modules *m)
{
	return m->nr;
}

const struct module *modules_get(const struct modules *m, size_t i)
{
	return &m->module[i];
}

const struct module *modules_find(const struct modules *m, const char *name)
{
	for (size_t i = 0; i < m->nr; i++)
		if (!strcmp(m->module[i].name, name))
			return &m->module[i];
	return NULL;
}

uint64_t module_start(const struct module *module, uint64_t addr)
{
	uint64_t start = 0;
	bool text = false;

	for (size_t s = 0; s < module->nr_sections; s++) {
		if (module->section[s].addr > addr || module->section[s].addr < start)
			continue;
		start = module->section[s].addr;
		text = is_text_section(module->section[s].name);
	}
	if (text && addr - start < MAX_SECTION)
		return start;
	return module->base && addr - module->base < module->size ? module->base : 0;
}

const struct module *modules_find_at(const struct modules *m, const char *name, uint64_t addr)
{
	const struct module *best = NULL;
	uint64_t best_start = 0;

	for (size_t i = 0; i < m->nr; i++) {
		if (strcmp(m->module[i].name, name))
			continue;
		uint64_t start = module_start(&m->module[i], addr);

		if (!best || start >= best_start) {
			best = &m->module[i];
			best_start = start;
		}
	}
	return best;
}

const char *modules_kernel_build_id(const struct modules *m)
{
	return m->kernel_build_id;
}
