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

/* "p:GROUP/EVENT …", or "s:synthetic/GROUP_EVENT …"; *ret_name as it is removed. */
static bool parse_event(struct span line, char **ret_group, char **ret_name)
{
	char *text = xstrndup((const char *)line.data, line.len);
	char *name = strchr(text, ':'), *slash;

	text[strcspn(text, " \t")] = '\0';
	if (!name || !(slash = strchr(++name, '/'))) {
		free(text);
		return false;
	}
	*ret_name = xstrdup(name);
	*ret_group = xstrndup(name, (size_t)(slash - name));
	if (!strcmp(*ret_group, "synthetic")) {
		/* PREFIX, process id, start time: the words up to the third underline. */
		char *end = slash + 1;

		for (int i = 0; end && i < 3; i++)
			end = strchr(end + 1, '_');
		free(*ret_group);
		*ret_group = end ? xstrndup(slash + 1, (size_t)(end - slash - 1)) : xstrdup("");
	}
	free(text);
	return true;
}

/* Removes what @want says of all dynamic events; true if there was such a one. */
static bool remove_once(const char *tracedir, const char *file,
			bool (*want)(const char *group, const void *arg), const void *arg)
{
	auto_free char *path = xasprintf("%s/%s", tracedir, file);
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, path);
	struct span rest = { (const uint8_t *)text.data, err ? 0 : text.len }, line;
	bool found = false;

	while (span_line(&rest, &line)) {
		char *group, *name;

		if (!parse_event(line, &group, &name))
			continue;
		if (want(group, arg)) {
			auto_free char *gone = xasprintf("-:%s\n", name);

			found = true;
			err_free(tracedir_write(tracedir, file, gone));
		}
		free(group);
		free(name);
	}
	return found;
}

static void remove_groups(const char *tracedir,
			  bool (*want)(const char *group, const void *arg), const void *arg)
{
	const char *file =
		tracedir_has(tracedir, "dynamic_events") ? "dynamic_events" : "kprobe_events";

	/* What others are made of stays until they are gone: three layers of a relay. */
	for (int i = 0; i < 3 && remove_once(tracedir, file, want, arg); i++)
		;
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
		remove_groups(tracedir, is_stale, NULL);
}

void probes_remove(struct probes *probes, const char *tracedir)
{
	if (!probes->group)
		return;
	remove_groups(tracedir, is_same, probes->group);
	free(take_ptr(probes->group));
}

/*
 * Calls are watched by fprobes where the kernel has them (6.5): a kprobe is skipped in
 * an interrupt that came while another one was at work, and RCU frees in interrupts.
 */
static bool has_fprobes(const char *tracedir)
{
	auto_free char *path = xasprintf("%s/README", tracedir);
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, path);

	return !err && strstr(text.data, "f[:[<group>/][<event>]]") &&
	       tracedir_has(tracedir, "dynamic_events");
}

static bool create_fprobe(const char *tracedir, const struct probes *probes,
			  const struct probe *p, const char *function, const char *args)
{
	auto_free char *line =
		xasprintf("f:%s/%s %s %s\n", probes->group, p->event, function, args);
	auto_err struct err *err = tracedir_write(tracedir, "dynamic_events", line);

	return !err;
}

/* Returns the errno. */
static int create_one(const char *tracedir, const struct probes *probes, const struct probe *p,
		      const char *function, const char *args)
{
	if (p->is_return) {
		/* libtracefs 1.6 writes a line that no kernel takes when told MAX_ACTIVE. */
		auto_free char *line = xasprintf("r%d:%s/%s %s %s\n", MAX_ACTIVE, probes->group,
						 p->event, function, args);
		auto_err struct err *err = tracedir_write(tracedir, "kprobe_events", line);

		return err ? err_errno(err) : 0;
	}
	if (probes->fprobes && create_fprobe(tracedir, probes, p, function, args))
		return 0;
	struct tracefs_dynevent *event =
		tracefs_kprobe_alloc(probes->group, p->event, function, args);
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
static const char *create(const struct probes_opts *opts, struct probes *probes,
			  const struct probe *p, bool *ret_refused)
{
	bool tell_base =
		p->pages && !opts->vmemmap && !is_absent(opts->kallsyms, "vmemmap_base");
	auto_free char *args =
		xasprintf("%s%s", tell_base ? "vmemmap=@vmemmap_base:x64 " : "", p->args);

	for (size_t i = 0; i < 3 && p->function[i]; i++) {
		if (is_absent(opts->kallsyms, p->function[i]))
			continue;
		int errnum = create_one(opts->tracedir, probes, p, p->function[i], args);

		/* A return with arguments, which some kernels only take by a detour. */
		if (!errnum || (errnum == EINVAL && p->is_return && strstr(p->args, "$arg") &&
				relay_make(&probes->relays, opts->tracedir, opts->instance,
					   probes->group, p, p->function[i], args)))
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

void probes_enable(const struct probes_opts *opts, struct probes *ret, struct text *ret_list,
		   struct text *ret_note)
{
	auto_text absent = {}, refused = {};
	unsigned int version = kernel_version();
	bool vmalloc = tracedir_has(opts->instance, "events/vmalloc/alloc_vmap_area");

	if (!can_probe(opts->tracedir)) {
		text_printf(ret_list, "kprobes missing\n");
		return;
	}
	tracefs_set_loglevel(TEP_LOG_NONE);
	ret->group = group_of(opts->instance);
	ret->fprobes = has_fprobes(opts->tracedir);
	const struct probe *p;

	for (size_t i = 0; (p = probetab_get(i)); i++) {
		bool no = false;

		if (!(p->kind & opts->kinds) || (p->stands_in && vmalloc) ||
		    !probetab_is_for(p, version))
			continue;
		/* What allocates is watched as it returns. */
		if (opts->frees_only && (p->is_return || p->stands_in))
			continue;
		const char *function = create(opts, ret, p, &no);

		if (function && enable(opts->instance, ret, p, function, ret_list)) {
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

/* Also the two probes of a relay. */
static bool is_ours(const char *event)
{
	const struct probe *p;

	for (size_t i = 0; (p = probetab_get(i)); i++) {
		size_t len = strlen(p->event);

		if (!strncmp(event, p->event, len) &&
		    (!event[len] || !strcmp(event + len, "_in") ||
		     !strcmp(event + len, "_out")))
			return true;
	}
	return false;
}

uint64_t probes_missed(const struct probes *probes, const char *tracedir, const char *instance)
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
	struct span rest = text_span(&text), line;

	while (span_line(&rest, &line)) {
		char event[64];
		uint64_t hits, misses;
		auto_free char *s = xstrndup((const char *)line.data, line.len);

		if (sscanf(s, " %63s %" SCNu64 " %" SCNu64, event, &hits, &misses) != 3)
			continue;
		if (is_ours(event))
			missed += misses;
	}
	return missed + relay_dropped(instance);
}
