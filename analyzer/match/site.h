/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/site.h - usage per raw call site: the currency between match and resolve
 *
 * A raw site is what the trace itself tells apart: a return address for slab
 * and percpu events, an interned stack for pages and vmap areas. A slab event of
 * an address that tells little has both, as has a page of a probe. Several raw
 * sites may resolve to one line of source.
 */
#ifndef MATCH_SITE_H
#define MATCH_SITE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/life.h"
#include "match/series.h"

enum site_kind {
	SITE_SLAB,
	SITE_PAGE,
	SITE_PERCPU,
	SITE_VMALLOC,
	NR_SITE_KINDS,
};

/* How an object ended that no free event of its own ended. */
enum end_rule {
	END_REUSE,     /* rule 3: its address was allocated again */
	END_SLAB_PAGE, /* rule 6: its slab page was freed, or allocated again */
	END_OVERLAP,   /* rule 9: its pages were allocated again */
	END_AREA,      /* rule 16: silent pages, of an area that was freed */
	END_RCU,       /* rule 13: RCU had it, and frees without an event */
	NR_END_RULES,
};

#define SITE_NO_STACK 0

/* A recording of one in so many chunks of memory: match/sample.h. */
struct sample_rate {
	uint32_t one_in; /* a power of two; 0 and 1: of all memory */
	uint32_t chunk;	 /* which one, below one_in */
};

/* Pages of a chunk are two to this. */
enum { SAMPLE_ORDER = 3, SAMPLE_MAX = 4096 };

enum { SITE_QUICK_NS = 1000, SITE_NEAR = 4 };

/*
 * What events write comes first, by cache line: the first is of all, the second of allocations,
 * the third and fourth of frees. The array begins at one. An odd number of lines keeps the first
 * of all sites from sharing few places in a cache.
 */
struct site {
	/* What is live at the end. */
	_Alignas(64) uint64_t live;
	uint64_t live_bytes;

	/* Allocated in the recording. */
	uint64_t allocs;
	uint64_t alloc_bytes; /* bytes_alloc */

	uint64_t peak_bytes; /* highest live_bytes */
	uint64_t last_ns;    /* first and last allocation, or free where there is none */
	uint64_t bursts;     /* of SITETAB_BURST events each, that allocated here */
	uint64_t stamp;	     /* sitetab.h's own: that its kind had when it was looked at last */

	uint64_t max_bytes; /* of one object */
	uint64_t peak_ns;   /* when peak_bytes was first reached */
	uint64_t call_site; /* return address; 0 when the stack alone is the key */
	enum site_kind kind;
	uint32_t stack;	  /* id in struct stacks, which holds call_site too where there is
			   * one (rule 16); SITE_NO_STACK when there is none */
	uint32_t weight;  /* a part of the key: by how much each object counts, 1 without
			   * sampling; 0: it is not to be reported */
	uint16_t cache;	  /* interned cache name when all its objects agree, else 0 */
	bool self;	  /* a part of the key: what the recorder did itself */
	uint8_t flags;	  /* sitetab.h's own, as what follows: enum sitetab_flag */
	uint64_t burst;	  /* in which it allocated last */
	uint32_t account; /* that it used last */
	struct series_mark series;

	/*
	 * Lives, up to a free event or to the call that gives the object to RCU. What
	 * ended by inference did so at a time that nobody knows.
	 */
	uint64_t lived;
	double lived_sum_ns;
	uint64_t lived_max_ns;
	uint64_t lived_quick;	  /* at most SITE_QUICK_NS */
	uint64_t lived_same_task; /* freed by the task that allocated it, out of interrupts */
	uint64_t remote_cpu;	  /* freed on another CPU */
	uint64_t lived_near;	  /* slab: same task, before its next SITE_NEAR allocations */
	uint64_t temporary;	  /* slab: quick, too */

	struct life life;     /* sitetab.h's own: how many of lived by how long */
	uint64_t remote_node; /* of remote_cpu, those of another node */
	uint64_t first_ns;

	/* When all sites of the kind together held most: struct site_peak. */
	uint64_t at_peak;
	uint64_t at_peak_bytes;

	uint64_t bytes_req;
	uint64_t slack_bytes;	 /* pages: of blocks that large kmallocs took, not asked for */
	uint64_t failures;	 /* allocations that returned nothing; no object */
	uint64_t missing_stacks; /* allocations whose stack went missing */

	/* Ends of objects that were allocated here. */
	uint64_t frees; /* by a free event of their own */
	uint64_t free_bytes;
	uint64_t inferred_frees[NR_END_RULES];
	uint64_t inferred_bytes[NR_END_RULES];

	/* Frees made *from* this address (slab only) of objects not known. */
	uint64_t unknown_frees;
	uint64_t unknown_free_bytes; /* pages only: slab frees do not tell a size */

	/* Objects made here before the recording, and freed in it: an estimate (rule 15). */
	uint64_t preexisting_frees;
	uint64_t preexisting_bytes;

	/* Of what is live, pages beyond the first of blocks that were split (rule 8) … */
	uint64_t pieces;
	/* … what lived across a gap … */
	uint64_t uncertain;
	uint64_t uncertain_bytes;
	/* … and what was given to RCU to be freed, which the end of the recording forestalled.
	 */
	uint64_t rcu_pending;
	uint64_t rcu_pending_bytes;

	/* Between these lie the objects and bytes that live in truth (rule 17). */
	uint64_t lower, lower_bytes;
	uint64_t upper, upper_bytes;

	/*
	 * Of what sampling estimates; of all sites of one call site one has it. Nothing
	 * but failures is smaller than what it stands for: figures are times weight.
	 */
	double live_var, live_bytes_var;
	double alloc_bytes_var;

	/* Of what is live at the end, but for what was given to RCU. */
	uint64_t aged;
	uint64_t age_max_ns;
	double age_sum_ns;
};

static_assert(sizeof(struct site) / 64 % 2, "an odd number of lines");

/* All sites of one kind together. */
struct site_peak {
	uint64_t live, live_bytes; /* now */
	uint64_t bytes, objects;   /* at the peak of bytes */
	uint64_t ns;		   /* when that was first reached */
};

#endif
