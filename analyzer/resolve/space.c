// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/space.h"

#include <stdio.h>

#include "base/xalloc.h"
#include "resolve/identity.h"
#include "resolve/layout.h"
#include "resolve/module.h"
#include "resolve/search.h"

struct object {
	const char *module; /* NULL for the kernel */
	struct debuginfo *di; /* NULL when there is none */
	uint64_t slide;
};

struct space {
	struct pool *pool;
	struct kallsyms *kallsyms;
	struct modules *modules;
	struct search *search;
	const char *release;
	struct object kernel;
	bool kernel_tried;
	const char *kernel_path;
	struct object *object; /* modules seen */
	size_t nr_objects, cap_objects;
	const char **note;
	size_t nr_notes, cap_notes;
};

void space_close(struct space *s)
{
	if (!s)
		return;
	debuginfo_close(s->kernel.di);
	for (size_t i = 0; i < s->nr_objects; i++)
		debuginfo_close(s->object[i].di);
	free(s->object);
	free(s->note);
	search_free(s->search);
	modules_free(s->modules);
	kallsyms_free(s->kallsyms);
	free(s);
}

static void add_note(struct space *s, const char *note)
{
	for (size_t i = 0; i < s->nr_notes; i++)
		if (s->note[i] == note)
			return;
	vec_room(s->note, s->nr_notes, s->cap_notes);
	s->note[s->nr_notes++] = note;
}

static bool ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && !strcmp(s + len - end_len, end);
}

/* What would help, as far as a release tells whose kernel it is. */
static const char *kernel_hint(struct space *s)
{
	const char *rel = s->release;

	if (!rel)
		return pool_str(s->pool, "no debug information for the kernel: give its "
					 "vmlinux with --vmlinux");
	if (ends_in(rel, "-amd64") || ends_in(rel, "-arm64") || ends_in(rel, "-686-pae"))
		return pool_printf(s->pool,
				   "no debug information for kernel %s: install "
				   "linux-image-%s-dbg, or give --vmlinux",
				   rel, rel);
	if (ends_in(rel, "-generic") || ends_in(rel, "-lowlatency"))
		return pool_printf(s->pool,
				   "no debug information for kernel %s: install "
				   "linux-image-%s-dbgsym, or give --vmlinux",
				   rel, rel);
	if (strstr(rel, ".fc") || strstr(rel, ".el"))
		return pool_printf(s->pool,
				   "no debug information for kernel %s: install "
				   "kernel-debuginfo-%s, or give --vmlinux",
				   rel, rel);
	return pool_printf(s->pool,
			   "no debug information for kernel %s: give the vmlinux of this "
			   "build, compiled with CONFIG_DEBUG_INFO, with --vmlinux",
			   rel);
}

static struct err *open_kernel(struct space *s, const char *path)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	uint64_t slide;

	TRY(debuginfo_open(path, NULL, s->pool, &di));
	TRY(err_wrap(identity_check(di, s->kallsyms, modules_kernel_build_id(s->modules), &slide),
		     "%s", path));
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	s->kernel = (struct object){ .di = take_ptr(di), .slide = slide };
	s->kernel_path = pool_str(s->pool, path);
	return NULL;
}

static void find_kernel(struct space *s)
{
	const char *path;

	if (s->kernel_tried)
		return;
	s->kernel_tried = true;
	for (size_t i = 0;
	     (path = search_kernel(s->search, modules_kernel_build_id(s->modules), i)); i++) {
		auto_err struct err *err = open_kernel(s, path);

		if (!err)
			return;
		add_note(s, pool_printf(s->pool, "not used: %s", err_text(err)));
	}
	add_note(s, kernel_hint(s));
}

struct err *space_open(const struct resolver_opts *opts, struct pool *pool, struct space **ret)
{
	CLEANUP(space_cleanup) struct space *s = xcalloc(1, sizeof(*s));

