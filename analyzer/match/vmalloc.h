/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/vmalloc.h - pages that vmalloc takes without an event (rule 16)
 *
 * vmalloc takes the pages of an area in bulk, which no event tells; when the
 * area goes they are freed one by one, which events do tell. So an area that
 * was made by vmalloc owns as many pages as it is large.
 *
 * In:     events of vmap areas; page and slab allocations of tasks that are
 *         within a vmalloc; page frees of what is not known
 * Out:    the sizes of areas, also of older ones, by their pages (rule 15);
 *         bookings of an area's silent pages on the site of kind SITE_PAGE that
 *         has the area's stack; the site of what else is allocated on the way
 * Not:    touches no page that an event told
 * Rules:  (1) 16 bytes an area, and what OFFSET_TASKS tasks last did
 */
#ifndef MATCH_VMALLOC_H
#define MATCH_VMALLOC_H

#include "match/flow.h"
#include "match/match.h"
#include "match/offset.h"
#include "match/sitetab.h"
#include "match/table.h"

/* An area and the page array of a very large one, which is such an area itself. */
enum { VMALLOC_DEPTH = 2 };

struct vmalloc_task {
	int32_t pid;
	uint16_t cpu; /* of pid 0, else 0 */
	uint8_t context;
	struct {
		uint64_t start; /* of an area; 0: none */
		uint32_t stack; /* that made it */
	} last[VMALLOC_DEPTH];	/* newest first */
	uint32_t freed_account; /* of the area that it freed last, … */
	uint32_t freed_pages;	/* and silent pages of it not yet seen to be freed */
	bool freed_unknown;	/* it was not known, … */
	uint32_t older_pages;	/* and single pages, not known either, that went with it */
};

struct vmalloc {
	const struct match_opts *opts;
	struct table areas; /* with silent pages, by start */
	struct vmalloc_task task[OFFSET_TASKS];
	uint32_t *outer; /* by stack: index of the frame that called vmalloc; 0: no vmalloc, + 1
			  */
	size_t nr_outer;
	struct flow_table *flows;
	uint32_t nr_unknown; /* tasks whose last area was not known */
	bool lossy;	     /* there was a gap: what is not known need not be old */
	struct stacks *stacks;
	struct sitetab *sites;
	struct match_totals *totals;
};

void vmalloc_init(struct vmalloc *v, const struct match_opts *opts, struct stacks *stacks,
		  struct flow_table *flows, struct sitetab *sites, struct match_totals *totals);
void vmalloc_deinit(struct vmalloc *v);

/* A plausible area was made by @stack; one that was @known or not goes. */
void vmalloc_area_alloc(struct vmalloc *v, const struct event *ev, uint32_t stack);
void vmalloc_area_free(struct vmalloc *v, const struct event *ev, bool known);

/*
 * True when the pages of @ev, of which @pages count, are of an area that its task just made, so that
 * they are silent no more: the caller keeps them, for *@ret_account, as pages
 * booked one by one.
 */
bool vmalloc_page_alloc(struct vmalloc *v, const struct event *ev, uint64_t pages,
			uint32_t stack, uint32_t *ret_account);

/* The older area that the task of @ev freed, if any, has no more pages. */
void vmalloc_older_end(struct vmalloc *v, const struct event *ev);

/* True when the page of @ev, which is not known, was a silent one of a known area. */
bool vmalloc_page_free(struct vmalloc *v, const struct event *ev);

/* What is kept of @ev's task, or NULL. */
static inline struct vmalloc_task *vmalloc_task_of(struct vmalloc *v, const struct event *ev)
{
	struct vmalloc_task *t = &v->task[offset_task_slot(ev)];

	return t->pid == ev->pid && t->context == ev->context &&
			       t->cpu == (ev->pid ? 0 : ev->cpu)
		       ? t
		       : NULL;
}

/* Can vmalloc_page_alloc() be true? */
static inline bool vmalloc_may_take(struct vmalloc *v, const struct event *ev)
{
	const struct vmalloc_task *t = vmalloc_task_of(v, ev);

	return t && t->last[0].start;
}

/* True when vmalloc_page_alloc() is never so for this stack. */
bool vmalloc_is_outside(struct vmalloc *v, uint32_t stack);

uint32_t vmalloc_own_site(struct vmalloc *v, const struct event *ev, uint32_t site);

/* Told of each kfree: an area's pages are all gone when their array goes. */
static inline void vmalloc_kfree(struct vmalloc *v, const struct event *ev)
{
	if (v->nr_unknown)
		vmalloc_older_end(v, ev);
}

/* It is known that the return address of @site is not vmalloc's own. */
static inline bool vmalloc_is_plain(const struct vmalloc *v, uint32_t site)
{
	enum { KNOWN = SITETAB_CLASSIFIED | SITETAB_VMALLOC };

	return (v->sites->site[site].flags & KNOWN) == SITETAB_CLASSIFIED;
}

/* The site of a slab allocation of @site, whose return address may be vmalloc's own. */
static inline uint32_t vmalloc_slab_site(struct vmalloc *v, const struct event *ev,
					 uint32_t site)
{
	return vmalloc_is_plain(v, site) ? site : vmalloc_own_site(v, ev, site);
}

/* No event follows. */
void vmalloc_finish(struct vmalloc *v);

/* A gap: what tasks were about is not known any more. */
void vmalloc_forget(struct vmalloc *v);

/* Books the silent pages of areas that @live says were made before @time as uncertain. */
void vmalloc_mark_uncertain(struct vmalloc *v, const struct table *live, uint64_t time);

#endif
