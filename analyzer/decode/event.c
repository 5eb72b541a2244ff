// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/event.h"

const char *event_name(enum event_kind kind)
{
	switch (kind) {
	case EVENT_LOST:
		return "lost";
	case EVENT_KMALLOC:
		return "kmalloc";
	case EVENT_CACHE_ALLOC:
		return "kmem_cache_alloc";
	case EVENT_KFREE:
		return "kfree";
	case EVENT_CACHE_FREE:
		return "kmem_cache_free";
	case EVENT_PAGE_ALLOC:
		return "mm_page_alloc";
	case EVENT_PAGE_FREE:
		return "mm_page_free";
	case EVENT_PERCPU_ALLOC:
		return "percpu_alloc_percpu";
	case EVENT_PERCPU_FREE:
		return "percpu_free_percpu";
	case EVENT_VMAP_ALLOC:
		return "alloc_vmap_area";
	case EVENT_VMAP_FREE:
		return "free_vmap_area_noflush";
	case EVENT_BULK_ALLOC:
		return "bulk_alloc";
	case EVENT_BULK_FREE:
		return "bulk_free";
	case EVENT_RCU_FREE:
		return "rcu_free";
	case EVENT_PAGE_BULK:
		return "page_bulk";
	case EVENT_PAGE_MOVE:
		return "page_move";
	case EVENT_MODULE_LOAD:
		return "module_load";
	case EVENT_MODULE_FREE:
		return "module_free";
	case EVENT_TASK_NEW:
		return "task_newtask";
	case EVENT_TASK_NAME:
		return "task_rename";
	case EVENT_TASK_CGROUP:
		return "cgroup_attach_task";
	case NR_EVENT_KINDS:
		break;
	}
	return "unknown";
}

enum event_space event_space(enum event_kind kind)
{
	switch (kind) {
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
	case EVENT_BULK_ALLOC:
	case EVENT_BULK_FREE:
	case EVENT_RCU_FREE:
		return EVENT_SPACE_SLAB;
	case EVENT_PAGE_ALLOC:
	case EVENT_PAGE_FREE:
	case EVENT_PAGE_BULK:
	case EVENT_PAGE_MOVE:
		return EVENT_SPACE_PAGE;
	case EVENT_PERCPU_ALLOC:
	case EVENT_PERCPU_FREE:
		return EVENT_SPACE_PERCPU;
	case EVENT_VMAP_ALLOC:
	case EVENT_VMAP_FREE:
		return EVENT_SPACE_VMAP;
	case EVENT_LOST:
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
	return EVENT_SPACE_NONE;
}
