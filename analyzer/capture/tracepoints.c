// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tracepoints.h"

#include <string.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "capture/tracedir.h"

/* Of each kind allocations come before frees. */
static const struct tracepoint {
	enum tracepoint_kind kind;
	const char *system, *event;
	enum evfilter_class class;
	bool stack;
	bool opaque;   /* a stack for the call sites of opaque.h */
	bool optional; /* other kernels do without: not worth a word */
} tracepoints[] = {
	{ TRACEPOINT_SLAB, "kmem", "kmalloc", EVFILTER_KMALLOC, false, true, false },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_alloc", EVFILTER_CACHE_ALLOC, false, true,
	  false },
	/* Up to 6.0 these were events of their own. */
	{ TRACEPOINT_SLAB, "kmem", "kmalloc_node", EVFILTER_KMALLOC, false, true, true },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_alloc_node", EVFILTER_CACHE_ALLOC, false, true,
	  true },
	{ TRACEPOINT_SLAB, "kmem", "kfree", EVFILTER_KFREE, false, false, false },
	{ TRACEPOINT_SLAB, "kmem", "kmem_cache_free", EVFILTER_CACHE_FREE, false, false,
	  false },
	/* Page and vmap events carry no call site: the stack has to tell it. */
	{ TRACEPOINT_PAGE, "kmem", "mm_page_alloc", EVFILTER_PAGE_ALLOC, true, false, false },
	{ TRACEPOINT_PAGE, "kmem", "mm_page_free", EVFILTER_PAGE_FREE, false, false, false },
	{ TRACEPOINT_PERCPU, "percpu", "percpu_alloc_percpu", EVFILTER_PERCPU_ALLOC, false,
	  false, false },
	{ TRACEPOINT_PERCPU, "percpu", "percpu_free_percpu", EVFILTER_ALWAYS, false, false,
	  false },
	{ TRACEPOINT_VMALLOC, "vmalloc", "alloc_vmap_area", EVFILTER_VMAP_ALLOC, true, false,
	  false },
	{ TRACEPOINT_VMALLOC, "vmalloc", "free_vmap_area_noflush", EVFILTER_ALWAYS, false,
	  false, false },
	{ TRACEPOINT_MODULE, "module", "module_load", EVFILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_MODULE, "module", "module_free", EVFILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "task", "task_newtask", EVFILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "task", "task_rename", EVFILTER_ALWAYS, false, false, true },
	{ TRACEPOINT_TASK, "cgroup", "cgroup_attach_task", EVFILTER_ALWAYS, false, false,
	  true },
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

/* Whether both sides tell the cache: else a free could not be told from those of others. */
static bool names_caches(const char *instance)
{
	auto_free char *path = xasprintf("%s/events/kmem/kmem_cache_alloc/format", instance);
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, path);

	return !err && strstr(text.data, " name;");
}

/* What becomes of the events, put together as they are enabled. */
struct outcome {
	struct text *list;
	struct text no_stack, left_out, unfiltered;
	unsigned int kinds; /* some allocations of which are recorded */
	bool named;	    /* events of caches name them */
};

static void add_name(struct text *text, const struct tracepoint *tp)
{
	text_printf(text, "%s%s", text->len ? ", " : "", tp->event);
}

/* One more reason to have a stack. */
static void add_term(struct text *some, const struct text *term)
{
	if (term && term->len)
		text_printf(some, "%s(%s)", some->len ? "||" : "", term->data);
}

