// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/vmalloc.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "match/live.h"

struct silent {
	uint64_t start; /* of the area */
	uint32_t account;
	uint32_t pages; /* 0: dead */
};

TABLE_INLINE uint64_t silent_key(const void *entry)
{
	return ((const struct silent *)entry)->start;
}

TABLE_INLINE bool silent_used(const void *entry)
{
	return ((const struct silent *)entry)->start != 0;
}

TABLE_INLINE bool silent_live(const void *entry)
{
	return ((const struct silent *)entry)->pages != 0;
}

TABLE_OPS(silent, struct silent, silent_live, TABLE_SMALL)

void vmalloc_init(struct vmalloc *v, const struct match_opts *opts, struct stacks *stacks,
		  struct flow_table *flows, struct sitetab *sites, struct match_totals *totals)
{
	*v = (struct vmalloc){
		.opts = opts,
		.stacks = stacks,
		.flows = flows,
		.sites = sites,
		.totals = totals,
	};
	table_init(&v->areas, &silent_ops);
}

void vmalloc_deinit(struct vmalloc *v)
{
	table_deinit(&v->areas);
	free(v->outer);
}

static enum code_class class_of(const struct vmalloc *v, uint64_t addr)
{
	return v->opts->classify ? v->opts->classify(v->opts->classify_arg, addr) : CODE_OTHER;
}

/* The frame that called vmalloc, where nothing but allocators lie in front; 0: none. */
static uint32_t find_outer(const struct vmalloc *v, uint32_t stack)
{
	size_t nr;
	const uint64_t *frame = stacks_frames(v->stacks, stack, &nr);
	size_t i = 0;

	while (i < nr &&
	       (class_of(v, frame[i]) == CODE_ALLOCATOR || class_of(v, frame[i]) == CODE_INNER))
		i++;
	if (i == nr || class_of(v, frame[i]) != CODE_VMALLOC)
		return 0;
	while (i < nr && class_of(v, frame[i]) == CODE_VMALLOC)
		i++;
	return (uint32_t)i;
}

static uint32_t outer_of(struct vmalloc *v, uint32_t stack)
{
	if (stack == SITE_NO_STACK)
		return 0;
	if (stack >= v->nr_outer) {
		size_t nr = 2 * (size_t)stack + 64;

		v->outer = xreallocarray(v->outer, nr, sizeof(*v->outer));
		memset(v->outer + v->nr_outer, 0, (nr - v->nr_outer) * sizeof(*v->outer));
		v->nr_outer = nr;
	}
	if (!v->outer[stack])
		v->outer[stack] = find_outer(v, stack) + 1;
	return v->outer[stack] - 1;
}

bool vmalloc_is_outside(struct vmalloc *v, uint32_t stack)
{
	return !outer_of(v, stack);
}

/* True when both stacks are of one call of vmalloc, by the frames outside it. */
static bool same_call(struct vmalloc *v, uint32_t a, uint32_t b)
{
	size_t nr_a, nr_b, from_a = outer_of(v, a), from_b = outer_of(v, b);
	const uint64_t *frame_a = stacks_frames(v->stacks, a, &nr_a);
	const uint64_t *frame_b = stacks_frames(v->stacks, b, &nr_b);

	return from_a && from_b && nr_a - from_a == nr_b - from_b &&
	       !memcmp(frame_a + from_a, frame_b + from_b, (nr_a - from_a) * sizeof(*frame_a));
}

/* The area that the task freed last has no more pages. */
static void close_older(struct vmalloc *v, struct vmalloc_task *t)
{
	if (t->older_pages && !v->lossy)
		flow_add(v->flows, FLOW_AREAS, 0, FLOW_OLDER,
			 (uint64_t)t->older_pages * v->opts->page_size);
	t->older_pages = 0;
	v->nr_unknown -= t->freed_unknown;
	t->freed_unknown = false;
}

void vmalloc_older_end(struct vmalloc *v, const struct event *ev)
{
	struct vmalloc_task *t = vmalloc_task_of(v, ev);

	if (t)
		close_older(v, t);
}

/* What is kept of @ev's task, which takes the place of another one when there is none. */
static struct vmalloc_task *new_task(struct vmalloc *v, const struct event *ev)
{
	struct vmalloc_task *t = &v->task[offset_task_slot(ev)];

	if (!vmalloc_task_of(v, ev)) {
		close_older(v, t);
		*t = (struct vmalloc_task){ .pid = ev->pid,
					    .context = ev->context,
					    .cpu = ev->pid ? 0 : ev->cpu };
	}
	return t;
}

/* The silent pages of the area at @start end with it; NULL when it has none. */
static struct silent *end_silent(struct vmalloc *v, uint64_t start)
{
	struct silent *s = table_find(&v->areas, &silent_ops, start);

	if (s)
		sitetab_infer(v->sites, s->account, END_AREA, s->pages,
			      (uint64_t)s->pages * v->opts->page_size);
	return s;
}

