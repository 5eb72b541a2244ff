// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/probes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <tracefs/tracefs.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "capture/instance.h"
#include "capture/tracedir.h"
#include "capture/tracepoints.h"

#define PREFIX "allocprof_"

/* Calls of one function that sleep at a time, each waiting for its return. */
enum { MAX_ACTIVE = 256 };

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
#define CACHE "cache=+8($arg1):x32[16]"
static const struct probe {
	enum tracepoint_kind kind;
	const char *event;
	bool is_return;
	bool stack;
	bool stands_in;		 /* for a tracepoint of the vmalloc system */
	uint16_t since, before;	 /* kernel versions, 614 is 6.14; 0: any */
	const char *function[3]; /* the first that there is */
	const char *args;
	const char *filter;
} probes_table[] = {
	{ TRACEPOINT_SLAB,
	  "bulk_free",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "kmem_cache_free_bulk" },
	  "site=$stack0:x64 n=$arg2:u64 a=+0($arg3):x64[16]",
	  NULL },
	{ TRACEPOINT_SLAB,
	  "bulk_free_16",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "kmem_cache_free_bulk" },
	  "site=$stack0:x64 n=$arg2:u64 a=+128($arg3):x64[64]",
	  "n > 16" },
	{ TRACEPOINT_SLAB,
	  "bulk_free_80",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "kmem_cache_free_bulk" },
	  "site=$stack0:x64 n=$arg2:u64 a=+640($arg3):x64[64] b=+1152($arg3):x64[64]",
	  "n > 80" },
	{ TRACEPOINT_SLAB,
	  "bulk_free_208",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "kmem_cache_free_bulk" },
	  "site=$stack0:x64 n=$arg2:u64 a=+1664($arg3):x64[64] b=+2176($arg3):x64[64] "
	  "c=+2688($arg3):x64[64] d=+3200($arg3):x64[64] e=+3712($arg3):x64[64]",
	  "n > 208" },
	{ TRACEPOINT_SLAB,
	  "bulk_alloc",
	  true,
	  false,
	  false,
	  609,
	  0,
	  { "kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk" },
	  "site=%ip:x64 n=$retval:s32 " CACHE " a=+0($arg4):x64[16]",
	  "n > 0" },
	{ TRACEPOINT_SLAB,
	  "bulk_alloc_16",
	  true,
	  false,
	  false,
	  609,
	  0,
	  { "kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk" },
	  "site=%ip:x64 n=$retval:s32 " CACHE " a=+128($arg4):x64[64]",
	  "n > 16" },
	{ TRACEPOINT_SLAB,
	  "rcu_free",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "kvfree_call_rcu" },
	  "head=$arg1:x64 ptr=$arg2:x64 site=$stack0:x64",
	  NULL },
	/* A list head went from among the arguments with 6.14. */
	{ TRACEPOINT_PAGE,
	  "page_bulk",
	  true,
	  true,
	  false,
	  609,
	  614,
	  { "alloc_pages_bulk_noprof", "__alloc_pages_bulk" },
	  "site=%ip:x64 n=$retval:u64 a=+0($arg6):x64[16]",
	  "n > 0" },
	{ TRACEPOINT_PAGE,
	  "page_bulk_16",
	  true,
	  true,
	  false,
	  609,
	  614,
	  { "alloc_pages_bulk_noprof", "__alloc_pages_bulk" },
	  "site=%ip:x64 n=$retval:u64 a=+128($arg6):x64[64] b=+640($arg6):x64[64]",
	  "n > 16" },
	{ TRACEPOINT_PAGE,
	  "page_bulk",
	  true,
	  true,
	  false,
	  614,
	  0,
	  { "alloc_pages_bulk_noprof" },
	  "site=%ip:x64 n=$retval:u64 a=+0($arg5):x64[16]",
	  "n > 0" },
	{ TRACEPOINT_PAGE,
	  "page_bulk_16",
	  true,
	  true,
	  false,
	  614,
	  0,
	  { "alloc_pages_bulk_noprof" },
	  "site=%ip:x64 n=$retval:u64 a=+128($arg5):x64[64] b=+640($arg5):x64[64]",
	  "n > 16" },
	{ TRACEPOINT_PAGE,
	  "page_move",
	  false,
	  false,
	  false,
	  0,
	  0,
	  { "folio_migrate_flags" },
	  "to=$arg1:x64 from=$arg2:x64",
	  NULL },
	/* Both begin with struct vmap_area: its start, its end. */
	{ TRACEPOINT_VMALLOC,
	  "vmap_alloc",
	  true,
	  true,
	  true,
	  0,
	  0,
	  { "alloc_vmap_area" },
	  "start=+0($retval):x64 end=+8($retval):x64",
	  NULL },
	{ TRACEPOINT_VMALLOC,
	  "vmap_free",
	  false,
	  false,
	  true,
	  0,
	  0,
	  { "free_vmap_area_noflush" },
	  "start=+0($arg1):x64",
	  NULL },
};

