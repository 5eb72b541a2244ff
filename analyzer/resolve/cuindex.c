// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/cuindex.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define SCOPE_ABSTRACT (SCOPE_NONE - 1)

enum { MAX_DEPTH = 256, MAX_RANGES = 1 << 22 };

struct range {
	uint64_t lo, hi;
	uint32_t scope;
	uint16_t depth;
};

struct builder {
	struct cuindex *ix;
	struct range *range;
	size_t nr, cap;
	uint64_t budget; /* DIEs that may still be looked at */
};

static uint64_t ref(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Die target;

	if (!dwarf_attr(die, name, &attr) || !dwarf_formref_die(&attr, &target))
		return 0;
	return dwarf_dieoffset(&target);
}

static uint32_t number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word v;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &v) || v > UINT32_MAX)
		return 0;
	return (uint32_t)v;
}

static uint64_t address(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Addr v;

	return dwarf_attr(die, name, &attr) && !dwarf_formaddr(&attr, &v) ? v : 0;
}

static bool flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	bool v;

	return dwarf_attr(die, name, &attr) && !dwarf_formflag(&attr, &v) && v;
}

/* The scope @die opens inside @parent; SCOPE_NONE when it has no code. */
static uint32_t add_scope(struct builder *b, Dwarf_Die *die, uint32_t parent)
{
	struct cuindex *ix = b->ix;
	Dwarf_Addr base, lo, hi;
	ptrdiff_t off = 0;
	uint64_t entry = UINT64_MAX;
	size_t depth = parent == SCOPE_NONE ? 0 : ix->scope[parent].depth + 1u;

	while ((off = dwarf_ranges(die, off, &base, &lo, &hi)) > 0 && b->nr < MAX_RANGES) {
		/* Address 0 is where a linker leaves what it threw away. */
		if (!lo || lo >= hi)
			continue;
		vec_room(b->range, b->nr, b->cap);
		b->range[b->nr++] =
			(struct range){ lo, hi, (uint32_t)ix->nr_scopes, (uint16_t)depth };
		if (lo < entry)
			entry = lo;
	}
	if (entry == UINT64_MAX)
		return SCOPE_NONE;

	uint32_t id = (uint32_t)ix->nr_scopes;

	vec_room(ix->scope, ix->nr_scopes, ix->cap_scopes);
	ix->scope[ix->nr_scopes++] = (struct scope){
		.die = dwarf_dieoffset(die),
		.origin = ref(die, DW_AT_abstract_origin),
		.entry = entry,
		.parent = parent,
		.function = parent == SCOPE_NONE ? id : ix->scope[parent].function,
		.call_file = number(die, DW_AT_call_file),
		.call_line = number(die, DW_AT_call_line),
		.depth = (uint16_t)depth,
	};
	/* The entry point of a split function is not its lowest address. */
	if (parent == SCOPE_NONE && !dwarf_entrypc(die, &lo) && lo)
		ix->scope[id].entry = lo;
	return id;
}

static void add_call(struct builder *b, Dwarf_Die *die)
{
	struct cuindex *ix = b->ix;
	struct cucall call = {};

	if (dwarf_tag(die) == DW_TAG_call_site) {
		call.ret_pc = address(die, DW_AT_call_return_pc);
		call.callee = ref(die, DW_AT_call_origin);
		call.tail = flag(die, DW_AT_call_tail_call);
		/* Some compilers give a jump's own address instead. */
		if (!call.ret_pc && (call.ret_pc = address(die, DW_AT_call_pc)))
			call.ret_pc++;
	} else {
		call.ret_pc = address(die, DW_AT_low_pc);
		call.callee = ref(die, DW_AT_abstract_origin);
		call.tail = flag(die, DW_AT_GNU_tail_call);
	}
	if (!call.ret_pc)
		return;
	vec_room(ix->call, ix->nr_calls, ix->cap_calls);
	ix->call[ix->nr_calls++] = call;
}

/*
 * @scope: SCOPE_NONE outside of functions, or SCOPE_ABSTRACT in one that has no
 * code itself but was inlined: GCC leaves some call sites of its copies there.
 */
