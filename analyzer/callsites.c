// SPDX-License-Identifier: GPL-2.0-or-later
#include "callsites.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/machine.h"
#include "resolve/space.h"

enum { MAX_CHAIN = 64 };

/* What is looked for in the debug information. */
struct wanted {
	const char *func; /* NULL: a line */
	char *file;
	uint32_t line;
	uint32_t below, above; /* nearest lines of the file with calls; 0: none */
	bool file_seen;
};

void callsites_deinit(struct callsites *sites)
{
	free(sites->range);
	*sites = (struct callsites){};
}

static void add(struct callsites *sites, uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < sites->nr; i++)
		if (sites->range[i].low <= low && high <= sites->range[i].high)
			return;
	vec_room(sites->range, sites->nr, sites->cap);
	sites->range[sites->nr++] = (struct evfilter_range){ low, high };
}

static bool is_code(const struct ksym *sym)
{
	return sym->type == 't' || sym->type == 'T';
}

/* "func", "func.constprop.0", … */
static bool is_part_of(const char *symbol, const char *func)
{
	size_t len = strlen(func);

	return !strncmp(symbol, func, len) && (!symbol[len] || symbol[len] == '.');
}

static bool find_function(const struct kallsyms *kallsyms, const char *func,
			  struct callsites *ret)
{
	size_t nr;
	const struct ksym *sym = kallsyms_symbols(kallsyms, &nr);
	bool found = false;

	for (size_t i = 0; i < nr; i++) {
		size_t next = i + 1;

		if (!is_code(&sym[i]) || !is_part_of(sym[i].name, func))
			continue;
		while (next < nr && sym[next].addr == sym[i].addr)
			next++;
		/* A call that does not come back may be the last of its function. */
		if (next < nr)
			add(ret, sym[i].addr, sym[next].addr);
		found |= next < nr;
	}
	return found;
}

/* "fs/dcache.c" also as "dcache.c". */
static bool is_file(const char *path, const char *file)
{
	size_t len = strlen(path), n = strlen(file);

	return n <= len && !strcmp(path + len - n, file) &&
	       (n == len || path[len - n - 1] == '/');
}

static bool is_wanted(struct wanted *w, const struct debuginfo_frame *frame)
{
	if (w->func)
		return frame->func && !strcmp(frame->func, w->func);
	if (!frame->file || !is_file(frame->file, w->file))
		return false;
	w->file_seen = true;
	if (frame->line < w->line && frame->line > w->below)
		w->below = frame->line;
	if (frame->line > w->line && (!w->above || frame->line < w->above))
		w->above = frame->line;
	return frame->line == w->line;
}

/* The calls in the function that starts at @entry. */
static void find_calls(struct space *space, uint64_t entry, struct wanted *w,
		       struct callsites *ret)
{
	struct debuginfo_frame frame[MAX_CHAIN];
	struct space_call call;

	for (size_t i = 0; space_call_in(space, entry, &i, &call);) {
		size_t nr = space_chain(space, call.ret_addr - 1, frame, MAX_CHAIN);

		for (size_t f = 0; f < nr; f++)
			if (is_wanted(w, &frame[f]))
				add(ret, call.ret_addr - 1, call.ret_addr);
	}
}

/* Whether a line of @w's may be in a function of that file: those of a .c file are not elsewhere. */
static bool may_hold(const struct wanted *w, const struct debuginfo_frame *outer)
{
	size_t len = w->func ? 0 : strlen(w->file);

	return w->func || (len > 2 && !strcmp(w->file + len - 2, ".h")) ||
	       (outer->file && is_file(outer->file, w->file));
}

