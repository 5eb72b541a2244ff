// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/owners.h"

#include "base/xalloc.h"

/* Modules come and go by hand; more than this is made up. */
enum { MAX_EVENTS = 1 << 14, MAX_SECTION = 1 << 20 };

struct event {
	const struct module *module; /* the first of its name */
	uint64_t ts_ns;
	bool loaded;
};

struct owners {
	const struct modules *modules;
	struct event *event;
	size_t nr, cap;
	uint64_t lo, hi; /* all modules lie between */
};

static void stretch(struct owners *o, uint64_t lo, uint64_t hi)
{
	if (lo < o->lo)
		o->lo = lo;
	if (hi > o->hi)
		o->hi = hi;
}

struct owners *owners_new(const struct modules *modules)
{
	struct owners *o = xcalloc(1, sizeof(*o));

	o->modules = modules;
	o->lo = UINT64_MAX;
	for (size_t i = 0; i < modules_nr(modules); i++) {
		const struct module *m = modules_get(modules, i);

		if (m->base)
			stretch(o, m->base, m->base + m->size);
		for (size_t s = 0; s < m->nr_sections; s++)
			stretch(o, m->section[s].addr, m->section[s].addr + MAX_SECTION);
	}
	return o;
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	free(o->event);
	free(o);
}

void owners_event(struct owners *o, const char *name, uint64_t ts_ns, bool loaded)
{
	const struct module *module = modules_find(o->modules, name);

	if (!module || o->nr == MAX_EVENTS)
		return;
	vec_room(o->event, o->nr, o->cap);
	o->event[o->nr++] = (struct event){ module, ts_ns, loaded };
}

/* Whether the module was there at @ns, and since when; 0: since before the recording. */
static bool there(const struct owners *o, const struct module *m, uint64_t ns,
		  uint64_t *ret_since)
{
	const struct module *first = modules_find(o->modules, m->name);
	bool any = false, is = true;

	*ret_since = 0;
	for (size_t i = 0; i < o->nr; i++) {
		const struct event *ev = &o->event[i];

		if (ev->module != first)
			continue;
		if (!any)
			is = !ev->loaded;
		any = true;
		if (ev->ts_ns > ns)
			break;
		is = ev->loaded;
		*ret_since = ev->loaded ? ev->ts_ns : 0;
	}
	return is;
}

struct candidate {
	const struct module *module;
	int score;
	uint64_t start, since;
};

static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	return a->start != b->start ? a->start > b->start : a->since > b->since;
}

const struct module *owners_at(const struct owners *o, uint64_t addr, uint64_t from_ns,
			       uint64_t to_ns)
{
	struct candidate best = {};
	size_t nr = 0;

	if (!o->nr || addr < o->lo || addr >= o->hi)
		return NULL;
	for (size_t i = 0; i < modules_nr(o->modules); i++) {
		struct candidate c = { .module = modules_get(o->modules, i) };
		uint64_t since;

		c.start = module_start(c.module, addr);
		if (!c.start)
			continue;
		nr++;
		c.score = there(o, c.module, from_ns, &since);
		c.score += there(o, c.module, to_ns, &c.since);
		if (!best.module || is_better(&c, &best))
			best = c;
	}
	return nr > 1 ? best.module : NULL;
}
