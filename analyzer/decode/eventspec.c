// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/eventspec.h"

#include <string.h>

/* The group of a recorder's own events: allocprof_PID_STARTTIME. */
#define PROBES "allocprof_"

/* clang-format off */
#define EVENT(of, event, becomes, string, ...) {                                               \
	.system = of, .name = event, .use = FORMAT_EVENT, .kind = becomes, .text = string,     \
	.field = { __VA_ARGS__ }                                                               \
}
#define SLAB_ALLOC                                                                             \
	{ "ptr", FORMAT_ADDR, true }, { "call_site", FORMAT_CALL_SITE, true },                 \
	{ "bytes_req", FORMAT_BYTES_REQ, false }, { "bytes_alloc", FORMAT_BYTES_ALLOC, true }, \
	{ "gfp_flags", FORMAT_GFP, false }
#define SLAB_FREE { "ptr", FORMAT_ADDR, true }, { "call_site", FORMAT_CALL_SITE, true }

static const struct eventspec specs[] = {
	EVENT("kmem", "kmalloc", EVENT_KMALLOC, NULL, SLAB_ALLOC),
	EVENT("kmem", "kmalloc_node", EVENT_KMALLOC, NULL, SLAB_ALLOC),
	EVENT("kmem", "kmem_cache_alloc", EVENT_CACHE_ALLOC, "name", SLAB_ALLOC),
	EVENT("kmem", "kmem_cache_alloc_node", EVENT_CACHE_ALLOC, "name", SLAB_ALLOC),
	EVENT("kmem", "kfree", EVENT_KFREE, NULL, SLAB_FREE),
	EVENT("kmem", "kmem_cache_free", EVENT_CACHE_FREE, "name", SLAB_FREE),
	EVENT("kmem", "mm_page_alloc", EVENT_PAGE_ALLOC, NULL,
	      { "pfn", FORMAT_ADDR, true }, { "order", FORMAT_ORDER, true },
	      { "gfp_flags", FORMAT_GFP, false }, { "migratetype", FORMAT_MIGRATETYPE, false }),
	EVENT("kmem", "mm_page_free", EVENT_PAGE_FREE, NULL,
	      { "pfn", FORMAT_ADDR, true }, { "order", FORMAT_ORDER, true }),
	/* bytes_alloc and call_site came with 5.19. */
	EVENT("percpu", "percpu_alloc_percpu", EVENT_PERCPU_ALLOC, NULL,
	      { "ptr", FORMAT_ADDR, true }, { "call_site", FORMAT_CALL_SITE, false },
	      { "size", FORMAT_BYTES_REQ, true }, { "bytes_alloc", FORMAT_BYTES_ALLOC, false },
	      { "gfp_flags", FORMAT_GFP, false }),
	EVENT("percpu", "percpu_free_percpu", EVENT_PERCPU_FREE, NULL, { "ptr", FORMAT_ADDR, true }),
	EVENT("vmalloc", "alloc_vmap_area", EVENT_VMAP_ALLOC, NULL,
	      { "addr", FORMAT_ADDR, true }, { "size", FORMAT_BYTES_REQ, true },
	      { "failed", FORMAT_EXTRA, false }),
	EVENT("vmalloc", "free_vmap_area_noflush", EVENT_VMAP_FREE, NULL,
	      { "va_start", FORMAT_ADDR, true }),
	EVENT("module", "module_load", EVENT_MODULE_LOAD, "name"),
	EVENT("module", "module_free", EVENT_MODULE_FREE, "name"),
	EVENT("task", "task_newtask", EVENT_TASK_NEW, "comm",
	      { "pid", FORMAT_ADDR, true }, { "clone_flags", FORMAT_BYTES_REQ, true }),
	/* Some kernels of 6.18 tell none: a task mostly renames itself. */
	EVENT("task", "task_rename", EVENT_TASK_NAME, "newcomm", { "pid", FORMAT_ADDR, false }),
	EVENT("cgroup", "cgroup_attach_task", EVENT_TASK_CGROUP, "dst_path",
	      { "pid", FORMAT_ADDR, true }, { "dst_root", FORMAT_BYTES_REQ, true }),
	{ .system = "ftrace", .name = "kernel_stack", .use = FORMAT_STACK, .kind = EVENT_LOST,
	  .field = { { "size", FORMAT_EXTRA, false } } },
};