static void find_in_debuginfo(struct space *space, struct wanted *w, struct callsites *ret)
{
	size_t nr, nr_pc = 0;
	const struct ksym *sym = kallsyms_symbols(space_kallsyms(space), &nr);
	auto_free uint64_t *pc = xreallocarray(NULL, nr + 1, sizeof(*pc));
	struct debuginfo_frame frame[MAX_CHAIN];

	for (size_t i = 0; i < nr; i++)
		if (is_code(&sym[i]) && !sym[i].module)
			pc[nr_pc++] = sym[i].addr + 1;
	space_expect(space, pc, nr_pc);
	for (size_t i = 0; i < nr; i++) {
		if (!is_code(&sym[i]) || (i && sym[i].addr == sym[i - 1].addr))
			continue;
		size_t n = space_chain(space, sym[i].addr, frame, MAX_CHAIN);

		if (n && may_hold(w, &frame[n - 1]))
			find_calls(space, sym[i].addr, w, ret);
	}
}

static struct err *no_debuginfo(const struct space *space, const char *name)
{
	const char *note = space_note(space, 0);

	return err_new(
		ERR_UNSUPPORTED,
		"%s: only debug information of this kernel tells where that is%s%s; install "
		"its package (linux-image-…-dbg, kernel-debuginfo), or name a function of "
		"/proc/kallsyms",
		name, note ? ": " : "", note ? note : "");
}

static struct err *find_one(struct space *space, const char *name, struct callsites *ret)
{
	const char *colon = strrchr(name, ':');
	struct wanted w = { .func = name };
	size_t before = ret->nr;
	auto_free char *file = NULL;

	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
		file = xstrndup(name, (size_t)(colon - name));
		w = (struct wanted){ .file = file,
				     .line = (uint32_t)strtoul(colon + 1, NULL, 10) };
	} else if (!*name || find_function(space_kallsyms(space), name, ret)) {
		return *name ? NULL : err_new(ERR_USAGE, "a call site has no name");
	}
	find_in_debuginfo(space, &w, ret);
	if (ret->nr > before)
		return NULL;
	if (!space_vmlinux(space))
		return no_debuginfo(space, name);
	if (w.func)
		return err_new(ERR_USAGE, "%s: the kernel has no such function", name);
	if (!w.file_seen)
		return err_new(ERR_USAGE, "%s: no code of the kernel is from such a file",
			       name);
	auto_free char *below = w.below ? xasprintf("%u", w.below) : xstrdup("none before");
	auto_free char *above = w.above ? xasprintf("%u", w.above) : xstrdup("none behind");

	return err_new(
		ERR_USAGE,
		"%s: there is no call on this line; the nearest lines with calls: %s, %s", name,
		below, above);
}

struct err *callsites_find_in(const char *list, const struct resolver_opts *opts,
			      struct callsites *ret)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(space_cleanup) struct space *space = NULL;

	TRY(space_open(opts, pool, &space));
	for (const char *pos = list;;) {
		size_t len = strcspn(pos, ",");
		auto_free char *name = xstrndup(pos, len);

		TRY(find_one(space, name, ret));
		pos += len;
		if (!*pos)
			return NULL;
		pos++;
	}
}

static struct span span_of(const struct text *text)
{
	return text ? (struct span){ (const uint8_t *)text->data, text->len } : (struct span){};
}

struct err *callsites_find(const char *list, const char *vmlinux, const char *const *debug_dirs,
			   struct callsites *ret)
{
	CLEANUP(texts_deinit) struct texts machine = {};
	auto_text kallsyms = {};
	struct utsname u = {};

	machine_describe(&machine);
	TRY(text_read_file(&kallsyms, "/proc/kallsyms"));
	if (machine_symbols_hidden(span_of(&kallsyms)))
		return err_new(
			ERR_UNSUPPORTED,
			"the kernel hides its addresses: sysctl kernel.kptr_restrict=1 shows "
			"them to root");
	if (uname(&u) < 0)
		u.release[0] = '\0';
	return callsites_find_in(
		list,
		&(struct resolver_opts){
			.kallsyms = span_of(&kallsyms),
			.modules = span_of(texts_find(&machine, BLOB_MODULES)),
			.sections = span_of(texts_find(&machine, BLOB_SECTIONS)),
			.build_ids = span_of(texts_find(&machine, BLOB_BUILD_IDS)),
			.release = u.release,
			.vmlinux = vmlinux,
			.debug_dirs = debug_dirs,
		},
		ret);
}