void vmalloc_area_alloc(struct vmalloc *v, const struct event *ev, uint32_t stack)
{
	struct silent *s = end_silent(v, ev->addr);
	uint64_t pages = ev->bytes_alloc / v->opts->page_size;

	if (s)
		s->pages = 0;
	if (!outer_of(v, stack) || !pages || pages > UINT32_MAX)
		return;
	s = table_put(&v->areas, &silent_ops, ev->addr);
	uint32_t site = sitetab_get(v->sites, SITE_PAGE, 0, stack);

	*s = (struct silent){ ev->addr, sitetab_account(v->sites, site, ev), (uint32_t)pages };
	v->totals->silent_pages += pages;
	sitetab_alloc_many(v->sites, s->account, pages, pages * v->opts->page_size, ev->ts_ns);

	/* Its own site, which is found again by the stack. */
	flow_add(v->flows, FLOW_AREAS, 0, sitetab_get(v->sites, SITE_VMALLOC, 0, stack),
		 ev->bytes_alloc);

	struct vmalloc_task *t = new_task(v, ev);

	t->last[1] = t->last[0];
	t->last[0].start = ev->addr;
	t->last[0].stack = stack;
}

void vmalloc_area_free(struct vmalloc *v, const struct event *ev, bool known)
{
	struct silent *s = known ? end_silent(v, ev->addr) : NULL;
	struct vmalloc_task *t = s || !known ? new_task(v, ev) : vmalloc_task_of(v, ev);

	if (!t)
		return;
	close_older(v, t);
	t->freed_unknown = !known;
	v->nr_unknown += !known;
	t->freed_account = s ? s->account : 0;
	t->freed_pages = s ? s->pages : 0;
	if (s)
		s->pages = 0;
}

bool vmalloc_page_alloc(struct vmalloc *v, const struct event *ev, uint64_t pages,
			uint32_t stack, uint32_t *ret_account)
{
	const struct vmalloc_task *t = vmalloc_task_of(v, ev);

	for (int i = 0; t && i < VMALLOC_DEPTH; i++) {
		if (!t->last[i].start || !same_call(v, t->last[i].stack, stack))
			continue;
		struct silent *s = table_find(&v->areas, &silent_ops, t->last[i].start);

		if (!s || s->pages < pages)
			continue;
		s->pages -= (uint32_t)pages;
		if (!sitetab_is_older(v->sites, s->account))
			v->totals->silent_pages -= pages;
		*ret_account = s->account;
		return true;
	}
	return false;
}

bool vmalloc_page_free(struct vmalloc *v, const struct event *ev)
{
	struct vmalloc_task *t = vmalloc_task_of(v, ev);

	if (!t || ev->order)
		return false;
	t->older_pages += t->freed_unknown;
	if (!t->freed_pages)
		return false;
	t->freed_pages--;
	sitetab_undo_infer(v->sites, t->freed_account, END_AREA, v->opts->page_size);
	return true;
}

uint32_t vmalloc_own_site(struct vmalloc *v, const struct event *ev, uint32_t site)
{
	uint8_t *flags = &v->sites->site[site].flags;

	if (!(*flags & SITETAB_CLASSIFIED))
		*flags |= SITETAB_CLASSIFIED |
			  (class_of(v, ev->call_site) == CODE_VMALLOC ? SITETAB_VMALLOC : 0);
	if (!(*flags & SITETAB_VMALLOC))
		return site;
	const struct vmalloc_task *t = vmalloc_task_of(v, ev);

	if (!t || !t->last[0].start)
		return site;
	size_t nr, from = outer_of(v, t->last[0].stack);
	const uint64_t *frame = stacks_frames(v->stacks, t->last[0].stack, &nr);
	auto_free uint64_t *own = xmalloc((nr + 1) * sizeof(*own));

	/* As if the event had a stack. */
	own[0] = ev->call_site;
	memcpy(own + 1, frame + from, (nr - from) * sizeof(*own));
	return sitetab_get(v->sites, SITE_SLAB, ev->call_site,
			   stacks_id(v->stacks, own, nr - from + 1));
}

void vmalloc_finish(struct vmalloc *v)
{
	for (size_t i = 0; i < OFFSET_TASKS; i++)
		close_older(v, &v->task[i]);
}

void vmalloc_forget(struct vmalloc *v)
{
	vmalloc_finish(v);
	memset(v->task, 0, sizeof(v->task));
	v->lossy = true;
}

void vmalloc_mark_uncertain(struct vmalloc *v, const struct table *live, uint64_t time)
{
	const struct silent *s;

	for (size_t i = 0; (s = table_next(&v->areas, &silent_ops, &i));) {
		const struct live_obj *o = live_find(live, s->start);

		if (o && live_time(o) < time)
			sitetab_uncertain(v->sites, s->account, s->pages,
					  (uint64_t)s->pages * v->opts->page_size);
	}
}