	s->pool = pool;
	s->release = opts->release && *opts->release ? pool_str(pool, opts->release) : NULL;
	TRY(kallsyms_parse(opts->kallsyms, &s->kallsyms));
	s->modules = modules_parse(opts->modules, opts->sections, opts->build_ids);
	s->search = search_new(s->release, opts->debug_dirs, pool);
	if (!kallsyms_nr(s->kallsyms))
		add_note(s, pool_str(pool, "the recording holds no kallsyms: call sites stay "
					   "addresses; give a copy of it with --kallsyms"));
	if (opts->vmlinux) {
		s->kernel_tried = true;
		TRY(open_kernel(s, opts->vmlinux));
	} else if (kallsyms_nr(s->kallsyms)) {
		find_kernel(s);
	}
	*ret = take_ptr(s);
	return NULL;
}

const struct ksym *space_symbol(const struct space *s, uint64_t pc, uint64_t *ret_size)
{
	return kallsyms_at(s->kallsyms, pc, ret_size);
}

const struct kallsyms *space_kallsyms(const struct space *s)
{
	return s->kallsyms;
}

const char *space_module(struct space *s, uint64_t pc)
{
	uint64_t size;
	const struct ksym *sym = kallsyms_at(s->kallsyms, pc, &size);

	if (sym && (sym->module || (size && pc - sym->addr < size)))
		return sym->module;
	const struct module *module = modules_at(s->modules, pc);

	return module ? module->name : NULL;
}

static struct err *open_module(struct space *s, const struct module *recorded, const char *path,
			       struct debuginfo **ret)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	auto_free struct module_section *guess = NULL;
	struct module module = *recorded;
	size_t nr_guess = 0;

	/* Also proves the build where no build-id does. */
	if (!module.nr_sections || !module.build_id)
		TRY(layout_guess(path, module.name, s->kallsyms, s->pool, &guess, &nr_guess));
	if (!module.nr_sections) {
		module.section = guess;
		module.nr_sections = nr_guess;
	}
	if (!module.nr_sections)
		return err_new(ERR_FORMAT,
			       "the recording does not tell where its sections were loaded");
	TRY(debuginfo_open(path, &module, s->pool, &di));
	if (module.build_id && strcmp(module.build_id, debuginfo_build_id(di)))
		return err_new(ERR_FORMAT,
			       "%s: another build: its build-id is %s, the recording's %s", path,
			       debuginfo_build_id(di), module.build_id);
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	*ret = take_ptr(di);
	return NULL;
}

static struct debuginfo *find_module(struct space *s, const char *name)
{
	const struct module unknown = { .name = name };
	const struct module *module = modules_find(s->modules, name);
	const char *path, *why = "no debug information found";
	struct debuginfo *di = NULL;

	if (!module)
		module = &unknown;
	for (size_t i = 0; (path = search_module(s->search, name, module->build_id, i)); i++) {
		auto_err struct err *err = open_module(s, module, path, &di);

		if (!err)
			return di;
		why = pool_str(s->pool, err_text(err));
	}
	add_note(s, pool_printf(s->pool, "module %s: %s", name, why));
	return NULL;
}

/* kallsyms marks what is no module of a file like one. */
static bool is_pseudo_module(const char *name)
{
	return !strcmp(name, "bpf") || !strncmp(name, "__builtin__", 11);
}

/* The object of @pc, or NULL when it has no debug information. */
static struct object *object_at(struct space *s, uint64_t pc)
{
	const char *name = space_module(s, pc);

	if (!name)
		return s->kernel.di ? &s->kernel : NULL;
	if (is_pseudo_module(name))
		return NULL;
	name = pool_str(s->pool, name);
	for (size_t i = 0; i < s->nr_objects; i++)
		if (s->object[i].module == name)
			return s->object[i].di ? &s->object[i] : NULL;
	vec_room(s->object, s->nr_objects, s->cap_objects);
	struct object *object = &s->object[s->nr_objects++];

