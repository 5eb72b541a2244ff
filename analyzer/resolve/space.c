// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/space.h"

#include <stdio.h>

#include "base/xalloc.h"
#include "resolve/anyboot.h"
#include "resolve/cache.h"
#include "resolve/download.h"
#include "resolve/hint.h"
#include "resolve/identity.h"
#include "resolve/layout.h"
#include "resolve/owners.h"
#include "resolve/search.h"

struct object {
	const char *module;	       /* NULL for the kernel */
	const struct module *recorded; /* or NULL */
	struct debuginfo *di;	       /* NULL when there is none */
	uint64_t slide;
};

struct space {
	struct pool *pool;
	struct kallsyms *kallsyms;
	struct modules *modules;
	struct owners *owners;
	uint64_t from_ns, to_ns; /* when what is asked for was seen */
	struct search *search;
	struct download *download; /* NULL: no server is asked */
	const char *release;
	struct object kernel;
	bool kernel_tried;
	const char *kernel_path;
	const char *kernel_build_id;
	bool kernel_later;	/* kernel_path is not opened yet: the cache may know all */
	struct cache *cache;	/* NULL: none */
	struct anyboot *places; /* what it knows them by */
	struct object *object;	/* modules seen */
	size_t nr_objects, cap_objects;
	const char **note;
	size_t nr_notes, cap_notes;
};

void space_close(struct space *s)
{
	if (!s)
		return;
	/* It writes what it was lent by the others. */
	cache_close(s->cache);
	debuginfo_close(s->kernel.di);
	for (size_t i = 0; i < s->nr_objects; i++)
		debuginfo_close(s->object[i].di);
	anyboot_free(s->places);
	free(s->object);
	free(s->note);
	search_free(s->search);
	download_free(s->download);
	owners_free(s->owners);
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

static struct err *open_kernel(struct space *s, const char *path)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	uint64_t slide;

	TRY(debuginfo_open(path, NULL, s->pool, &di));
	TRY(err_wrap(identity_check(di, s->kallsyms, modules_kernel_build_id(s->modules),
				    &slide),
		     "%s", path));
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	s->kernel = (struct object){ .di = take_ptr(di), .slide = slide };
	s->kernel_path = pool_str(s->pool, path);
	s->kernel_build_id = debuginfo_build_id(s->kernel.di);
	return NULL;
}

/* What a server has of a build, as a file; or NULL. */
static const char *download(struct space *s, const char *build_id)
{
	if (!s->download || !build_id || !*build_id)
		return NULL;
	auto_free char *path = download_debuginfo(s->download, build_id);

	return path ? pool_str(s->pool, path) : NULL;
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
	path = download(s, modules_kernel_build_id(s->modules));
	if (path) {
		auto_err struct err *err = open_kernel(s, path);

		if (!err)
			return;
		add_note(s, pool_printf(s->pool, "not used: %s", err_text(err)));
	}
	add_note(s, hint_kernel(s->release, s->pool));
}

/* The first file that may be the kernel's, and its build-id; NULL if there is none. */
static const char *likely_kernel(struct space *s, const char *vmlinux,
				 char build_id[DEBUGINFO_BUILD_ID])
{
	const char *recorded = modules_kernel_build_id(s->modules), *path;

	for (size_t i = 0; (path = vmlinux ? vmlinux : search_kernel(s->search, recorded, i));
	     i++) {
		debuginfo_peek(path, build_id);
		if (*build_id && (!*recorded || !strcmp(recorded, build_id)))
			return path;
		if (vmlinux)
			return NULL;
	}
	return NULL;
}

/* Asking for one name sorts all names, which is most of what a cached run would do. */
static const struct ksym *find_stext(const struct kallsyms *kallsyms)
{
	size_t nr;
	const struct ksym *sym = kallsyms_symbols(kallsyms, &nr);

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sym[i].name, "_stext") && !sym[i].module)
			return &sym[i];
	return NULL;
}

/*
 * Looks into the cache of the kernel that the recording, or a file, names. With
 * answers in it no file need be opened before the first question it cannot answer.
 */
static void open_cache(struct space *s, const struct resolver_opts *opts)
{
	const struct ksym *stext = find_stext(s->kallsyms);
	const char *build_id = modules_kernel_build_id(s->modules);
	char peeked[DEBUGINFO_BUILD_ID];

	if (!opts->cache_dir || !stext)
		return;
	const char *path = likely_kernel(s, opts->vmlinux, peeked);

	/* A --vmlinux that does not match is to be refused. */
	if ((opts->vmlinux && !path) || (!path && !*build_id))
		return;
	build_id = pool_str(s->pool, path ? peeked : build_id);
	s->cache = cache_open(opts->cache_dir, build_id,
			      anyboot_fingerprint(s->kallsyms, stext->addr, s->release,
						  opts->rules));
	s->places = anyboot_new(s->modules, build_id, stext->addr);
	if (cache_is_empty(s->cache))
		return;
	s->kernel_later = s->kernel_tried = true;
	s->kernel_path = path;
	s->kernel_build_id = build_id;
}

