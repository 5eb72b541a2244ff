// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "resolve/anyboot.h"
#include "resolve/cache.h"
#include "resolve/objects.h"
#include "resolve/owners.h"

struct space {
	struct kallsyms *kallsyms;
	struct modules *modules;
	struct owners *owners;
	uint64_t from_ns, to_ns; /* when what is asked for was seen */
	struct objects *objects;
	struct cache *cache;	/* NULL: none */
	struct anyboot *places; /* what it knows them by */
};

void space_close(struct space *s)
{
	if (!s)
		return;
	/* It writes what it was lent by the others. */
	cache_close(s->cache);
	objects_free(s->objects);
	anyboot_free(s->places);
	owners_free(s->owners);
	modules_free(s->modules);
	kallsyms_free(s->kallsyms);
	free(s);
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
 * answers in it no file need be opened before the first question it cannot answer;
 * false: the kernel is to be opened now.
 */
static bool open_cache(struct space *s, const struct resolver_opts *opts, struct pool *pool)
{
	const struct ksym *stext = find_stext(s->kallsyms);
	const char *build_id = modules_kernel_build_id(s->modules);
	const char *release = opts->release && *opts->release ? opts->release : NULL;
	char peeked[DEBUGINFO_BUILD_ID];

	if (!opts->cache_dir || !stext)
		return false;
	const char *path = objects_likely_kernel(s->objects, opts->vmlinux, peeked);

	/* A --vmlinux that does not match is to be refused. */
	if ((opts->vmlinux && !path) || (!path && !*build_id))
		return false;
	build_id = pool_str(pool, path ? peeked : build_id);
	s->cache =
		cache_open(opts->cache_dir, build_id,
			   anyboot_fingerprint(s->kallsyms, stext->addr, release, opts->rules));
	s->places = anyboot_new(s->modules, build_id, stext->addr);
	if (cache_is_empty(s->cache))
		return false;
	objects_open_later(s->objects, path, build_id);
	return true;
}

struct err *space_open(const struct resolver_opts *opts, struct pool *pool, struct space **ret)
{
	CLEANUP(space_cleanup) struct space *s = xcalloc(1, sizeof(*s));

	TRY(kallsyms_parse(opts->kallsyms, &s->kallsyms));
	s->modules = modules_parse(opts->modules, opts->sections, opts->build_ids);
	s->owners = owners_new(s->modules);
	s->to_ns = UINT64_MAX;
	s->objects = objects_new(opts, s->kallsyms, s->modules, pool);
	if (!open_cache(s, opts, pool))
		TRY(objects_open_kernel(s->objects, opts->vmlinux));
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

/* kallsyms marks what is no module of a file like one. */
static bool is_pseudo_module(const char *name)
{
	return !strcmp(name, "bpf") || !strncmp(name, "__builtin__", 11);
}

/* The object of @pc, or NULL when it has no debug information. */
static const struct object *object_at(struct space *s, uint64_t pc)
{
	const char *name = space_module(s, pc);

	if (!name)
		return objects_kernel(s->objects);
	if (is_pseudo_module(name))
		return NULL;
	const struct module *recorded = space_owner(s, pc);

	return objects_module(s->objects, name,
			      recorded ? recorded : modules_find_at(s->modules, name, pc));
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
	const struct object *object = object_at(s, pc);

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
	const struct object *object = object_at(s, ret_addr - 1);
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
	const struct object *object = object_at(s, ret_addr - 1);
	struct debuginfo_call call;

	return object && debuginfo_call_at(object->di, ret_addr - object->slide, &call) &&
	       !call.callee;
}

bool space_branch_in(struct space *s, uint64_t entry, size_t *i, struct space_call *ret)
{
	const struct object *object = object_at(s, entry);
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
	const struct object *object = object_at(s, pc);
	struct debuginfo_call call;

	if (!object || !debuginfo_call_in(object->di, pc - object->slide, i, &call))
		return false;
	fill_call(object, &call, ret);
	return true;
}

size_t space_entries(struct space *s, const struct space_call *call, uint64_t *ret, size_t max)
{
	const struct object *object = object_at(s, call->ret_addr - 1);
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
	return objects_vmlinux(s->objects);
}

const char *space_vmlinux_build_id(const struct space *s)
{
	return objects_vmlinux_build_id(s->objects);
}

const char *space_note(const struct space *s, size_t i)
{
	return objects_note(s->objects, i);
}
