/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/match.h - pairs allocations with frees and keeps usage per raw site
 *
 * In:     events in time order, gaps (EVENT_LOST) among them
 * Out:    an array of struct site, the stacks they name, and the totals of
 *         everything that was neither paired nor plainly live
 * Not:    resolves, prints, fails; memory grows with what is live, the number
 *         of sites and the number of distinct stacks, not with the events
 * Use:    match_new, match_event for each or match_run, match_finish, then the accessors
 * Rules:  numbered in Documentation/design/matching.md
 */
#ifndef MATCH_MATCH_H
#define MATCH_MATCH_H

#include "base/cleanup.h"
#include "decode/merge.h"
#include "match/audit.h"
#include "match/account.h"
#include "match/flow.h"
#include "match/life.h"
#include "match/series.h"
#include "match/site.h"
#include "match/stacks.h"

struct match;

/* What kfree_rcu() was given is free after this: the drain timer is 5 s. */
#define MATCH_RCU_NS (UINT64_C(6) * 1000000000)

/* What the code at an address does, as far as the matcher has to know. */
enum code_class {
	CODE_OTHER,
	CODE_ALLOCATOR, /* a function of the allocator */
	CODE_VMALLOC,	/* the one that makes an area and takes its pages */
	CODE_INNER,	/* what lies below these in a stack: reserves areas, or traces */
};

struct match_opts {
	uint32_t page_size; /* of the recorded machine, bytes; a power of two */
	/*
	 * The class of the code before return address @addr; may be NULL: then
	 * any second kmalloc of the same pointer, sizes, pid and context is a
	 * duplicate (rule 3), and no area owns pages (rule 16).
	 */
	enum code_class (*classify)(void *arg, uint64_t addr);
	void *classify_arg;
	/*
	 * Tasks of the recorder, borrowed for match_new(): what they allocate, but
	 * not what interrupts them, gets sites of its own, with site.self.
	 */
	const int32_t *self;
	size_t nr_self;
	/* The NUMA node of each CPU, borrowed for the life of the match; NULL: one node. */
	const uint8_t *cpu_node;
	size_t nr_cpu_node;
	/*
	 * A window: what happened before from_ns serves to pair, what happens from
	 * until_ns on is left out (0: to the end). Objects that were allocated before the window
	 * and end in it count in preexisting_frees of their sites, as do all that are older.
	 */
	uint64_t from_ns, until_ns;
	bool rcu_silent; /* RCU frees without an event that this recording has */
	/*
	 * Whether an allocation is to be reported; may be NULL: all are. What is not
	 * is followed all the same, so that its frees are no unknown ones.
	 */
	bool (*wanted)(void *arg, const struct event *ev);
	void *wanted_arg;
	struct sample_rate sample;
	/* Of the tables, in bytes, past which they lie in files in spill_dir; 0: none. */
	uint64_t memory_limit;
	const char *spill_dir; /* borrowed for the life of the match */
	/*
	 * What the kernel said of pages at the end, borrowed for the life of the match; may
	 * be NULL. It is asked about what lived across a gap only (rule 18).
	 */
	const struct audit *audit;
	/* What it said right before the first event, likewise, for match_finish() (rule 15). */
	const struct audit *audit_start;
	bool filtered; /* allocations were left out: an unknown free tells nothing */
};

