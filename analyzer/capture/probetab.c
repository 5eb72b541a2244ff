// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/probetab.h"

#include <stdio.h>

/*
 * A list of pointers comes in slices: the first holds what most calls have, the
 * further ones are recorded when the list is longer. An array of a probe is at
 * most 64 words, all data of one at most 3072 bytes.
 *
 * site=%ip: when a return is watched, the kernel has put the address that is
 * returned to there, however many watch the same call. cache= is what begins with
 * the second word of struct kmem_cache: the size of its objects lies there,
 * recognisable by its own reciprocal.
 */
#define CACHE	   "cache=+8($arg1):x32[16]"
#define ALLOC_BULK "kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk"
#define PAGES_BULK "alloc_pages_bulk_noprof", "__alloc_pages_bulk"

static const struct probe probes[] = {
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_free",
		.function = { "kmem_cache_free_bulk" },
		.args = "site=$stack0:x64 n=$arg2:u64 a=+0($arg3):x64[16]",
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_free_16",
		.function = { "kmem_cache_free_bulk" },
		.args = "site=$stack0:x64 n=$arg2:u64 a=+128($arg3):x64[64]",
		.filter = "n > 16",
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_free_80",
		.function = { "kmem_cache_free_bulk" },
		.args = "site=$stack0:x64 n=$arg2:u64 a=+640($arg3):x64[64] b=+1152($arg3):x64[64]",
		.filter = "n > 80",
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_free_208",
		.function = { "kmem_cache_free_bulk" },
		.args = "site=$stack0:x64 n=$arg2:u64 a=+1664($arg3):x64[64] b=+2176($arg3):x64[64] "
			"c=+2688($arg3):x64[64] d=+3200($arg3):x64[64] e=+3712($arg3):x64[64]",
		.filter = "n > 208",
	},
	/* All objects or none: the return value is their number, or since 7.2 just true. */
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_alloc",
		.function = { ALLOC_BULK },
		.args = "site=%ip:x64 n=$retval:s32 " CACHE " a=+0($arg4):x64[16]",
		.filter = "n > 0",
		.is_return = true,
		.before = 702,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_alloc_16",
		.function = { ALLOC_BULK },
		.args = "site=%ip:x64 n=$retval:s32 " CACHE " a=+128($arg4):x64[64]",
		.filter = "n > 16",
		.is_return = true,
		.before = 702,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_alloc",
		.function = { ALLOC_BULK },
		.args = "site=%ip:x64 n=$arg3:u64 ok=$retval:u8 " CACHE " a=+0($arg4):x64[16]",
		.filter = "ok != 0",
		.is_return = true,
		.since = 702,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "bulk_alloc_16",
		.function = { ALLOC_BULK },
		.args = "site=%ip:x64 n=$arg3:u64 ok=$retval:u8 " CACHE
			" a=+128($arg4):x64[64]",
		.filter = "ok != 0 && n > 16",
		.is_return = true,
		.since = 702,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "rcu_free",
		.function = { "kvfree_call_rcu" },
		.args = "head=$arg1:x64 ptr=$arg2:x64 site=$stack0:x64",
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "rcu_free_nolock",
		.function = { "kfree_call_rcu_nolock" },
		.args = "head=$arg1:x64 ptr=$arg2:x64 site=$stack0:x64",
		.optional = true,
	},
	/*
	 * What RCU frees is gathered in sheaves of up to some 60 objects. The argument
	 * is the head of one: two words for RCU, its cache, the number, the objects.
	 */
	{
		.kind = TRACEPOINT_SLAB,
		.event = "sheaf_free",
		.function = { "rcu_free_sheaf" },
		.args = "site=$stack0:x64 n=+24($arg1):u32 a=+32($arg1):x64[32]",
		.optional = true,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "sheaf_free_32",
		.function = { "rcu_free_sheaf" },
		.args = "site=$stack0:x64 n=+24($arg1):u32 a=+288($arg1):x64[64]",
		.filter = "n > 32",
		.optional = true,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "sheaf_flush",
		.function = { "rcu_free_sheaf_nobarn" },
		.args = "site=$stack0:x64 n=+24($arg1):u32 a=+32($arg1):x64[32]",
		.optional = true,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "sheaf_flush_32",
		.function = { "rcu_free_sheaf_nobarn" },
		.args = "site=$stack0:x64 n=+24($arg1):u32 a=+288($arg1):x64[64]",
		.filter = "n > 32",
		.optional = true,
	},
	/* For contexts in which not even a spinlock may be taken; neither has an event. */
	{
		.kind = TRACEPOINT_SLAB,
		.event = "nolock_alloc",
		.function = { "_kmalloc_nolock_noprof", "kmalloc_nolock_noprof" },
		.args = "site=%ip:x64 ptr=$retval:x64 size=$arg1:u64",
		.is_return = true,
		.optional = true,
	},
	{
		.kind = TRACEPOINT_SLAB,
		.event = "nolock_free",
		.function = { "kfree_nolock" },
		.args = "site=$stack0:x64 ptr=$arg1:x64",
		.filter = "ptr > 16",
		.optional = true,
	},
	/* A list head went from among the arguments with 6.14. */
	{
		.kind = TRACEPOINT_PAGE,
		.event = "page_bulk",
		.pages = true,
		.function = { PAGES_BULK },
		.args = "site=%ip:x64 n=$retval:u64 a=+0($arg6):x64[16]",
		.filter = "n > 0",
		.is_return = true,
		.stack = true,
		.since = 514,
		.before = 614,
	},
	{
		.kind = TRACEPOINT_PAGE,
		.event = "page_bulk_16",
		.pages = true,
		.function = { PAGES_BULK },
		.args = "site=%ip:x64 n=$retval:u64 a=+128($arg6):x64[64] b=+640($arg6):x64[64]",
		.filter = "n > 16",
		.is_return = true,
		.stack = true,
		.since = 514,
		.before = 614,
	},
	{
		.kind = TRACEPOINT_PAGE,
		.event = "page_bulk",
		.pages = true,
		.function = { PAGES_BULK },
		.args = "site=%ip:x64 n=$retval:u64 a=+0($arg5):x64[16]",
		.filter = "n > 0",
		.is_return = true,
		.stack = true,
		.since = 614,
	},
	{
		.kind = TRACEPOINT_PAGE,
		.event = "page_bulk_16",
		.pages = true,
		.function = { PAGES_BULK },
		.args = "site=%ip:x64 n=$retval:u64 a=+128($arg5):x64[64] b=+640($arg5):x64[64]",
		.filter = "n > 16",
		.is_return = true,
		.stack = true,
		.since = 614,
	},
	{
		.kind = TRACEPOINT_PAGE,
		.event = "page_move",
		.pages = true,
		.function = { "folio_migrate_flags" },
		.args = "to=$arg1:x64 from=$arg2:x64",
	},
	/* Both begin with struct vmap_area: its start, its end. */
	{
		.kind = TRACEPOINT_VMALLOC,
		.event = "vmap_alloc",
		.function = { "alloc_vmap_area" },
		.args = "start=+0($retval):x64 end=+8($retval):x64",
		.is_return = true,
		.stack = true,
		.stands_in = true,
	},
	{
		.kind = TRACEPOINT_VMALLOC,
		.event = "vmap_free",
		.function = { "free_vmap_area_noflush" },
		.args = "start=+0($arg1):x64",
		.stands_in = true,
	},
};

enum { NR_PROBES = sizeof(probes) / sizeof(*probes) };

const struct probe *probetab_get(size_t i)
{
	return i < NR_PROBES ? &probes[i] : NULL;
}

bool probetab_is_for(const struct probe *p, unsigned int version)
{
	return (!p->since || version >= p->since) && (!p->before || version < p->before);
}

const char *probetab_definition(size_t i, unsigned int major, unsigned int minor)
{
	static char line[512];

	for (size_t n = 0; n < NR_PROBES; n++) {
		const struct probe *p = &probes[n];

		if (!probetab_is_for(p, major * 100 + minor) || i--)
			continue;
		snprintf(line, sizeof(line), "%c:%s %s %s%s%s%s", p->is_return ? 'r' : 'p',
			 p->event, p->function[0], p->args, p->filter ? " if " : "",
			 p->filter ? p->filter : "", p->stack ? " stack" : "");
		return line;
	}
	return NULL;
}