static struct err *enable_one(const char *instance, const struct tracepoint *tp,
			      const struct evfilter *filter,
			      const struct tracepoint_stacks *stacks, struct outcome *ret)
{
	auto_free char *enable = xasprintf("events/%s/%s/enable", tp->system, tp->event);
	auto_text wanted = {};
	bool none;

	TRY(evfilter_event(filter, tp->class, ret->named, &wanted, &none));

	bool filtered = wanted.len && !none && try_write(instance, tp, "filter", wanted.data);

	/* A field that it does not have: what is asked for is nothing of its kind. */
	if (none || (wanted.len && !filtered && filter->expr && evfilter_is_alloc(tp->class))) {
		add_name(&ret->left_out, tp);
		text_printf(ret->list, "%s:%s left-out\n", tp->system, tp->event);
		return NULL;
	}
	if (wanted.len && !filtered && evfilter_selects(filter))
		add_name(&ret->unfiltered, tp);
	ret->kinds |= evfilter_is_alloc(tp->class) ? tp->kind : 0;

	const char *in_force = filtered ? wanted.data : NULL;
	bool whole = stacks->mode == TRACEPOINT_STACKS_ALL
			     ? evfilter_is_alloc(tp->class)
			     : tp->stack && stacks->mode != TRACEPOINT_STACKS_NONE;
	bool stack = whole && try_trigger(instance, tp, in_force, NULL);
	auto_text some = {};

	if (tp->stack && !stack)
		add_name(&ret->no_stack, tp);
	if (!whole && tp->opaque)
		add_term(&some, stacks->opaque);
	if (!whole && (tp->opaque || tp->class == EVFILTER_PERCPU_ALLOC))
		add_term(&some, stacks->sites);
	/* There it is a gain, not a need: some kernels take no address in a filter. */
	bool partly = some.len && try_trigger(instance, tp, in_force, some.data);

	TRY(tracedir_write(instance, enable, "1"));
	text_printf(ret->list, "%s:%s on", tp->system, tp->event);
	if (in_force)
		text_printf(ret->list, " filter=%s", in_force);
	text_printf(ret->list, "%s\n", stack ? " stack" : partly ? " stack-of-opaque" : "");
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

static void outcome_deinit(struct outcome *outcome)
{
	text_deinit(&outcome->no_stack);
	text_deinit(&outcome->left_out);
	text_deinit(&outcome->unfiltered);
}

static void note_outcome(const struct outcome *outcome, const struct text *missing,
			 struct text *ret)
{
	const struct {
		const char *before, *after;
		const struct text *names;
	} notes[] = {
		{ "this kernel lacks ", "", missing },
		{ "no stacks for ", ": their call sites will be unknown", &outcome->no_stack },
		{ "not recorded for what is asked for: ", "", &outcome->left_out },
		{ "this kernel filters no ", ": all of these are recorded",
		  &outcome->unfiltered },
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		if (notes[i].names->len)
			text_printf(ret, "%s%s%s%s", ret->len ? "; " : "", notes[i].before,
				    notes[i].names->data, notes[i].after);
}

struct err *tracepoint_enable(const char *instance, unsigned int kinds, bool asked,
			      const struct evfilter *filter,
			      const struct tracepoint_stacks *stacks, struct text *ret_list,
			      struct text *ret_note)
{
	CLEANUP(outcome_deinit)
	struct outcome outcome = { .list = ret_list, .named = names_caches(instance) };
	auto_text missing = {};

	TRY(check_kinds(kinds_present(instance), kinds, asked));
	for (size_t i = 0; i < NR_TRACEPOINTS; i++) {
		const struct tracepoint *tp = &tracepoints[i];
		auto_free char *dir = xasprintf("events/%s/%s", tp->system, tp->event);

		if (!(tp->kind & (kinds | TRACEPOINT_MODULE | TRACEPOINT_TASK)))
			continue;
		/* Where no allocation is recorded, a free tells nothing. */
		if (tp->kind & TRACEPOINT_MEMORY && !evfilter_is_alloc(tp->class) &&
		    !(outcome.kinds & tp->kind) && evfilter_selects(filter))
			continue;
		if (tracedir_has(instance, dir)) {
			TRY(enable_one(instance, tp, filter, stacks, &outcome));
			continue;
		}
		if (tp->optional)
			continue;
		text_printf(ret_list, "%s:%s missing\n", tp->system, tp->event);
		text_printf(&missing, "%s%s:%s", missing.len ? ", " : "", tp->system,
			    tp->event);
	}
	if (!outcome.kinds && evfilter_selects(filter))
		return err_new(ERR_USAGE, "no allocation event can be filtered so: %s",
			       filter->expr ? filter->expr : "nothing would be recorded");
	note_outcome(&outcome, &missing, ret_note);
	if (filter->caches.len && !outcome.named)
		text_printf(
			ret_note,
			"%sthis kernel's kmem_cache_alloc does not name the cache: all with "
			"objects of that size are recorded",
			ret_note->len ? "; " : "");
	return NULL;
}

struct err *tracepoint_formats(const char *instance, const struct text *list, struct texts *ret)
{
	struct span text = text_span(list), line;

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