/* Totals over the recording: what the quality table shows. */
struct match_totals {
	uint64_t events[NR_EVENT_KINDS];
	uint64_t lost_gaps;
	uint64_t lost_counted; /* events, from gaps that carry a count */
	uint64_t lost_uncounted_gaps;
	uint64_t lost_estimate;	       /* events; of gaps without a count by their length */
	uint64_t missed_calls;	       /* rule 17: live objects, at most, of a call site … */
	uint64_t missed_bytes;	       /* … that no event names, and their bytes */
	uint64_t damaged_bytes;	       /* of pages that would not decode */
	uint64_t null_frees;	       /* rule 1: kfree(NULL), kfree(ZERO_SIZE_PTR) */
	uint64_t duplicate_kmallocs;   /* rule 3: second event of one allocation */
	uint64_t large_kmalloc_blocks; /* rule 10: page blocks charged to a kmalloc */
	uint64_t partial_page_frees;   /* rule 8: frees of less than a whole block */
	uint64_t unknown_frees[NR_SITE_KINDS];	    /* rule 2 */
	uint64_t unknown_free_bytes[NR_SITE_KINDS]; /* pages only */
	uint64_t
		silent_allocs; /* rule 5: unknown slab frees of objects made in the recording */
	uint64_t silent_pages; /* rule 16: of areas, and told by no event */
	uint64_t cross_type_frees;  /* rule 7: kfree of a cache object or the reverse */
	uint64_t skewed_frees;	    /* rule 3: stamped just after the reuse they allowed */
	uint64_t unsized;	    /* slab objects whose size the recording does not tell */
	uint64_t bulk_pages_known;  /* pages of alloc_pages_bulk that an event had told */
	uint64_t moved_pages;	    /* rule 12 */
	uint64_t audited_objects;   /* rule 18: ended, as their page holds no slab … */
	uint64_t audited_pages;	    /* … or is free */
	uint64_t rcu_pending;	    /* rule 13: live objects that RCU had … */
	uint64_t rcu_pending_bytes; /* … and theirs */
	uint64_t merged_allocs;	    /* whose task no account tells: there were too many */
	uint64_t implausible;	    /* sizes, orders and pfns that no kernel has; left out */
	uint64_t page_offset_base;  /* direct map, voted from the trace; 0 if not known */
	uint64_t page_offset_votes;
	uint64_t page_offset_dissent;
	uint64_t first_ns, last_ns;
};

struct match *match_new(const struct match_opts *opts);
void match_free(struct match *match);
DEFINE_CLEANUP(struct match *, match, match_free)

/* Takes one event; times must not step back. Amortised O(1), a page free O(pages). */
void match_event(struct match *match, const struct event *ev);

/* The same for a run of a merge, whose hints make it faster. */
void match_run(struct match *match, const struct merge_run *run);

/*
 * Now and then: sees that the whole process takes no more memory than @limit, by what
 * lies in files, and that they could be written. An error where that does not help.
 */
struct err *match_check_memory(struct match *match, uint64_t limit) MUST_CHECK;

/* Before the books are closed: what kept events out of them; NULL when nothing did. */
struct err *match_error(const struct match *match) MUST_CHECK;

/* Closes the books; after it only match_judge() and the accessors may be called. */
void match_finish(struct match *match);

/*
 * Fills in what the trace alone cannot tell: preexisting_frees and _bytes of
 * each site (rule 15), and its bounds (rule 17). @group tells for each of
 * match_sites() its call site: raw sites of one place in the source have one
 * number, of their kind only. @lost is the number of events that the kernel says
 * were lost, 0 when it says nothing.
 */
void match_judge(struct match *match, const uint32_t *group, uint64_t lost);

/* All sites that saw anything, owned by @match; order is order of first sight. */
const struct site *match_sites(const struct match *match, size_t *ret_nr);
/* What makes them up, owned likewise. Summed over the accounts of a site they are the site's.
 */
const struct account *match_accounts(const struct match *match, size_t *ret_nr);
/* Of the same indexes. */
const struct account_doubt *match_account_doubts(const struct match *match);
/* Over time: the entries name sites by index. */
const struct series *match_series(const struct match *match);
/* Of all sites of a kind together. */
const struct site_peak *match_peak(const struct match *match, enum site_kind kind);
/* How many objects of a site lived for a time in @bin (life.h); and how many still live. */
uint64_t match_lived(const struct match *match, size_t site, unsigned int bin);
uint64_t match_aged(const struct match *match, size_t site, unsigned int bin);
/* False: both are 0 for all bins of the row of LIFE_ROW bins that @bin is in. */
bool match_has_lives(const struct match *match, size_t site, unsigned int bin);
/* Through which return addresses objects of a site were freed (flow.h). */
const struct flow_table *match_flows(const struct match *match);
const struct stacks *match_stacks(const struct match *match);
const struct match_totals *match_totals(const struct match *match);

#endif
