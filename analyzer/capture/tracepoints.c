// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tracepoints.h"

#include <string.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "capture/tracedir.h"

static const struct tracepoint {
	enum tracepoint_kind kind;
	const char *system, *event;
	enum filter_class class;
	bool stack;
	bool opaque;   /* a stack for the call sites of opaque.h */
	bool optional; /* other kernels do without: not worth a word */
} tracepoints[] = {
	{ TRACEPOINT_SLAB, "kmem", "kmalloc", FILTER_KMALLOC, false, true, false },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_alloc", FILTER_CACHE_ALLOC, false, true, false },
	{ TRACEPOINT_SLAB, "kmem", "kfree", FILTER_KFREE, false, false, false },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_free", FILTER_CACHE_FREE, false, false, false },
	/* Up to 6.0 these were events of their own. */
	{ TRACEPOINT_SLAB, "kmem", "kmalloc_node", FILTER_KMALLOC, false, true, true },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_alloc_node", FILTER_CACHE_ALLOC, false, true,
	  true },
	/* Page and vmap events carry no call site: the stack has to tell it. */
	{ TRACEPOINT_PAGE, "kmem", "mm_page_alloc", FILTER_PAGE_ALLOC, true, false, false },
	{ TRACEPOINT_PAGE, "kmem", "mm_page_free", FILTER_PAGE_FREE, false, false, false },
	{ TRACEPOINT_PERCPU, "percpu", "percpu_alloc_percpu", FILTER_PERCPU_ALLOC, false, false,
	  false },
	{ TRACEPOINT_PERCPU, "percpu", "percpu_free_percpu", FILTER_ALWAYS, false, false,
	  false },
	{ TRACEPOINT_VMALLOC, "vmalloc", "alloc_vmap_area", FILTER_VMAP_ALLOC, true, false,
	  false },
	{ TRACEPOINT_VMALLOC, "vmalloc", "free_vmap_area_noflush", FILTER_ALWAYS, false, false,
	  false },
	{ TRACEPOINT_MODULE, "module", "module_load", FILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_MODULE, "module", "module_free", FILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "task", "task_newtask", FILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "task", "task_rename", FILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "cgroup", "cgroup_attach_task", FILTER_ALWAYS, false, false, true },
};

#define NR_TRACEPOINTS (sizeof(tracepoints) / sizeof(*tracepoints))

static const struct {
	unsigned int kind;
	const char *name;
} kind_names[] = {
	{ TRACEPOINT_SLAB, "slab" },
	{ TRACEPOINT_PAGE, "page" },
	{ TRACEPOINT_PERCPU, "percpu" },
	{ TRACEPOINT_VMALLOC, "vmalloc" },
};

#define NR_KINDS (sizeof(kind_names) / sizeof(*kind_names))

struct err *tracepoint_parse(const char *list, unsigned int *ret)
{
	unsigned int kinds = 0;

	for (const char *pos = list;;) {
		size_t len = strcspn(pos, ",");
		size_t i = 0;

		while (i < NR_KINDS && (strlen(kind_names[i].name) != len ||
					memcmp(kind_names[i].name, pos, len)))
			i++;
		if (i == NR_KINDS)
			return err_new(ERR_USAGE,
				       "'%.*s' is no kind of event: slab, page, percpu and "
				       "vmalloc are",
				       (int)len, pos);
		kinds |= kind_names[i].kind;
		pos += len;
		if (!*pos)
			break;
		pos++;
	}
	*ret = kinds;
	return NULL;
}

char *tracepoint_list(unsigned int kinds)
{
	auto_text list = {};

	for (size_t i = 0; i < NR_KINDS; i++)
		if (kinds & kind_names[i].kind)
			text_printf(&list, "%s%s", list.len ? "," : "", kind_names[i].name);
	return list.data ? take_ptr(list.data) : xstrdup("");
}

/* A filter or trigger that this kernel refuses costs volume or stacks, no event. */
static bool try_write(const char *instance, const struct tracepoint *tp, const char *file,
		      const char *text)
{
	auto_free char *path = xasprintf("events/%s/%s/%s", tp->system, tp->event, file);
	auto_err struct err *err = tracedir_write(instance, path, text);

	return !err;
}