/* The kernel's file at last; false when there is none that can be used. */
static bool open_later(struct space *s)
{
	const char *path = s->kernel_path;

	if (s->kernel_later) {
		s->kernel_later = s->kernel_tried = false;
		if (path) {
			auto_err struct err *err = open_kernel(s, path);

			if (err)
				add_note(s,
					 pool_printf(s->pool, "not used: %s", err_text(err)));
			s->kernel_tried = !err;
		}
		if (!s->kernel_tried)
			find_kernel(s);
	}
	return s->kernel.di;
}

struct err *space_open(const struct resolver_opts *opts, struct pool *pool, struct space **ret)
{
	CLEANUP(space_cleanup) struct space *s = xcalloc(1, sizeof(*s));

	s->pool = pool;
	s->release = opts->release && *opts->release ? pool_str(pool, opts->release) : NULL;
	TRY(kallsyms_parse(opts->kallsyms, &s->kallsyms));
	s->modules = modules_parse(opts->modules, opts->sections, opts->build_ids);
	s->owners = owners_new(s->modules);
	s->to_ns = UINT64_MAX;
	s->search = search_new(s->release, opts->debug_dirs, pool);
	if (opts->debuginfod) {
		s->download = download_new(opts->downloading, opts->downloading_arg);
		if (!s->download)
			add_note(s,
				 pool_str(pool, "debuginfod is not asked: there is no "
						"libdebuginfod.so.1 (package libdebuginfod1, "
						"elfutils-debuginfod-client or debuginfod)"));
	}
	if (!kallsyms_nr(s->kallsyms))
		add_note(
			s,
			pool_str(
				pool,
				"the recording holds no kallsyms, or one without "
				"addresses: call sites stay addresses; give a copy of it with --kallsyms"));
	s->kernel_build_id = "";
	open_cache(s, opts);
	if (s->kernel_later) {
		/* Not before it is needed. */
	} else if (opts->vmlinux) {
		s->kernel_tried = true;
		TRY(open_kernel(s, opts->vmlinux));
	} else if (kallsyms_nr(s->kallsyms)) {
		find_kernel(s);
	}
	*ret = take_ptr(s);
	return NULL;
}

void space_module_event(struct space *s, const char *name, uint64_t ts_ns, bool loaded)
{
	owners_event(s->owners, name, ts_ns, loaded);
}

void space_set_time(struct space *s, uint64_t from_ns, uint64_t to_ns)
{
	s->from_ns = from_ns;
	s->to_ns = to_ns;
}

const struct module *space_owner(const struct space *s, uint64_t pc)
{
	return owners_at(s->owners, pc, s->from_ns, s->to_ns);
}

/*
 * The module whose init code @pc is: the kernel forgets its symbols, so that @sym
 * may be what another module has before it.
 */
static const struct module *behind(const struct space *s, uint64_t pc, const struct ksym *sym)
{
	const struct module *module = sym && sym->module ? modules_at(s->modules, pc) : NULL;

	return module && strcmp(module->name, sym->module) &&
			       module_start(module, pc) > sym->addr
		       ? module
		       : NULL;
}

const struct ksym *space_symbol(const struct space *s, uint64_t pc, uint64_t *ret_size)
{
	const struct module *owner = space_owner(s, pc);

	if (owner)
		return kallsyms_of_module(s->kallsyms, pc, owner->name, ret_size);
	const struct ksym *sym = kallsyms_at(s->kallsyms, pc, ret_size);

	return behind(s, pc, sym) ? NULL : sym;
}

const struct kallsyms *space_kallsyms(const struct space *s)
{
	return s->kallsyms;
}

const char *space_module(struct space *s, uint64_t pc)
{
	uint64_t size;
	const struct module *owner = space_owner(s, pc);

	if (owner)
		return owner->name;
	const struct ksym *sym = kallsyms_at(s->kallsyms, pc, &size);

	owner = behind(s, pc, sym);
	if (owner)
		return owner->name;
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
			       "%s: another build: its build-id is %s, the recording's %s",
			       path, debuginfo_build_id(di), module.build_id);
	if (!debuginfo_has_dwarf(di))
		return err_new(ERR_FORMAT, "%s holds no debug information", path);
	*ret = take_ptr(di);
	return NULL;
}

