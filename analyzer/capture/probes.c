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
#include "capture/probetab.h"
#include "capture/tracedir.h"
#include "capture/tracepoints.h"

#define PREFIX "allocprof_"

/* Calls of one function that sleep at a time, each waiting for its return. */
enum { MAX_ACTIVE = 256 };

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

/* Kernels differ in how they refuse what they do not have; without a list it is tried. */
static bool is_absent(struct span kallsyms, const char *function)
{
	auto_free char *bare = xasprintf(" %s\n", function);

	return kallsyms.len && !memmem(kallsyms.data, kallsyms.len, bare, strlen(bare));
}

/* The function that is probed now, or NULL; *ret_refused when there is one, but not so. */
static const char *create(const char *tracedir, const struct probes *probes,
			  const struct probe *p, struct span kallsyms, bool *ret_refused)
{
	for (size_t i = 0; i < 3 && p->function[i]; i++) {
		if (is_absent(kallsyms, p->function[i]))
			continue;
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
		   struct span kallsyms, struct probes *ret, struct text *ret_list,
		   struct text *ret_note)
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
	const struct probe *p;

	for (size_t i = 0; (p = probetab_get(i)); i++) {
		bool no = false;

		if (!(p->kind & kinds) || (p->stands_in && vmalloc))
			continue;
		if (!probetab_is_for(p, version)) {
			if (version < p->since && p->since == 609)
				name_one(&refused, "no probe on ", p);
			continue;
		}
		const char *function = create(tracedir, ret, p, kallsyms, &no);

		if (function && enable(instance, ret, p, function, ret_list)) {
			ret->vmalloc |= p->stands_in;
			continue;
		}
		if (p->optional && !function && !no)
			continue;
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
		const struct probe *p;

		for (size_t i = 0; (p = probetab_get(i)); i++)
			if (!strcmp(p->event, event)) {
				missed += misses;
				break;
			}
	}
	return missed;
}
