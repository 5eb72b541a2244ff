// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/offset.h"

/*
 * An object may be taken some events after its page: a new slab can need a
 * vector of object extensions, which is a kmalloc, first.
 */
enum { EVENTS_AFTER = 6 };

/* The direct map starts at a multiple of 1 GiB. */
#define REST_MASK ((UINT64_C(1) << 30) - 1)

void offset_init(struct offset *off, uint32_t page_size)
{
	*off = (struct offset){ .page_size = page_size };
}

/* What @ev's task has pending, or NULL. */
static struct offset_task *pending(struct offset *off, const struct event *ev)
{
	struct offset_task *t = &off->task[offset_task_slot(ev)];

	if (!t->left || t->pid != ev->pid || t->context != ev->context ||
	    t->cpu != (ev->pid ? 0 : ev->cpu))
		return NULL;
	return t;
}

void offset_take_page(struct offset *off, const struct event *ev)
{
	off->task[offset_task_slot(ev)] = (struct offset_task){
		.pfn = ev->addr,
		.pid = ev->pid,
		.cpu = ev->pid ? 0 : ev->cpu,
		.context = ev->context,
		.order = ev->order,
		.left = EVENTS_AFTER,
	};
}

static void vote(struct offset *off, uint64_t base)
{
	size_t lead = 0, at = OFFSET_CANDIDATES, least = 0;

	off->votes++;
	for (size_t i = 0; i < OFFSET_CANDIDATES; i++) {
		if (off->candidate[i].base == base)
			at = i;
		if (off->candidate[i].votes < off->candidate[least].votes)
			least = i;
	}
	if (at == OFFSET_CANDIDATES) {
		at = least;
		off->candidate[at].base = base;
		off->candidate[at].votes = 0;
	}
	off->candidate[at].votes++;
	for (size_t i = 0; i < OFFSET_CANDIDATES; i++)
		if (off->candidate[i].votes > off->candidate[lead].votes)
			lead = i;

	uint64_t votes = off->candidate[lead].votes;
	bool holds = votes >= 2 && votes >= off->votes - off->votes / 5;

	off->base = holds ? off->candidate[lead].base : 0;
	off->closed = holds && votes >= OFFSET_ENOUGH;
}

void offset_take_slab(struct offset *off, const struct event *ev)
{
	struct offset_task *t = pending(off, ev);

	if (!t)
		return;
	uint64_t distance = ev->addr - t->pfn * off->page_size, rest = distance & REST_MASK;

	if (rest < off->page_size << t->order) {
		vote(off, distance - rest);
		t->left = 0;
	} else {
		t->left--;
	}
}

void offset_take_other(struct offset *off, const struct event *ev)
{
	struct offset_task *t = pending(off, ev);

	if (t)
		t->left--;
}

bool offset_block_before(const struct offset *off, const struct event *ev, uint64_t *ret_pfn)
{
	const struct offset_task *t = off->closed ? NULL : pending((struct offset *)off, ev);

	if (!t || t->left != EVENTS_AFTER || ev->bytes_alloc != off->page_size << t->order ||
	    (ev->addr - t->pfn * off->page_size) & REST_MASK)
		return false;
	*ret_pfn = t->pfn;
	return true;
}

uint64_t offset_leader_votes(const struct offset *off)
{
	uint64_t votes = 0;

	for (size_t i = 0; i < OFFSET_CANDIDATES; i++)
		if (off->candidate[i].votes > votes)
			votes = off->candidate[i].votes;
	return votes;
}
