// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "resolve/download.h"
#include "resolve/hint.h"
#include "resolve/identity.h"
#include "resolve/layout.h"
#include "resolve/search.h"

struct known {
	const char *module;	       /* from the pool, so that equal names are one */
	const struct module *recorded; /* or NULL */
	struct object object;	       /* without a file when there is none */
};

struct objects {
	struct pool *pool;
	struct kallsyms *kallsyms;
	const struct modules *modules;
	struct search *search;
	struct download *download; /* NULL: no server is asked */
	const char *release;
	struct object kernel;
	bool kernel_later; /* kernel_path is not opened yet */
	const char *kernel_path;
	const char *kernel_build_id;
	struct known *known; /* modules that were asked for */
	size_t nr_known, cap_known;
	const char **note;
	size_t nr_notes, cap_notes;
};

void objects_free(struct objects *o)
{
	if (!o)
		return;
	debuginfo_close(o->kernel.di);
	for (size_t i = 0; i < o->nr_known; i++)
		debuginfo_close(o->known[i].object.di);
	free(o->known);
	free(o->note);
	search_free(o->search);
	download_free(o->download);
	free(o);
}

static void add_note(struct objects *o, const char *note)
{
	for (size_t i = 0; i < o->nr_notes; i++)
		if (o->note[i] == note)
			return;
	vec_room(o->note, o->nr_notes, o->cap_notes);
	o->note[o->nr_notes++] = note;
}

struct objects *objects_new(const struct resolver_opts *opts, struct kallsyms *kallsyms,
			    const struct modules *modules, struct pool *pool)
{
	struct objects *o = xcalloc(1, sizeof(*o));

	o->pool = pool;
	o->kallsyms = kallsyms;
	o->modules = modules;
	o->release = opts->release && *opts->release ? pool_str(pool, opts->release) : NULL;
	o->search = search_new(o->release, opts->debug_dirs, pool);
	o->kernel_build_id = "";
	if (opts->debuginfod) {
		o->download = download_new(opts->downloading, opts->downloading_arg);
		if (!o->download)
			add_note(o,
				 pool_str(pool, "debuginfod is not asked: there is no "
						"libdebuginfod.so.1 (package libdebuginfod1, "
						"elfutils-debuginfod-client or debuginfod)"));
	}
	if (!kallsyms_nr(kallsyms))
		add_note(
			o,
			pool_str(
				pool,
				"the recording holds no kallsyms, or one without "
				"addresses: call sites stay addresses; give a copy of it with --kallsyms"));
	if (kallsyms_bad_lines(kallsyms))
		add_note(o, pool_printf(pool,
					"kallsyms: lines that are no symbols: %zu; what lies "
					"there has the name of what is before it",
					kallsyms_bad_lines(kallsyms)));
	return o;
}

static struct err *open_kernel(struct objects *o, const char *path)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	uint64_t slide;

	TRY(debuginfo_open(path, NULL, o->pool, &di));
	TRY(err_wrap(identity_check(di, o->kallsyms, modules_kernel_build_id(o->modules),
				    &slide),
		     "%s", path));
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	o->kernel = (struct object){ .di = take_ptr(di), .slide = slide };
	o->kernel_path = pool_str(o->pool, path);
	o->kernel_build_id = debuginfo_build_id(o->kernel.di);
	return NULL;
}

/* What a server has of a build, as a file; or NULL. */
static const char *download(struct objects *o, const char *build_id)
{
	if (!o->download || !build_id || !*build_id)
		return NULL;
	auto_free char *path = download_debuginfo(o->download, build_id);

	return path ? pool_str(o->pool, path) : NULL;
}

/* @path may be NULL. */
static bool try_kernel(struct objects *o, const char *path)
{
	auto_err struct err *err = path ? open_kernel(o, path) : NULL;

	if (err)
		add_note(o, pool_printf(o->pool, "not used: %s", err_text(err)));
	return path && !err;
}

static void find_kernel(struct objects *o)
{
	const char *build_id = modules_kernel_build_id(o->modules), *path;

	for (size_t i = 0; (path = search_kernel(o->search, build_id, i)); i++)
		if (try_kernel(o, path))
			return;
	if (!try_kernel(o, download(o, build_id)))
		add_note(o, hint_kernel(o->release, o->pool));
}

