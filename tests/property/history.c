// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/history.h"

#include <inttypes.h>
#include <stdio.h>

#include "match/site.h"

enum {
	NR_STACKS = 6,
	NR_SLAB_PAGES = 6, /* pfns 0… of SLAB_PFN */
	NR_PAGES = 48,	   /* pfns that page events use; the first are the slab pages */
	SLAB_PFN = 0x1000,
	PRIME_PFN = 0x9000,
	OLD_PFN = 0xa000,
	MOVE_PFN = 0xb000, /* single pages that move, and go */
};

static const uint64_t stack[NR_STACKS] = { 0, 0x501, 0x502, 0x503, 0x504, 0x505 };

struct maker {
	struct history *h;
	uint64_t random, now_ns;
	int32_t pid;
	uint16_t cpu;
	uint8_t context;
};

static uint64_t below(struct maker *m, uint64_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (m->random >> 11) % n;
}

/* One time in @n. */
static bool one_in(struct maker *m, uint64_t n)
{
	return !below(m, n);
}

static void switch_task(struct maker *m)
{
	static const int32_t pid[] = { 0, 10, 20, 30 };
	static const uint8_t context[] = { 0, 0, 0, EVENT_SOFTIRQ, EVENT_HARDIRQ };

	m->pid = pid[below(m, 4)];
	m->cpu = (uint16_t)below(m, 4);
	m->context = context[below(m, 5)];
}

static void add(struct maker *m, struct event ev)
{
	if (m->h->nr == HISTORY_MAX)
		return;
	m->now_ns += 1 + below(m, one_in(m, 4) ? 200 : 3000);
	ev.ts_ns = m->now_ns;
	ev.pid = m->pid;
	ev.cpu = m->cpu;
	ev.context = m->context;
	m->h->ev[m->h->nr++] = ev;
}

static void add_slab_alloc(struct maker *m, uint64_t addr, uint64_t bytes)
{
	bool cache = one_in(m, 2);

	add(m, (struct event){
		       .kind = cache ? EVENT_CACHE_ALLOC : EVENT_KMALLOC,
		       .call_site = 0x100 + below(m, 6),
		       .addr = addr,
		       .bytes_alloc = bytes,
		       .bytes_req = bytes - below(m, 2),
		       .cache = cache && one_in(m, 2) ? (uint16_t)(1 + below(m, 2)) : 0,
	       });
}

static void add_slab_free(struct maker *m, uint64_t addr)
{
	bool cache = one_in(m, 2);

	add(m, (struct event){
		       .kind = cache ? EVENT_CACHE_FREE : EVENT_KFREE,
		       .call_site = 0x104 + below(m, 4),
		       .addr = addr,
		       .cache = cache && one_in(m, 2) ? (uint16_t)(1 + below(m, 2)) : 0,
	       });
}

static void add_page_alloc(struct maker *m, uint64_t pfn, unsigned int order)
{
	uint64_t at = below(m, NR_STACKS), bytes = UINT64_C(4096) << order % 32;

	add(m, (struct event){
		       .kind = EVENT_PAGE_ALLOC,
		       .addr = pfn,
		       .order = (uint8_t)order,
		       .bytes_alloc = bytes,
		       .bytes_req = bytes,
		       .stack = at ? &stack[at] : NULL,
		       .nr_stack = at != 0,
	       });
}

static void add_page_free(struct maker *m, uint64_t pfn, unsigned int order)
{
	add(m, (struct event){ .kind = EVENT_PAGE_FREE, .addr = pfn, .order = (uint8_t)order });
}

static void add_area(struct maker *m, enum event_kind kind)
{
	uint64_t at = kind != EVENT_VMAP_ALLOC ? 0 : one_in(m, 4) ? below(m, NR_STACKS) : 2;
	bool alloc = kind == EVENT_VMAP_ALLOC || kind == EVENT_PERCPU_ALLOC;
	/* Mostly one maker of one size. */
	uint64_t bytes = !alloc ? 0 : one_in(m, 6) ? 8 + 8 * below(m, 100) : 64;

	add(m, (struct event){
		       .kind = (uint8_t)kind,
		       .addr = one_in(m, 10) ? 0 : 0x7000 + 16 * below(m, 8),
		       .call_site = kind == EVENT_PERCPU_ALLOC
					    ? 0x200 + (one_in(m, 4) ? below(m, 3) : 0)
					    : 0,
		       .bytes_alloc = bytes,
		       .bytes_req = bytes,
		       .stack = at ? &stack[at] : NULL,
		       .nr_stack = at != 0,
	       });
}

static void add_lost(struct maker *m)
{
	add(m, (struct event){
		       .kind = EVENT_LOST,
		       .addr = m->now_ns,
		       .bytes_req = one_in(m, 2) ? EVENT_LOST_UNKNOWN : 5,
		       .bytes_alloc = below(m, 2) * 4096,
	       });
}