#define NR_PROBES (sizeof(probes_table) / sizeof(*probes_table))

static bool is_for(const struct probe *p, unsigned int version)
{
	return (!p->since || version >= p->since) && (!p->before || version < p->before);
}

const char *probes_definition(size_t i, unsigned int major, unsigned int minor)
{
	static char line[512];

	for (size_t n = 0; n < NR_PROBES; n++) {
		const struct probe *p = &probes_table[n];

		if (!is_for(p, major * 100 + minor) || i--)
			continue;
		snprintf(line, sizeof(line), "%c:%s %s %s%s%s%s", p->is_return ? 'r' : 'p',
			 p->event, p->function[0], p->args, p->filter ? " if " : "",
			 p->filter ? p->filter : "", p->stack ? " stack" : "");
		return line;
	}
	return NULL;
}

static unsigned int kernel_version(void)
{
	struct utsname name;
	unsigned int major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%3u.%2u", &major, &minor) != 2)
		return 0;
	return major * 100 + minor;
}

static bool can_probe(const char *tracedir)
{
	return tracedir_has(tracedir, "kprobe_events");
}

/* "…/allocprof.1.2" and "allocprof_1_2": a group's name has to be an identifier. */
static char *group_of(const char *instance)
{
	const char *name = strrchr(instance, '/');
	char *group = xstrdup(name ? name + 1 : instance);

	for (char *c = group; *c; c++)
		*c = *c == '.' ? '_' : *c;
	return group;
}

static bool group_is_stale(const char *group)
{
	auto_free char *name = xstrdup(group);

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return false;
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '.' : *c;
	return instance_is_stale(name);
}

/* Removes what @want says of all probes; the latest first, as they were made. */
static void remove_groups(bool (*want)(const char *group, const void *arg), const void *arg)
{
	struct tracefs_dynevent **all;

	tracefs_set_loglevel(TEP_LOG_NONE);
	all = tracefs_dynevent_get_all(TRACEFS_DYNEVENT_KPROBE | TRACEFS_DYNEVENT_KRETPROBE,
				       NULL);
	for (size_t i = 0; all && all[i]; i++) {
		char *group = NULL;

		tracefs_dynevent_info(all[i], &group, NULL, NULL, NULL, NULL);
		if (group && want(group, arg))
			tracefs_dynevent_destroy(all[i], true);
		free(group);
	}
	tracefs_dynevent_list_free(all);
}

static bool is_stale(const char *group, const void *arg)
{
	(void)arg;
	return group_is_stale(group);
}

static bool is_same(const char *group, const void *arg)
{
	return !strcmp(group, arg);
}

void probes_sweep(const char *tracedir)
{
	if (can_probe(tracedir))
		remove_groups(is_stale, NULL);
}

void probes_remove(struct probes *probes)
{
	if (!probes->group)
		return;
	remove_groups(is_same, probes->group);
	free(take_ptr(probes->group));
}

/* Returns the errno. */
static int create_one(const char *tracedir, const struct probes *probes, const struct probe *p,
		      const char *function)
{
	if (p->is_return) {
		/* libtracefs 1.6 writes a line that no kernel takes when told MAX_ACTIVE. */
		auto_free char *line = xasprintf("r%d:%s/%s %s %s\n", MAX_ACTIVE, probes->group,
						 p->event, function, p->args);
		auto_err struct err *err = tracedir_write(tracedir, "kprobe_events", line);

		return err ? err_errno(err) : 0;
	}
	struct tracefs_dynevent *event =
		tracefs_kprobe_alloc(probes->group, p->event, function, p->args);
	int errnum = event && tracefs_dynevent_create(event) == 0 ? 0 : errno;

	tracefs_dynevent_free(event);
	return errnum;
}