struct err *objects_open_kernel(struct objects *o, const char *vmlinux)
{
	if (vmlinux)
		return open_kernel(o, vmlinux);
	if (kallsyms_nr(o->kallsyms))
		find_kernel(o);
	return NULL;
}

const char *objects_likely_kernel(struct objects *o, const char *vmlinux,
				  char build_id[DEBUGINFO_BUILD_ID])
{
	const char *recorded = modules_kernel_build_id(o->modules), *path;

	for (size_t i = 0; (path = vmlinux ? vmlinux : search_kernel(o->search, recorded, i));
	     i++) {
		debuginfo_peek(path, build_id);
		if (*build_id && (!*recorded || !strcmp(recorded, build_id)))
			return path;
		if (vmlinux)
			return NULL;
	}
	return NULL;
}

void objects_open_later(struct objects *o, const char *path, const char *build_id)
{
	o->kernel_later = true;
	o->kernel_path = path;
	o->kernel_build_id = build_id;
}

const struct object *objects_kernel(struct objects *o)
{
	if (o->kernel_later) {
		o->kernel_later = false;
		if (!try_kernel(o, o->kernel_path))
			find_kernel(o);
	}
	return o->kernel.di ? &o->kernel : NULL;
}

static struct err *open_module(struct objects *o, const struct module *recorded,
			       const char *path, struct debuginfo **ret)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	auto_free struct module_section *guess = NULL;
	struct module module = *recorded;
	size_t nr_guess = 0;

	/* Also proves the build where no build-id does. */
	if (!module.nr_sections || !module.build_id)
		TRY(layout_guess(path, module.name, o->kallsyms, o->pool, &guess, &nr_guess));
	if (!module.nr_sections) {
		module.section = guess;
		module.nr_sections = nr_guess;
	}
	if (!module.nr_sections)
		return err_new(ERR_FORMAT,
			       "the recording does not tell where its sections were loaded");
	TRY(debuginfo_open(path, &module, o->pool, &di));
	if (module.build_id && strcmp(module.build_id, debuginfo_build_id(di)))
		return err_new(ERR_FORMAT,
			       "%s: another build: its build-id is %s, the recording's %s",
			       path, debuginfo_build_id(di), module.build_id);
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	*ret = take_ptr(di);
	return NULL;
}

static struct debuginfo *find_module(struct objects *o, const char *name,
				     const struct module *module)
{
	const struct module unknown = { .name = name };
	const char *path, *why = "no debug information found";
	struct debuginfo *di = NULL;

	if (!module)
		module = &unknown;
	for (size_t i = 0; (path = search_module(o->search, name, module->build_id, i)); i++) {
		auto_err struct err *err = open_module(o, module, path, &di);

		if (!err)
			return di;
		why = pool_str(o->pool, err_text(err));
	}
	path = download(o, module->build_id);
	if (path) {
		auto_err struct err *err = open_module(o, module, path, &di);

		if (!err)
			return di;
		why = pool_str(o->pool, err_text(err));
	}
	add_note(o, pool_printf(o->pool, "module %s: %s", name, why));
	return NULL;
}

const struct object *objects_module(struct objects *o, const char *name,
				    const struct module *recorded)
{
	name = pool_str(o->pool, name);
	for (size_t i = 0; i < o->nr_known; i++)
		if (o->known[i].module == name && o->known[i].recorded == recorded)
			return o->known[i].object.di ? &o->known[i].object : NULL;
	vec_room(o->known, o->nr_known, o->cap_known);
	struct known *known = &o->known[o->nr_known++];

	*known = (struct known){
		.module = name,
		.recorded = recorded,
		.object.di = find_module(o, name, recorded),
	};
	return known->object.di ? &known->object : NULL;
}

const char *objects_vmlinux(const struct objects *o)
{
	return o->kernel_path;
}

const char *objects_vmlinux_build_id(const struct objects *o)
{
	return o->kernel_build_id;
}

const char *objects_note(const struct objects *o, size_t i)
{
	return i < o->nr_notes ? o->note[i] : NULL;
}