/* A filter and a trigger must agree, or stacks without an event appear. */
static bool try_trigger(const char *instance, const struct tracepoint *tp, const char *filter,
			const char *some)
{
	auto_free char *text =
		filter && some	 ? xasprintf("stacktrace if (%s)&&(%s)", filter, some)
		: filter || some ? xasprintf("stacktrace if %s", filter ? filter : some)
				 : xstrdup("stacktrace");

	return try_write(instance, tp, "trigger", text);
}

static struct err *enable_one(const char *instance, const struct tracepoint *tp,
			      const struct filter *filter, const struct text *opaque,
			      struct text *list, struct text *no_stack)
{
	auto_free char *enable = xasprintf("events/%s/%s/enable", tp->system, tp->event);
	auto_text wanted = {};

	TRY(filter_event(filter, tp->class, &wanted));

	const char *in_force = wanted.len && try_write(instance, tp, "filter", wanted.data)
				       ? wanted.data
				       : NULL;
	bool stack = tp->stack && try_trigger(instance, tp, in_force, NULL);

	if (tp->stack && !stack)
		text_printf(no_stack, "%s%s", no_stack->len ? ", " : "", tp->event);
	/* There it is a gain, not a need: some kernels take no address in a filter. */
	bool partly =
		tp->opaque && opaque->len && try_trigger(instance, tp, in_force, opaque->data);

	TRY(tracedir_write(instance, enable, "1"));
	text_printf(list, "%s:%s on", tp->system, tp->event);
	if (in_force)
		text_printf(list, " filter=%s", in_force);
	text_printf(list, "%s\n", stack ? " stack" : partly ? " stack-of-opaque" : "");
	return NULL;
}

static unsigned int kinds_present(const char *instance)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < NR_TRACEPOINTS; i++) {
		const struct tracepoint *tp = &tracepoints[i];
		auto_free char *dir = xasprintf("events/%s/%s", tp->system, tp->event);

		if (tracedir_has(instance, dir))
			kinds |= tp->kind;
	}
	return kinds;
}

/* Rule 1. */
static struct err *check_kinds(unsigned int present, unsigned int kinds, bool asked)
{
	unsigned int missing = kinds & ~present;

	if (!(present & TRACEPOINT_MEMORY))
		return err_new(ERR_UNSUPPORTED,
			       "this kernel has none of the allocation events; it needs "
			       "CONFIG_TRACING and CONFIG_EVENT_TRACING");
	if (!asked || !missing)
		return NULL;
	auto_free char *names = tracepoint_list(missing);

	return err_new(ERR_UNSUPPORTED, "this kernel has no %s events; leave it out of -e",
		       names);
}

struct err *tracepoint_enable(const char *instance, unsigned int kinds, bool asked,
			      const struct filter *filter, const struct text *opaque,
			      struct text *ret_list, struct text *ret_note)
{
	auto_text missing = {}, no_stack = {};

	TRY(check_kinds(kinds_present(instance), kinds, asked));
	for (size_t i = 0; i < NR_TRACEPOINTS; i++) {
		const struct tracepoint *tp = &tracepoints[i];
		auto_free char *dir = xasprintf("events/%s/%s", tp->system, tp->event);

		if (!(tp->kind & (kinds | TRACEPOINT_MODULE | TRACEPOINT_TASK)))
			continue;
		if (tracedir_has(instance, dir)) {
			TRY(enable_one(instance, tp, filter, opaque, ret_list, &no_stack));
			continue;
		}
		if (tp->optional)
			continue;
		text_printf(ret_list, "%s:%s missing\n", tp->system, tp->event);
		text_printf(&missing, "%s%s:%s", missing.len ? ", " : "", tp->system,
			    tp->event);
	}
	if (missing.len)
		text_printf(ret_note, "this kernel lacks %s", missing.data);
	if (no_stack.len)
		text_printf(ret_note, "%sno stacks for %s: their call sites will be unknown",
			    missing.len ? "; " : "", no_stack.data);
	return NULL;
}

struct err *tracepoint_formats(const char *instance, const struct text *list, struct texts *ret)
{
	struct span text = { (const uint8_t *)list->data, list->len }, line;

	while (span_line(&text, &line)) {
		char system[32], event[64], state[16];
		auto_free char *s = xstrndup((const char *)line.data, line.len);

		if (sscanf(s, "%31[^:]:%63s %15s", system, event, state) != 3 ||
		    strcmp(state, "on"))
			continue;
		auto_free char *name = xasprintf("%s/%s", system, event);
		auto_free char *path = xasprintf("%s/events/%s/format", instance, name);

		TRY(text_read_file(texts_new(ret, name), path));
	}
	return NULL;
}