/* The function that is probed now, or NULL; *ret_refused when there is one, but not so. */
static const char *create(const char *tracedir, const struct probes *probes,
			  const struct probe *p, bool *ret_refused)
{
	for (size_t i = 0; i < 3 && p->function[i]; i++) {
		int errnum = create_one(tracedir, probes, p, p->function[i]);

		if (!errnum)
			return p->function[i];
		if (errnum != ENOENT)
			*ret_refused = true;
	}
	return NULL;
}

static bool try_write(const char *instance, const struct probes *probes, const struct probe *p,
		      const char *file, const char *text)
{
	auto_free char *path = xasprintf("events/%s/%s/%s", probes->group, p->event, file);
	auto_err struct err *err = tracedir_write(instance, path, text);

	return !err;
}

static void name_one(struct text *text, const char *intro, const struct probe *p)
{
	/* A slice is not worth a word when its first is missing. */
	if (text->len && strstr(text->data, p->function[0]))
		return;
	text_printf(text, "%s%s", text->len ? ", " : intro, p->function[0]);
}

static bool enable(const char *instance, const struct probes *probes, const struct probe *p,
		   const char *function, struct text *list)
{
	auto_free char *trigger = xasprintf("stacktrace%s%s", p->filter ? " if " : "",
					    p->filter ? p->filter : "");

	/* A filter and a trigger must agree, or stacks without an event appear. */
	if (p->filter && !try_write(instance, probes, p, "filter", p->filter))
		return false;
	bool stack = p->stack && try_write(instance, probes, p, "trigger", trigger);

	if (!try_write(instance, probes, p, "enable", "1"))
		return false;
	text_printf(list, "%s:%s on probe=%s", probes->group, p->event, function);
	if (p->filter)
		text_printf(list, " filter=%s", p->filter);
	text_printf(list, "%s\n", stack ? " stack" : "");
	return true;
}

void probes_enable(const char *tracedir, const char *instance, unsigned int kinds,
		   struct probes *ret, struct text *ret_list, struct text *ret_note)
{
	auto_text absent = {}, refused = {};
	unsigned int version = kernel_version();
	bool vmalloc = tracedir_has(instance, "events/vmalloc/alloc_vmap_area");

	if (!can_probe(tracedir)) {
		text_printf(ret_list, "kprobes missing\n");
		return;
	}
	tracefs_set_loglevel(TEP_LOG_NONE);
	ret->group = group_of(instance);
	for (size_t i = 0; i < NR_PROBES; i++) {
		const struct probe *p = &probes_table[i];
		bool no = false;

		if (!(p->kind & kinds) || (p->stands_in && vmalloc))
			continue;
		if (!is_for(p, version)) {
			if (version < p->since && p->since == 609)
				name_one(&refused, "no probe on ", p);
			continue;
		}
		const char *function = create(tracedir, ret, p, &no);

		if (function && enable(instance, ret, p, function, ret_list)) {
			ret->vmalloc |= p->stands_in;
			continue;
		}
		text_printf(ret_list, "%s:%s %s probe=%s\n", ret->group, p->event,
			    function || no ? "refused" : "missing", p->function[0]);
		name_one(function || no ? &refused : &absent,
			 function || no ? "no probe on " : "no function ", p);
	}
	if (absent.len)
		text_add(ret_note, absent.data, absent.len);
	if (refused.len)
		text_printf(ret_note, "%s%s", absent.len ? "; " : "", refused.data);
	if (ret_note->len)
		text_printf(ret_note, ": what happens there is inferred");
}

uint64_t probes_missed(const struct probes *probes, const char *tracedir)
{
	auto_free char *path = xasprintf("%s/kprobe_profile", tracedir);
	auto_text text = {};
	uint64_t missed = 0;

	if (!probes->group)
		return 0;
	auto_err struct err *err = text_read_file(&text, path);

	if (err)
		return 0;
	/* The file names events without their group; recorders are rarely two. */
	struct span rest = { (const uint8_t *)text.data, text.len }, line;

	while (span_line(&rest, &line)) {
		char event[64];
		uint64_t hits, misses;
		auto_free char *s = xstrndup((const char *)line.data, line.len);

		if (sscanf(s, " %63s %" SCNu64 " %" SCNu64, event, &hits, &misses) != 3)
			continue;
		for (size_t i = 0; i < NR_PROBES; i++)
			if (!strcmp(probes_table[i].event, event)) {
				missed += misses;
				break;
			}
	}
	return missed;
}
