/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/state.h - what a match consists of, for match.c and take.c only
 */
#ifndef MATCH_STATE_H
#define MATCH_STATE_H

#include "match/area.h"
#include "match/bulk.h"
#include "match/match.h"
#include "match/oldpage.h"
#include "match/page.h"
#include "match/sample.h"
#include "match/slab.h"
#include "match/vmalloc.h"

struct match {
	struct match_opts opts;
	struct match_totals totals;
	struct sitetab sites;
	struct stacks *stacks;
	struct slab slab;
	struct page_map pages;
	struct oldpage_map old_pages;
	struct area percpu;
	struct area vmap;
	struct vmalloc vmalloc;
	struct bulk bulk;
	struct sample sample;
	struct spill *spill; /* NULL: all memory there is */
	bool started;
	uint64_t base_ns; /* of the first event; live.h has times since then */
	uint64_t turn_ns; /* where the window begins, or ends */
	uint64_t heed_ns; /* events before it need no look at turn_ns or the series */
	bool chosen;	  /* not all events count, or not all the same */
	bool in_window;
	uint64_t window_ns;	       /* where it began */
	uint64_t gap_end_ns;	       /* of the last gap; 0: none */
	uint64_t gap_ns, uncounted_ns; /* length of all gaps, and of those without a count */
	unsigned int burst_left;       /* events of the burst that goes on */
	uint32_t nr_cpus;	       /* as far as events came from them */
	struct sitetab_hint **hints;   /* by source, then by place; made as needed */
	size_t nr_hints;
};

#endif