/* A slot of a slab page; each page has its own distance of objects. */
static uint64_t slab_addr(struct maker *m)
{
	static const uint64_t step[NR_SLAB_PAGES] = { 1024, 512, 192, 8, 2048, 1 };
	uint64_t page = below(m, NR_SLAB_PAGES);

	return HISTORY_BASE + (SLAB_PFN + page) * 4096 + below(m, 4) * step[page];
}

/* A page, now and then one that is no multiple of its block. */
static uint64_t some_pfn(struct maker *m, unsigned int order)
{
	uint64_t pfn = below(m, NR_PAGES);

	return SLAB_PFN + (one_in(m, 12) ? pfn : pfn >> order << order);
}

static unsigned int some_order(struct maker *m)
{
	return one_in(m, 2) ? 0 : (unsigned int)below(m, 4);
}

/* A large kmalloc: its block, one or two events, and mostly the frees. */
static void add_large(struct maker *m)
{
	unsigned int order = 2 + (unsigned int)below(m, 2);
	uint64_t pfn = SLAB_PFN + (below(m, NR_PAGES) & -(UINT64_C(1) << order));
	struct event ev = {
		.kind = EVENT_KMALLOC,
		.call_site = 0x300,
		.addr = HISTORY_BASE + pfn * 4096,
		.bytes_alloc = UINT64_C(4096) << order,
		.bytes_req = 9000,
	};

	if (!one_in(m, 4))
		add_page_alloc(m, pfn, order);
	add(m, ev);
	/* Gaps are rare: after one, rule 15 charges nothing. */
	switch (below(m, 60)) {
	case 0 ... 4:
		switch_task(m);
		break;
	case 5 ... 9:
		m->context ^= EVENT_SOFTIRQ;
		break;
	case 10 ... 14:
		add_slab_alloc(m, slab_addr(m), 64);
		break;
	case 15 ... 19:
		add_page_alloc(m, SLAB_PFN + NR_PAGES, 0);
		break;
	case 20:
		add_lost(m);
		break;
	}
	ev.call_site = 0x301;
	for (uint64_t i = below(m, 8) % 5; i; i--)
		add(m, ev);
	if (one_in(m, 3))
		switch_task(m);
	if (!one_in(m, 4))
		add_slab_free(m, ev.addr);
	if (!one_in(m, 4))
		add_page_free(m, pfn, order);
}

/* The free of an object, stamped after the reuse of its address. */
static void add_skew(struct maker *m)
{
	uint64_t addr = slab_addr(m);

	add_slab_alloc(m, addr, 64);
	add_slab_alloc(m, addr, 64);
	if (one_in(m, 40))
		add_lost(m);
	m->cpu = (m->cpu + 1) % 4;
	add_slab_free(m, addr);
}

/* A place that frees what one other made, and something older among it. */
static void add_older(struct maker *m)
{
	uint64_t place = below(m, 3), bytes = 64 + 32 * place, nr = 1 + below(m, 4);
	uint64_t older = below(m, nr + 1), page = HISTORY_BASE + (OLD_PFN + place) * 4096;

	for (uint64_t i = 0; i <= nr; i++) {
		uint64_t addr = page + bytes * below(m, 20);

		if (i != older)
			add(m, (struct event){ .kind = EVENT_CACHE_ALLOC,
					       .addr = addr,
					       .call_site = 0x600 + (one_in(m, 12) ? 9 : place),
					       .bytes_req = bytes,
					       .bytes_alloc = bytes });
		else if (one_in(m, 3))
			addr += 4 * 4096; /* of no known size */
		add(m, (struct event){ .kind = EVENT_CACHE_FREE,
				       .addr = addr,
				       .call_site = 0x610 + (one_in(m, 8) ? 9 : place),
				       .cache = (uint16_t)(place == 2 ? 0 : 5 + place) });
	}
}

/* An area of vmalloc, a page that an event tells of it, or its end and its pages'. */
static void add_vmalloc(struct maker *m)
{
	static const uint64_t area[2][2] = { { 0x801, 0x901 }, { 0x802, 0x902 } };
	static const uint64_t page[2][3] = { { 0x821, 0x811, 0x901 }, { 0x822, 0x812, 0x902 } };
	uint64_t which = below(m, 2), start = 0x7100000 + 0x10000 * below(m, 3);
	unsigned int order = (unsigned int)below(m, 2);
	uint64_t bytes = 4096 * (1 + below(m, 4));

	switch (below(m, 4)) {
	case 0 ... 1:
		add(m, (struct event){ .kind = EVENT_VMAP_ALLOC,
				       .addr = start,
				       .stack = area[which],
				       .nr_stack = 2,
				       .bytes_req = bytes,
				       .bytes_alloc = bytes });
		if (one_in(m, 3))
			break;
		bytes = UINT64_C(4096) << order;
		add(m, (struct event){ .kind = EVENT_PAGE_ALLOC,
				       .addr = some_pfn(m, order),
				       .order = (uint8_t)order,
				       .stack = page[which],
				       .nr_stack = 3,
				       .bytes_req = bytes,
				       .bytes_alloc = bytes });
		break;
	case 2 ... 3:
		add(m, (struct event){ .kind = EVENT_VMAP_FREE, .addr = start });
		for (uint64_t n = below(m, 5); n; n--)
			add_page_free(m, SLAB_PFN + NR_PAGES + below(m, 8), 0);
		break;
	}
}

