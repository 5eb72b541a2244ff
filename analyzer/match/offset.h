/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/offset.h - where the direct map starts, voted by the trace itself
 *
 * A slab page is allocated by the very task that then takes an object out of
 * it, and a large kmalloc is the whole of the block allocated just before. The
 * direct map starts at a multiple of 1 GiB, so that an object of another page
 * passes for one of the fresh page by a chance of 4e-6 times the block's pages,
 * and two of them agree on a wrong base hardly ever.
 *
 * In:     all slab and page events
 * Out:    the base: address = base + pfn x page size
 * Rules:  (1) a base holds from its second vote on, as long as four fifths of
 *             all votes are its own
 *         (2) after OFFSET_ENOUGH votes for it the poll is closed
 */
#ifndef MATCH_OFFSET_H
#define MATCH_OFFSET_H

#include <stdbool.h>
#include <stddef.h>

#include "decode/event.h"

enum { OFFSET_ENOUGH = 1000, OFFSET_TASKS = 256, OFFSET_CANDIDATES = 8 };

/* What one task, in one context, last took from the page allocator. */
struct offset_task {
	uint64_t pfn;
	int32_t pid;
	uint16_t cpu; /* of pid 0, else 0 */
	uint8_t context;
	uint8_t order;
	uint8_t left; /* slab events for which it counts; 0: nothing */
};

struct offset {
	uint64_t base; /* 0: not known */
	uint64_t page_size;
	bool closed;
	struct offset_task task[OFFSET_TASKS];
	struct {
		uint64_t base, votes;
	} candidate[OFFSET_CANDIDATES];
	uint64_t votes; /* all */
};

void offset_init(struct offset *off, uint32_t page_size);

void offset_take_page(struct offset *off, const struct event *ev);
void offset_take_slab(struct offset *off, const struct event *ev);
void offset_take_other(struct offset *off, const struct event *ev);

/* These do nothing once the poll is closed, which it is soon. */
static inline void offset_page_alloc(struct offset *off, const struct event *ev)
{
	if (!off->closed)
		offset_take_page(off, ev);
}

static inline void offset_slab_alloc(struct offset *off, const struct event *ev)
{
	if (!off->closed)
		offset_take_slab(off, ev);
}

/* Any free. */
static inline void offset_other(struct offset *off, const struct event *ev)
{
	if (!off->closed)
		offset_take_other(off, ev);
}

/* The pfn of @ev's block where no base tells it: of the task's block just before. */
bool offset_block_before(const struct offset *off, const struct event *ev, uint64_t *ret_pfn);

uint64_t offset_leader_votes(const struct offset *off);

/* Tasks are told apart by this; the idle tasks all have pid 0. */
static inline unsigned int offset_task_slot(const struct event *ev)
{
	uint32_t cpu = ev->pid ? 0 : ev->cpu;

	return ((uint32_t)ev->pid * 5 + cpu * 3 + ev->context) % OFFSET_TASKS;
}

#endif