#define PROBE(event, becomes, ...) EVENT(PROBES, event, becomes, NULL, __VA_ARGS__)
#define SITE { "site", FORMAT_CALL_SITE, true }
/* Where the array of struct page begins, which not all recordings tell apart. */
#define BASE { "vmemmap", FORMAT_BYTES_ALLOC, false }
#define LIST(event, becomes, pages, first) {                                                   \
	.system = PROBES, .name = event, .use = FORMAT_EVENT, .kind = becomes,                 \
	.field = { { "n", FORMAT_EXTRA, true }, SITE, BASE },                                  \
	.has_list = true, .page_address = pages, .list_first = first                           \
}

static const struct eventspec probes[] = {
	LIST("bulk_free", EVENT_BULK_FREE, false, 0),
	LIST("bulk_free_16", EVENT_BULK_FREE, false, 16),
	LIST("bulk_free_80", EVENT_BULK_FREE, false, 80),
	LIST("bulk_free_208", EVENT_BULK_FREE, false, 208),
	LIST("sheaf_free", EVENT_BULK_FREE, false, 0),
	LIST("sheaf_free_32", EVENT_BULK_FREE, false, 32),
	LIST("sheaf_flush", EVENT_BULK_FREE, false, 0),
	LIST("sheaf_flush_32", EVENT_BULK_FREE, false, 32),
	LIST("bulk_alloc", EVENT_BULK_ALLOC, false, 0),
	LIST("bulk_alloc_16", EVENT_BULK_ALLOC, false, 16),
	LIST("page_bulk", EVENT_PAGE_BULK, true, 0),
	LIST("page_bulk_16", EVENT_PAGE_BULK, true, 16),
	PROBE("rcu_free", EVENT_RCU_FREE,
	      { "ptr", FORMAT_ADDR, true }, { "head", FORMAT_EXTRA, true }, SITE),
	PROBE("rcu_free_nolock", EVENT_RCU_FREE,
	      { "ptr", FORMAT_ADDR, true }, { "head", FORMAT_EXTRA, true }, SITE),
	PROBE("nolock_alloc", EVENT_KMALLOC,
	      { "ptr", FORMAT_ADDR, true }, { "size", FORMAT_BYTES_REQ, true }, SITE),
	PROBE("nolock_free", EVENT_KFREE, { "ptr", FORMAT_ADDR, true }, SITE),
	{ .system = PROBES, .name = "page_move", .use = FORMAT_EVENT, .kind = EVENT_PAGE_MOVE,
	  .field = { { "from", FORMAT_ADDR, true }, { "to", FORMAT_BYTES_REQ, true }, BASE },
	  .page_address = true },
	{ .system = PROBES, .name = "vmap_alloc", .use = FORMAT_EVENT, .kind = EVENT_VMAP_ALLOC,
	  .field = { { "start", FORMAT_ADDR, true }, { "end", FORMAT_BYTES_REQ, true } },
	  .is_end = true },
	PROBE("vmap_free", EVENT_VMAP_FREE, { "start", FORMAT_ADDR, true }),
};
/* clang-format on */

static bool has_name(const struct eventspec *spec, struct span name)
{
	return strlen(spec->name) == name.len && !memcmp(spec->name, name.data, name.len);
}

const struct eventspec *eventspec_find(const char *system, struct span name)
{
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		if (!strcmp(specs[i].system, system) && has_name(&specs[i], name))
			return &specs[i];
	if (strncmp(system, PROBES, strlen(PROBES)))
		return NULL;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		if (has_name(&probes[i], name))
			return &probes[i];
	return NULL;
}