/* A page that moves, mostly to where none is, and mostly really. */
static void add_move(struct maker *m)
{
	uint64_t from = MOVE_PFN + below(m, 5), to = MOVE_PFN + below(m, 5);

	if (one_in(m, 2))
		add_page_alloc(m, from, 0);
	if (from != to)
		add(m, (struct event){ .kind = EVENT_PAGE_MOVE,
				       .addr = one_in(m, 30) ? UINT64_C(1) << 40 : from,
				       .bytes_req = to });
	if (one_in(m, 4))
		add_page_alloc(m, to, 0);
	if (!one_in(m, 4))
		add_page_free(m, from, 0);
	if (one_in(m, 3))
		add_page_free(m, to, 0);
}

/* What only probes tell. */
static void add_probe(struct maker *m)
{
	uint64_t at = below(m, NR_STACKS);

	switch (below(m, 5)) {
	case 0:
		add(m, (struct event){ .kind = EVENT_BULK_ALLOC,
				       .addr = slab_addr(m),
				       .call_site = 0x100 + below(m, 6),
				       .bytes_alloc = 64 * below(m, 3),
				       .bytes_req = 0 });
		break;
	case 1:
		add(m, (struct event){ .kind = EVENT_BULK_FREE,
				       .addr = slab_addr(m),
				       .call_site = 0x104 + below(m, 4) });
		break;
	case 2:
		add(m, (struct event){ .kind = EVENT_RCU_FREE,
				       .addr = slab_addr(m),
				       .call_site = one_in(m, 8) ? 0 : 0x104 + below(m, 4) });
		break;
	case 3:
		add(m, (struct event){ .kind = EVENT_PAGE_BULK,
				       .addr = some_pfn(m, 0),
				       .call_site = 0x700 + below(m, 2),
				       .bytes_req = 4096,
				       .bytes_alloc = 4096,
				       .stack = at ? &stack[at] : NULL,
				       .nr_stack = at != 0 });
		break;
	case 4:
		add_move(m);
		break;
	}
}

static void add_impossible(struct maker *m)
{
	switch (below(m, 6)) {
	case 0:
		add_slab_alloc(m, slab_addr(m), (UINT64_C(1) << 44) + 2);
		break;
	case 1:
		add_page_alloc(m, SLAB_PFN, 14);
		break;
	case 2:
		add_page_free(m, SLAB_PFN, 200);
		break;
	case 3:
		add_page_alloc(m, UINT64_C(1) << 40, 0);
		break;
	case 4:
		add_page_free(m, EVENT_PFN_NONE, 0);
		break;
	case 5:
		add_page_alloc(m, EVENT_PFN_NONE, 3); /* a plain failure */
		break;
	}
}

static void add_any(struct maker *m)
{
	unsigned int order = some_order(m);

	if (!one_in(m, 3))
		switch_task(m);
	switch (below(m, 50)) {
	case 0 ... 8:
		add_slab_alloc(m, slab_addr(m), 8 + 8 * below(m, 20));
		break;
	case 9 ... 17:
		add_slab_free(m, slab_addr(m));
		break;
	case 18 ... 22:
		add_page_alloc(m, some_pfn(m, order), order);
		break;
	case 23 ... 28:
		add_page_free(m, some_pfn(m, order), order);
		break;
	case 29:
		add_area(m, EVENT_PERCPU_ALLOC);
		break;
	case 30:
		add_area(m, EVENT_PERCPU_FREE);
		break;
	case 31:
		add_area(m, EVENT_VMAP_ALLOC);
		break;
	case 32:
		add_area(m, EVENT_VMAP_FREE);
		break;
	case 33:
		add_slab_alloc(m, one_in(m, 2) ? 0 : 16, 64);
		break;
	case 34:
		add_slab_free(m, one_in(m, 2) ? 0 : 16);
		break;
	case 35 ... 36:
		add_large(m);
		break;
	case 37:
		add_skew(m);
		break;
	case 38:
		add_impossible(m);
		break;
	case 40:
		add_older(m);
		break;
	case 41 ... 42:
		add_vmalloc(m);
		break;
	case 39:
		if (one_in(m, 4))
			add_lost(m);
		break;
	case 43 ... 49:
		add_probe(m);
		break;
	}
}

