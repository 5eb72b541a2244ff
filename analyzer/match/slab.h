/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/slab.h - slab objects and large kmallocs, by virtual address
 *
 * In:     slab events, and which pages go or are taken
 * Out:    bookings on the sites of the objects; rules 1 to 3, 6, 7 and 10
 */
#ifndef MATCH_SLAB_H
#define MATCH_SLAB_H

#include "match/flow.h"
#include "match/live.h"
#include "match/match.h"
#include "match/offset.h"
#include "match/page.h"
#include "match/sample.h"
#include "match/sitetab.h"
#include "match/slabpage.h"
#include "match/vmalloc.h"

enum {
	SLAB_SKEW_NS = 400,
	SLAB_SKEWS = 64,
};

/* The large kmalloc that a task traced last: the next may be its duplicate. */
struct slab_large {
	uint64_t addr; /* 0: none */
	uint64_t call_site, bytes, bytes_req;
	uint64_t time;
	struct sitetab_point before;
	int32_t pid;
	uint8_t context;
};

/* An object that ended by reuse, whose free may only be stamped too late. */
struct slab_skew {
	uint64_t addr;	/* 0: none */
	uint64_t ts_ns; /* of the reuse */
	uint64_t bytes;
	uint64_t birth, end; /* of the object, as live.h has times */
	uint32_t account;
	uint16_t cpu; /* of the reuse */
};

/* An object that is not known, on its way to be freed. */
struct slab_rcu {
	uint64_t addr;	    /* 0: empty */
	uint64_t call_site; /* that gave it to RCU; 0: it has been freed */
};

struct slab {
	struct table live; /* of struct live_obj */
	struct slabpage_table pages;
	struct flow_table flows;
	struct offset offset;
	struct slab_large large[OFFSET_TASKS];
	struct slab_skew skew[SLAB_SKEWS]; /* a ring */
	uint64_t nr_skew;		   /* ever put into it */
	uint64_t skew_until_ns;		   /* none is of use after it */
	bool lossy;	  /* there was a gap: what is not known need not be old */
	struct table rcu; /* of struct slab_rcu: not known, and given to RCU */
	uint64_t page_size;
	const struct match_opts *opts;
	const struct page_map *page_map;
	struct vmalloc *vmalloc;
	struct sitetab *sites;
	struct sample *sample;
	struct match_totals *totals;
};

void slab_init(struct slab *slab, const struct match_opts *opts,
	       const struct page_map *page_map, struct vmalloc *vmalloc, struct sitetab *sites,
	       struct sample *sample, struct match_totals *totals);
void slab_deinit(struct slab *slab);

/* For @site, its index by return address, or by stack too where there is one. */
void slab_alloc(struct slab *slab, const struct event *ev, uint32_t site, uint64_t time);
void slab_free(struct slab *slab, const struct event *ev);

/*
 * The object at ev->addr was given to RCU: who did so is who frees it (rule 15). The
 * object, or NULL when it is not known or has pages of its own.
 */
struct live_obj *slab_rcu_free(struct slab *slab, const struct event *ev);

bool slab_end_in_block(struct slab *slab, const struct event *ev);

/* Might a slab object live in the pages of @ev? Of single pages, mostly not. */
static inline bool slab_may_hold(const struct slab *slab, const struct event *ev)
{
	return slab->offset.base &&
	       (ev->order ||
		slabpage_may_be(&slab->pages, slab->offset.base + ev->addr * slab->page_size));
}

/*
 * A plausible page event: no object lives in its pages (rule 6). True when they
 * were seen to hold slab objects, so that they were a slab (rule 15).
 */
static inline void slab_page_alloc(struct slab *slab, const struct event *ev)
{
	if (slab_may_hold(slab, ev))
		slab_end_in_block(slab, ev);
	slab->large[offset_task_slot(ev)].addr = 0;
	offset_page_alloc(&slab->offset, ev);
}

static inline bool slab_page_free(struct slab *slab, const struct event *ev)
{
	offset_other(&slab->offset, ev);
	return slab_may_hold(slab, ev) && slab_end_in_block(slab, ev);
}

/* What lives in the block may be other than it was, which no event of it told. */
void slab_page_moved(struct slab *slab, uint64_t pfn, unsigned int order);

/* The block that @ev is about to free was a slab (rule 15). */
void slab_block_free(struct slab *slab, const struct event *ev);
/* A block that is older than the recording, and was freed in it, was one. */
void slab_old_block(struct slab *slab, unsigned int order);

/* No event follows: tells of the live blocks that they are slabs (rule 15). */
void slab_count_blocks(struct slab *slab);

/* These start to fetch what the four above will read first. */
static inline void slab_prefetch(const struct slab *slab, const struct event *ev)
{
	table_prefetch(&slab->live, &live_ops, ev->addr);
}

static inline void slab_page_prefetch(const struct slab *slab, const struct event *ev)
{
	__builtin_prefetch(
		slabpage_like(&slab->pages, slab->offset.base + ev->addr * slab->page_size));
}

/* A window begins: what was freed before it is of no interest (rule 15). */
void slab_window(struct slab *slab);

/* A gap: what was remembered of tasks may not be what happened last. */
void slab_forget(struct slab *slab);

#endif
