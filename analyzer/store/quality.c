// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/quality.h"

#include <assert.h>

/* A counter added to either struct wants a row here. */
_Static_assert(sizeof(struct match_totals) ==
		       (NR_EVENT_KINDS + 2 * NR_SITE_KINDS + 29) * sizeof(uint64_t),
	       "every counter of match_totals is a row of quality");
_Static_assert(sizeof(struct merge_stats) == 8 * sizeof(uint64_t),
	       "every counter of merge_stats is a row of quality");

size_t quality_rows(const struct match_totals *match, const struct merge_stats *merge,
		    uint64_t truncated_bytes, bool unfinished, uint64_t probe_misses,
		    struct quality_row ret[QUALITY_MAX])
{
	size_t nr = 0;

#define ROW(row_name, row_value, row_unit, row_meaning)                                     \
	do {                                                                                \
		assert(nr < QUALITY_MAX);                                                   \
		ret[nr++] =                                                                 \
			(struct quality_row){ row_name, row_unit, row_meaning, row_value }; \
	} while (0)
#define EVENTS(row_name, kind, tracepoint) \
	ROW("events_" row_name, match->events[kind], "events", "events read: " tracepoint)

	ROW("lost_gaps", match->lost_gaps, "gaps",
	    "places in the streams of the CPUs where events are missing; an object that "
	    "lives across one is uncertain");
	ROW("lost_counted", match->lost_counted, "events",
	    "events missing in those gaps that carry a count");
	ROW("lost_uncounted_gaps", match->lost_uncounted_gaps, "gaps",
	    "gaps that do not say how many events are missing");
	ROW("lost_estimate", match->lost_estimate, "events",
	    "events missing in all gaps: as counted, else by the length of the gap and the rate "
	    "of events outside");
	ROW("missed_calls", match->missed_calls, "objects",
	    "live objects, at most, of a call site that has no row because all its events are "
	    "among the missing");
	ROW("missed_bytes", match->missed_bytes, "bytes", "bytes of those");
	ROW("damaged_bytes", match->damaged_bytes, "bytes",
	    "trace data that would not decode; each piece is a gap");
	ROW("pages", merge->pages, "pages", "pages of trace data read");
	ROW("damaged_pages", merge->damaged_pages, "pages",
	    "pages of trace data that would not decode, wholly or from some byte on");
	ROW("truncated_bytes", truncated_bytes, "bytes",
	    "trace data that the file promises and does not have");
	ROW("unfinished", unfinished, "recordings",
	    "1 when the recorder was killed before it wrote its file, or is at work: the last "
	    "events are missing");
	ROW("malformed_events", merge->malformed, "events",
	    "events shorter than their format; left out");
	ROW("skipped_events", merge->skipped, "events",
	    "events of types that play no part in the analysis");
	ROW("backward_steps", merge->backward_steps, "events",
	    "events whose time lies before that of the event in front of them on their CPU");
	ROW("stacks", merge->stacks, "stacks", "stacks read");
	ROW("orphan_stacks", merge->orphan_stacks, "stacks",
	    "stacks without an event to tie them to; left out");
	ROW("null_frees", match->null_frees, "events",
	    "kfree of NULL or of an empty object: they free nothing");
	ROW("duplicate_kmallocs", match->duplicate_kmallocs, "events",
	    "second events of one large kmalloc, folded into the first");
	ROW("large_kmalloc_blocks", match->large_kmalloc_blocks, "blocks",
	    "page blocks that back a large kmalloc, charged to its caller");
	ROW("partial_page_frees", match->partial_page_frees, "events",
	    "page frees that gave back a part of a block");
	ROW("silent_pages", match->silent_pages, "pages",
	    "pages that vmalloc took without an event; charged to its callers by the areas' sizes");
	ROW("cross_type_frees", match->cross_type_frees, "events",
	    "kfree of a cache object or the reverse: legal, paired by address");
	ROW("skewed_frees", match->skewed_frees, "events",
	    "frees stamped just after the allocation that they made room for; put in order");
	ROW("implausible_events", match->implausible, "events",
	    "events with a size, order or page number that no kernel has; left out");
	ROW("unknown_frees_slab", match->unknown_frees[SITE_SLAB], "events",
	    "frees of slab objects that were allocated before the recording, without an "
	    "event (in bulk), or in a gap; they are not in any net figure");
	ROW("silent_allocs", match->silent_allocs, "events",
	    "of those, frees of objects that must have been made in the recording: by a path "
	    "that traces nothing");
	ROW("unknown_frees_page", match->unknown_frees[SITE_PAGE], "events",
	    "the same for pages");
	ROW("unknown_free_bytes_page", match->unknown_free_bytes[SITE_PAGE], "bytes",
	    "bytes of those pages");
	ROW("unknown_frees_percpu", match->unknown_frees[SITE_PERCPU], "events",
	    "the same for percpu areas");
	ROW("unknown_frees_vmalloc", match->unknown_frees[SITE_VMALLOC], "events",
	    "the same for vmap areas; areas of percpu chunks come without an event");
	ROW("page_offset_votes", match->page_offset_votes, "events",
	    "events that agree on where the direct map begins, which finds the page of a "
	    "slab object");
	ROW("page_offset_dissent", match->page_offset_dissent, "events",
	    "events that place it elsewhere");
	ROW("unsized_allocs", match->unsized, "objects",
	    "slab objects whose size the recording does not tell: they count with no bytes");
	ROW("bulk_pages_known", match->bulk_pages_known, "pages",
	    "pages handed out in bulk that an event of their own had told; counted once");
	ROW("moved_pages", match->moved_pages, "pages",
	    "pages whose content moved elsewhere (compaction, migration); their call site went along");
	ROW("merged_allocs", match->merged_allocs, "objects",
	    "objects of which no account tells the task, since there were more than 262144 "
	    "accounts; their call sites are not affected");
	ROW("rcu_pending", match->rcu_pending, "objects",
	    "objects live at the end that had been given to RCU to be freed: they hold memory, "
	    "and will not for long");
	ROW("rcu_pending_bytes", match->rcu_pending_bytes, "bytes", "bytes of those");
	ROW("probe_misses", probe_misses, "calls",
	    "calls of bulk allocation that a probe had no room to watch: what they made is not "
	    "known");
	ROW("audited_objects", match->audited_objects, "objects",
	    "slab objects that lived across a gap and are gone, as the kernel says that their "
	    "page is no slab at the end; they count as freed with their page");
	ROW("audited_pages", match->audited_pages, "pages",
	    "pages that lived across a gap and are gone, as the kernel says that they are free");
	EVENTS("kmalloc", EVENT_KMALLOC, "kmem:kmalloc and kmalloc_node");
	EVENTS("cache_alloc", EVENT_CACHE_ALLOC,
	       "kmem:kmem_cache_alloc and kmem_cache_alloc_node");
	EVENTS("kfree", EVENT_KFREE, "kmem:kfree");
	EVENTS("cache_free", EVENT_CACHE_FREE, "kmem:kmem_cache_free");
	EVENTS("page_alloc", EVENT_PAGE_ALLOC, "kmem:mm_page_alloc");
	EVENTS("page_free", EVENT_PAGE_FREE, "kmem:mm_page_free");
	EVENTS("percpu_alloc", EVENT_PERCPU_ALLOC, "percpu:percpu_alloc_percpu");
	EVENTS("percpu_free", EVENT_PERCPU_FREE, "percpu:percpu_free_percpu");
	EVENTS("vmap_alloc", EVENT_VMAP_ALLOC, "vmalloc:alloc_vmap_area");
	EVENTS("vmap_free", EVENT_VMAP_FREE, "vmalloc:free_vmap_area_noflush");
	EVENTS("bulk_alloc", EVENT_BULK_ALLOC,
	       "probe of kmem_cache_alloc_bulk, an object each");
	EVENTS("bulk_free", EVENT_BULK_FREE, "probe of kmem_cache_free_bulk, an object each");
	EVENTS("rcu_free", EVENT_RCU_FREE, "probe of kvfree_call_rcu");
	EVENTS("page_bulk", EVENT_PAGE_BULK, "probe of alloc_pages_bulk, a page each");
	EVENTS("page_move", EVENT_PAGE_MOVE, "probe of folio_migrate_flags");
	EVENTS("module_load", EVENT_MODULE_LOAD, "module:module_load");
	EVENTS("module_free", EVENT_MODULE_FREE, "module:module_free");
	EVENTS("task_new", EVENT_TASK_NEW, "task:task_newtask");
	EVENTS("task_name", EVENT_TASK_NAME, "task:task_rename");
	EVENTS("task_cgroup", EVENT_TASK_CGROUP, "cgroup:cgroup_attach_task");
#undef EVENTS
#undef ROW
	return nr;
}
