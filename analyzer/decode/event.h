/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/event.h - one traced event: the currency between decode and match
 *
 * An event is one cache line of plain values in native byte order; what it
 * borrows (the stack) lives until the next merge_next().
 *
 * To add a kernel event: a kind here; its fields in decode/format.c; the
 * switches over enum event_kind, which have no default, then refuse to compile
 * until match/ handles it; its rule in Documentation/design/matching.md; a
 * line in tests/property/oracle.c.
 */
#ifndef DECODE_EVENT_H
#define DECODE_EVENT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The four key spaces (addr of an event) are disjoint: slab objects by kernel
 * virtual address, pages by pfn, percpu areas by cookie, vmap areas by start.
 */
enum event_kind {
	EVENT_LOST,	    /* a gap in one CPU's stream, see below */
	EVENT_KMALLOC,	    /* kmem:kmalloc, kmalloc_node */
	EVENT_CACHE_ALLOC,  /* kmem:kmem_cache_alloc, kmem_cache_alloc_node */
	EVENT_KFREE,	    /* kmem:kfree */
	EVENT_CACHE_FREE,   /* kmem:kmem_cache_free */
	EVENT_PAGE_ALLOC,   /* kmem:mm_page_alloc */
	EVENT_PAGE_FREE,    /* kmem:mm_page_free */
	EVENT_PERCPU_ALLOC, /* percpu:percpu_alloc_percpu */
	EVENT_PERCPU_FREE,  /* percpu:percpu_free_percpu */
	EVENT_VMAP_ALLOC,   /* vmalloc:alloc_vmap_area */
	EVENT_VMAP_FREE,    /* vmalloc:free_vmap_area_noflush */
	/* Probes of the recorder's own, one event for each pointer of a list. */
	EVENT_BULK_ALLOC,  /* an object of kmem_cache_alloc_bulk */
	EVENT_BULK_FREE,   /* an object of kmem_cache_free_bulk */
	EVENT_RCU_FREE,	   /* kvfree_call_rcu: to be freed after a grace period */
	EVENT_PAGE_BULK,   /* a page of alloc_pages_bulk; perhaps one that was there before */
	EVENT_PAGE_MOVE,   /* folio_migrate_flags: a folio's content goes to another place */
	EVENT_MODULE_LOAD, /* module:module_load */
	EVENT_MODULE_FREE, /* module:module_free */
	EVENT_TASK_NEW,	   /* task:task_newtask */
	EVENT_TASK_NAME,   /* task:task_rename */
	EVENT_TASK_CGROUP, /* cgroup:cgroup_attach_task */
	NR_EVENT_KINDS,
};

/* The bits of common_flags that tell the context an event ran in. */
enum event_context {
	EVENT_HARDIRQ = 0x08,
	EVENT_SOFTIRQ = 0x10,
	EVENT_NMI = 0x40,
	EVENT_CONTEXT_MASK = 0x58,
};

#define EVENT_LOST_UNKNOWN UINT64_MAX
#define EVENT_PFN_NONE	   UINT64_MAX /* pfn of a failed page allocation */
#define EVENT_CACHE_NONE   0

/*
 * Field by kind; a field that the kernel of the recording does not have is 0.
 *
 *               addr    call_site       bytes_req        bytes_alloc
 * slab alloc    ptr     return address  asked for        of the slot
 * slab free     ptr     return address  0                0
 * page alloc    pfn     0               of the block     of the block
 * page free     pfn     0               of the block     of the block
 * percpu alloc  cookie  return address  size * CPUs (1)  bytes_alloc
 * percpu free   cookie  0               0                0
 * vmap          start   0               size             size (2)
 * LOST          start   0               events lost (3)  bytes of a page that would
 *                                                        not decode, else 0
 *
 * (1) The size is that of one CPU's area, as asked for.
 * (2) Without the guard page. A failed attempt has addr 0.
 * (3) Or EVENT_LOST_UNKNOWN. The start is that of the gap, in ns: the last time seen
 *     on that CPU.
 * ts_ns of a LOST is the end of the gap: the base time of the next good page.
 * MODULE_*: only cache (the interned module name) is set.
 * TASK_*: addr is the pid it is about, cache its interned name (TASK_CGROUP: path of
 *           the cgroup); bytes_req is the flags of clone() (TASK_NEW) or the number of
 *           the cgroup hierarchy (TASK_CGROUP). pid of a TASK_NEW is the parent's.
 * BULK_ALLOC, BULK_FREE, RCU_FREE: as slab; sizes are 0 where the recording does
 *           not tell them.
 * PAGE_BULK: as page alloc of order 0, with a call_site also.
 * PAGE_MOVE: addr is the pfn of the old place, bytes_req that of the new one.
 */
struct event {
	uint64_t ts_ns;
	uint64_t addr;
	uint64_t call_site;
	uint64_t bytes_req;
	uint64_t bytes_alloc;
	const uint64_t *stack; /* nr_stack return addresses, innermost first; NULL
				* when none was recorded or it went missing */
	int32_t pid;
	uint32_t gfp_flags; /* low 32 bits, the kernel's own encoding */
	uint16_t cpu;
	uint16_t cache; /* interned name: names.h; EVENT_CACHE_NONE if not told */
	uint16_t nr_stack : 11;
	uint16_t order : 5;	 /* pages only */
	uint8_t kind : 5;	 /* enum event_kind */
	uint8_t migratetype : 3; /* page alloc only; 7: 7 or more */
	uint8_t context;	 /* common_flags & EVENT_CONTEXT_MASK */
};

static_assert(sizeof(struct event) == 64, "an event is one cache line");
static_assert(NR_EVENT_KINDS <= 32, "a kind has five bits");

/* The last word of an event, as little-endian machines lay it out, without a stack. */
static inline uint64_t event_last_word(uint16_t cpu, uint16_t cache, uint32_t order,
				       uint8_t kind, uint32_t migratetype, uint8_t context)
{
	return cpu | (uint64_t)cache << 16 | (uint64_t)order << 43 | (uint64_t)kind << 48 |
	       (uint64_t)migratetype << 53 | (uint64_t)context << 56;
}

/* The key spaces, see above. */
enum event_space {
	EVENT_SPACE_NONE, /* of no memory */
	EVENT_SPACE_SLAB,
	EVENT_SPACE_PAGE,
	EVENT_SPACE_PERCPU,
	EVENT_SPACE_VMAP,
};

enum event_space event_space(enum event_kind kind);

/* What the kernel calls the event; a name of our own for what only probes tell. */
const char *event_name(enum event_kind kind);

#endif
