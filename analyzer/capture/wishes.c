// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wishes.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

unsigned int wishes_kinds(const struct wishes *w)
{
	if (w->caches || w->other_caches)
		return TRACEPOINT_SLAB;
	if (w->call_sites.names)
		return TRACEPOINT_SLAB | TRACEPOINT_PERCPU;
	return TRACEPOINT_MEMORY;
}

struct err *wishes_filter(const struct wishes *w, uint32_t random, struct evfilter *f)
{
	f->page_shift = (unsigned int)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	evfilter_sizes(f, w->min_size, w->expr);
	if (w->caches)
		TRY(evfilter_caches(f, w->caches, false));
	if (w->other_caches)
		TRY(evfilter_caches(f, w->other_caches, true));
	if (w->call_sites.names)
		TRY(evfilter_sites(f, w->call_sites.names, w->call_sites.range,
				   w->call_sites.nr));
	if (w->tids)
		TRY(evfilter_tasks(f, w->tids));
	if (w->sample <= 1)
		return NULL;
	f->one_in = w->sample;
	f->chunk = random & (w->sample - 1);
	return NULL;
}

struct err *wishes_stacks(const struct wishes *w, struct text *ret)
{
	CLEANUP(evfilter_deinit) struct evfilter at = {};

	if (!w->stack_sites.names)
		return NULL;
	TRY(evfilter_sites(&at, w->stack_sites.names, w->stack_sites.range, w->stack_sites.nr));
	text_add(ret, at.sites.data, at.sites.len);
	return NULL;
}

/* "key LINE" for each line; nothing for NULL. */
static void add_lines(struct text *text, const char *key, const char *lines)
{
	while (lines && *lines) {
		size_t len = strcspn(lines, "\n");

		text_printf(text, "%s %.*s\n", key, (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

void wishes_describe(const struct wishes *w, const struct evfilter *f, struct text *ret)
{
	if (f->one_in > 1)
		text_printf(ret, "sample %" PRIu32 " %" PRIu32 "\n", f->one_in, f->chunk);
	add_lines(ret, "filter", f->wishes.data);
	add_lines(ret, "select pid", w->pids);
	add_lines(ret, "select cgroup", w->cgroup);
}