static struct debuginfo *find_module(struct space *s, const char *name,
				     const struct module *module)
{
	const struct module unknown = { .name = name };
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
	path = download(s, module->build_id);
	if (path) {
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
		return open_later(s) ? &s->kernel : NULL;
	if (is_pseudo_module(name))
		return NULL;
	name = pool_str(s->pool, name);
	const struct module *recorded = space_owner(s, pc);

	if (!recorded)
		recorded = modules_find_at(s->modules, name, pc);
	for (size_t i = 0; i < s->nr_objects; i++)
		if (s->object[i].module == name && s->object[i].recorded == recorded)
			return s->object[i].di ? &s->object[i] : NULL;
	vec_room(s->object, s->nr_objects, s->cap_objects);
	struct object *object = &s->object[s->nr_objects++];

	*object = (struct object){
		.module = name,
		.recorded = recorded,
		.di = find_module(s, name, recorded),
	};
	return object->di ? object : NULL;
}

/* Where @addr lies, for any boot; false where the build of its code is not known. */
static bool place_of(struct space *s, uint64_t addr, struct cache_place *ret)
{
	return s->cache && anyboot_place(s->places, addr, space_module(s, addr), ret);
}

enum { QUESTION_CHAIN };

static size_t from_cache(struct space *s, const struct cache_key *key,
			 struct debuginfo_frame *ret, size_t max, bool *ret_known)
{
	struct cache_frame frame[CACHE_MAX_FRAMES];
	size_t nr = 0;

	*ret_known = cache_get(s->cache, key, frame,
			       max < CACHE_MAX_FRAMES ? max : CACHE_MAX_FRAMES, &nr);
	for (size_t i = 0; i < nr; i++)
		ret[i] = (struct debuginfo_frame){ frame[i].func, frame[i].file, frame[i].line,
						   frame[i].flags & 1 };
	return nr;
}

static void to_cache(struct space *s, const struct cache_key *key,
		     const struct debuginfo_frame *chain, size_t nr)
{
	struct cache_frame frame[CACHE_MAX_FRAMES];

	if (nr > CACHE_MAX_FRAMES)
		return;
	/* The cache is closed first, so what the pool and the files hold stays. */
	for (size_t i = 0; i < nr; i++)
		frame[i] = (struct cache_frame){
			.func = chain[i].func,
			.file = chain[i].file,
			.line = chain[i].line,
			.flags = chain[i].inlined,
		};
	cache_put(s->cache, key, frame, nr);
}

struct expected {
	struct debuginfo *di;
	uint64_t pc;
};

static int compare_expected(const void *va, const void *vb)
{
	const struct expected *a = va, *b = vb;

	if (a->di != b->di)
		return a->di < b->di ? -1 : 1;
	return a->pc < b->pc ? -1 : a->pc > b->pc;
}

size_t space_chain(struct space *s, uint64_t pc, struct debuginfo_frame *ret, size_t max)
{
	struct cache_key key = { .question = QUESTION_CHAIN };
	bool known = false, fixed = place_of(s, pc, &key.place);
	size_t nr = fixed ? from_cache(s, &key, ret, max, &known) : 0;

	if (known)
		return nr;
	struct object *object = object_at(s, pc);

	if (!object)
		return 0;
	nr = debuginfo_chain(object->di, pc - object->slide, ret, max);
	if (fixed)
		to_cache(s, &key, ret, nr);
	return nr;
}

void space_expect(struct space *s, const uint64_t *addr, size_t nr)
{
	auto_free struct expected *all = xreallocarray(NULL, nr + 1, sizeof(*all));
	auto_free uint64_t *pc = xreallocarray(NULL, nr + 1, sizeof(*pc));
	struct cache_key key = { .question = QUESTION_CHAIN };
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		if (place_of(s, addr[i] - 1, &key.place) && cache_knows(s->cache, &key))
			continue;
		const struct object *object = object_at(s, addr[i] - 1);

		if (object)
			all[n++] = (struct expected){ object->di, addr[i] - 1 - object->slide };
	}
	if (n)
		qsort(all, n, sizeof(*all), compare_expected);
	for (size_t i = 0, first = 0; i < n; i++) {
		pc[i - first] = all[i].pc;
		if (i + 1 < n && all[i + 1].di == all[i].di)
			continue;
		debuginfo_expect(all[i].di, pc, i + 1 - first);
		first = i + 1;
	}
}

bool space_recall(struct space *s, uint64_t addr, uint64_t question, uint64_t *ret_addr,
		  size_t *ret_index)
{
	struct cache_key key = { .question = question };
	struct cache_frame frame;
	size_t nr = 0;

	if (!place_of(s, addr - 1, &key.place) || !cache_get(s->cache, &key, &frame, 1, &nr))
		return false;
	*ret_addr = nr ? anyboot_addr(s->places, &frame.place) : 0;
	*ret_index = nr ? frame.line : 0;
	return !nr || *ret_addr;
}

void space_remember(struct space *s, uint64_t addr, uint64_t question, uint64_t answer,
		    size_t index)
{
	struct cache_key key = { .question = question };
	struct cache_frame frame = { .line = (uint32_t)index };

	/* Without debug information the answer may be another one the next time. */
	if (!place_of(s, addr - 1, &key.place) || !object_at(s, addr - 1) ||
	    (answer && !place_of(s, answer, &frame.place)))
		return;
	cache_put(s->cache, &key, &frame, answer != 0);
}

uint64_t space_fixed(struct space *s, uint64_t addr)
{
	struct cache_place place;

	return place_of(s, addr, &place) ? place.base ^ place.off : 0;
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

bool space_call_by_pointer(struct space *s, uint64_t ret_addr)
{
	struct object *object = object_at(s, ret_addr - 1);
	struct debuginfo_call call;

	return object && debuginfo_call_at(object->di, ret_addr - object->slide, &call) &&
	       !call.callee;
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
	return s->kernel_build_id;
}

const char *space_note(const struct space *s, size_t i)
{
	return i < s->nr_notes ? s->note[i] : NULL;
}