static void walk(struct builder *b, Dwarf_Die *parent, uint32_t scope, int depth)
{
	Dwarf_Die die;

	if (depth == MAX_DEPTH || dwarf_child(parent, &die))
		return;
	for (;;) {
		if (!b->budget)
			return;
		b->budget--;
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine: {
			uint32_t own = scope == SCOPE_ABSTRACT ? SCOPE_NONE
							       : add_scope(b, &die, scope);

			walk(b, &die, own == SCOPE_NONE ? SCOPE_ABSTRACT : own, depth + 1);
			break;
		}
		case DW_TAG_call_site:
		case DW_TAG_GNU_call_site:
			add_call(b, &die);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (scope != SCOPE_NONE)
				walk(b, &die, scope, depth + 1);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
			/* Rust keeps functions in namespaces and types. */
			if (scope == SCOPE_NONE)
				walk(b, &die, scope, depth + 1);
			break;
		}

		Dwarf_Die next;

		if (dwarf_siblingof(&die, &next) ||
		    dwarf_dieoffset(&next) <= dwarf_dieoffset(&die))
			return;
		die = next;
	}
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct range *a = va, *b = vb;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	/* A scope may cover nothing but its only child, or one of two twins. */
	if (a->hi != b->hi)
		return a->hi > b->hi ? -1 : 1;
	return a->scope < b->scope ? -1 : a->scope > b->scope;
}

static int compare_calls(const void *va, const void *vb)
{
	const struct cucall *a = va, *b = vb;

	if (a->ret_pc != b->ret_pc)
		return a->ret_pc < b->ret_pc ? -1 : 1;
	return a->callee < b->callee ? -1 : a->callee > b->callee;
}

/* Which function makes each call is told by its address. */
static void place_calls(struct cuindex *ix)
{
	size_t kept = 0;

	for (size_t i = 0; i < ix->nr_calls; i++) {
		uint32_t scope = cuindex_scope(ix, ix->call[i].ret_pc - 1);

		if (scope == SCOPE_NONE)
			continue;
		ix->call[kept] = ix->call[i];
		ix->call[kept++].function = ix->scope[scope].function;
	}
	ix->nr_calls = kept;
	if (kept)
		qsort(ix->call, kept, sizeof(*ix->call), compare_calls);
}

static void add_seg(struct cuindex *ix, uint64_t start, uint32_t scope)
{
	if (ix->nr_segs && ix->seg[ix->nr_segs - 1].start == start)
		ix->nr_segs--;
	vec_room(ix->seg, ix->nr_segs, ix->cap_segs);
	ix->seg[ix->nr_segs++] = (struct cuseg){ start, scope };
}

/* Nested ranges, sorted, to a flat list: a stack of what is open at each address. */
static void flatten(struct builder *b)
{
	auto_free struct range *open = NULL;
	size_t nr = 0, cap = 0;

	for (size_t i = 0; i <= b->nr; i++) {
		uint64_t lo = i < b->nr ? b->range[i].lo : UINT64_MAX;

		while (nr && open[nr - 1].hi <= lo) {
			uint64_t end = open[--nr].hi;

			add_seg(b->ix, end, nr ? open[nr - 1].scope : SCOPE_NONE);
		}
		if (i == b->nr)
			break;
		struct range range = b->range[i];

		if (nr && range.hi > open[nr - 1].hi)
			range.hi = open[nr - 1].hi;
		vec_room(open, nr, cap);
		open[nr++] = range;
		add_seg(b->ix, lo, range.scope);
	}
}

void cuindex_init(struct cuindex *ix, Dwarf_Die *cu, uint64_t size)
{
	struct builder b = { .ix = ix, .budget = size };

	*ix = (struct cuindex){};
	walk(&b, cu, SCOPE_NONE, 0);
	if (b.nr)
		qsort(b.range, b.nr, sizeof(*b.range), compare_ranges);
	flatten(&b);
	free(b.range);
	place_calls(ix);
}

void cuindex_deinit(struct cuindex *ix)
{
	free(ix->scope);
	free(ix->call);
	free(ix->seg);
	*ix = (struct cuindex){};
}

uint32_t cuindex_scope(const struct cuindex *ix, uint64_t pc)
{
	size_t lo = 0, hi = ix->nr_segs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ix->seg[mid].start <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? ix->seg[lo - 1].scope : SCOPE_NONE;
}

const struct cucall *cuindex_call(const struct cuindex *ix, uint64_t ret_pc)
{
	size_t lo = 0, hi = ix->nr_calls;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ix->call[mid].ret_pc < ret_pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ix->nr_calls && ix->call[lo].ret_pc == ret_pc ? &ix->call[lo] : NULL;
}