void history_make(struct history *h, uint64_t seed, size_t nr)
{
	struct maker m = {
		.h = h,
		.random = (seed + 1) * 0x9e3779b97f4a7c15,
		.now_ns = 1000000,
		.pid = 40,
	};

	h->nr = 0;
	for (uint64_t pfn = PRIME_PFN; pfn < PRIME_PFN + 2; pfn++) {
		add_page_alloc(&m, pfn, 0);
		add(&m, (struct event){ .kind = EVENT_KMALLOC,
					.call_site = 0x400,
					.addr = HISTORY_BASE + pfn * 4096,
					.bytes_alloc = 64,
					.bytes_req = 64 });
	}
	while (h->nr < nr)
		add_any(&m);
}

void history_mix_in_pairs(struct history *h, uint64_t seed)
{
	static struct history old;
	struct maker m = { .random = (seed + 1) * 0x9e3779b97f4a7c15 };
	static const struct event pair[][2] = {
		{ { .kind = EVENT_KMALLOC, .addr = 0x77000, .bytes_alloc = 32 },
		  { .kind = EVENT_KFREE, .addr = 0x77000 } },
		{ { .kind = EVENT_PAGE_ALLOC, .addr = 0x99990 },
		  { .kind = EVENT_PAGE_FREE, .addr = 0x99990 } },
		{ { .kind = EVENT_PERCPU_ALLOC, .addr = 0x77000, .bytes_alloc = 32 },
		  { .kind = EVENT_PERCPU_FREE, .addr = 0x77000 } },
		{ { .kind = EVENT_VMAP_ALLOC, .addr = 0x77000, .bytes_alloc = 32 },
		  { .kind = EVENT_VMAP_FREE, .addr = 0x77000 } },
	};
	static const uint64_t own_stack = 0x900;
	bool open = false;
	uint64_t at = 0;

	old = *h;
	h->nr = 0;
	for (size_t i = 0; i < old.nr && h->nr + 2 < HISTORY_MAX; i++) {
		h->ev[h->nr++] = old.ev[i];
		/* A gap ends what is remembered of it. */
		if (i < HISTORY_PRIME || (!one_in(&m, 8) && !(open && i + 1 == old.nr)))
			continue;
		if (!open)
			at = below(&m, 4);

		struct event ev = pair[at][open];

		ev.ts_ns = old.ev[i].ts_ns;
		ev.call_site = 0x900;
		ev.pid = 50;
		ev.cpu = 5;
		ev.stack = ev.kind == EVENT_PAGE_ALLOC || ev.kind == EVENT_VMAP_ALLOC
				   ? &own_stack
				   : NULL;
		ev.nr_stack = ev.stack != NULL;
		h->ev[h->nr++] = ev;
		open = !open;
	}
}

void history_print(const struct event *ev)
{
	static const char *const name[NR_EVENT_KINDS] = {
		[EVENT_LOST] = "lost",
		[EVENT_KMALLOC] = "kmalloc",
		[EVENT_CACHE_ALLOC] = "kmem_cache_alloc",
		[EVENT_KFREE] = "kfree",
		[EVENT_CACHE_FREE] = "kmem_cache_free",
		[EVENT_PAGE_ALLOC] = "mm_page_alloc",
		[EVENT_PAGE_FREE] = "mm_page_free",
		[EVENT_PERCPU_ALLOC] = "percpu_alloc",
		[EVENT_PERCPU_FREE] = "percpu_free",
		[EVENT_VMAP_ALLOC] = "vmap_alloc",
		[EVENT_VMAP_FREE] = "vmap_free",
		[EVENT_BULK_ALLOC] = "bulk_alloc",
		[EVENT_BULK_FREE] = "bulk_free",
		[EVENT_RCU_FREE] = "rcu_free",
		[EVENT_PAGE_BULK] = "page_bulk",
		[EVENT_PAGE_MOVE] = "page_move",
		[EVENT_MODULE_LOAD] = "module_load",
		[EVENT_MODULE_FREE] = "module_free",
		[EVENT_TASK_NEW] = "task_newtask",
		[EVENT_TASK_NAME] = "task_rename",
		[EVENT_TASK_CGROUP] = "cgroup_attach_task",
	};

	printf("# %" PRIu64 " cpu %u pid %d context %#x %s addr %#" PRIx64
	       " order %u bytes %" PRIu64 " of %" PRIu64 " site %#" PRIx64 " cache %u\n",
	       ev->ts_ns, ev->cpu, ev->pid, ev->context, name[ev->kind], ev->addr, ev->order,
	       ev->bytes_req, ev->bytes_alloc, ev->stack ? ev->stack[0] : ev->call_site,
	       ev->cache);
}