	*object = (struct object){ .module = name, .di = find_module(s, name) };
	return object->di ? object : NULL;
}

size_t space_chain(struct space *s, uint64_t pc, struct debuginfo_frame *ret, size_t max)
{
	struct object *object = object_at(s, pc);

	return object ? debuginfo_chain(object->di, pc - object->slide, ret, max) : 0;
}

static void fill_call(const struct object *object, const struct debuginfo_call *call,
		      struct space_call *ret)
{
	*ret = (struct space_call){
		.ret_addr = call->ret_pc + object->slide,
		.callee = call->callee,
		.callee_die = call->die,
		.tail = call->tail,
	};
}

/* A branch to where a function starts; others are within a function, or no code. */
static bool branch_at(struct space *s, const struct object *object, uint64_t ret_addr,
		      struct space_call *ret)
{
	uint64_t target, size;
	bool tail;

	if (!debuginfo_branch_at(object->di, ret_addr - object->slide, &target, &tail))
		return false;
	target += object->slide;

	const struct ksym *sym = kallsyms_at(s->kallsyms, target, &size);

	if (!sym || sym->addr != target)
		return false;
	*ret = (struct space_call){
		.ret_addr = ret_addr,
		.callee = sym->name,
		.target = target,
		.tail = tail,
	};
	return true;
}

bool space_call_at(struct space *s, uint64_t ret_addr, struct space_call *ret)
{
	struct object *object = object_at(s, ret_addr - 1);
	struct debuginfo_call call;

	if (!object)
		return false;
	if (!debuginfo_call_at(object->di, ret_addr - object->slide, &call))
		return branch_at(s, object, ret_addr, ret) && !ret->tail;
	fill_call(object, &call, ret);
	return call.callee != NULL;
}

bool space_branch_in(struct space *s, uint64_t entry, size_t *i, struct space_call *ret)
{
	struct object *object = object_at(s, entry);
	uint64_t size = 0;

	if (!object || !kallsyms_at(s->kallsyms, entry, &size))
		return false;
	while (++*i <= size)
		if (branch_at(s, object, entry + *i, ret))
			return true;
	return false;
}

bool space_call_in(struct space *s, uint64_t pc, size_t *i, struct space_call *ret)
{
	struct object *object = object_at(s, pc);
	struct debuginfo_call call;

	if (!object || !debuginfo_call_in(object->di, pc - object->slide, i, &call))
		return false;
	fill_call(object, &call, ret);
	return true;
}

size_t space_entries(struct space *s, const struct space_call *call, uint64_t *ret, size_t max)
{
	struct object *object = object_at(s, call->ret_addr - 1);
	struct debuginfo_call in_object = { .ret_pc = call->ret_addr, .die = call->callee_die };
	size_t nr = 0;

	if (call->target && max) {
		*ret = call->target;
		return 1;
	}
	if (object && call->callee_die) {
		in_object.ret_pc -= object->slide;
		nr = debuginfo_entries(object->di, &in_object, ret, max);
		for (size_t i = 0; i < nr; i++)
			ret[i] += object->slide;
	}
	if (nr || !call->callee || !max)
		return nr;

	/* Defined elsewhere, so it is global; a second one of the name is a module's own. */
	const struct ksym *sym = kallsyms_find(s->kallsyms, call->callee, 0);

	if (!sym || (sym->type != 'T' && sym->type != 'W'))
		return 0;
	*ret = sym->addr;
	return 1;
}

const char *space_vmlinux(const struct space *s)
{
	return s->kernel_path;
}

const char *space_vmlinux_build_id(const struct space *s)
{
	return s->kernel.di ? debuginfo_build_id(s->kernel.di) : "";
}

const char *space_note(const struct space *s, size_t i)
{
	return i < s->nr_notes ? s->note[i] : NULL;
}
