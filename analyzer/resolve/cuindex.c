// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/cuindex.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* What an entry's children are read for, where no scope is open. */
#define SCOPE_ABSTRACT (SCOPE_NONE - 1)
#define SCOPE_IGNORED  (SCOPE_NONE - 2)

/*
 * The least bytes that a compiler needs for a scope and a call; what says more is
 * made up, and would take memory out of proportion to the file.
 */
enum { MAX_DEPTH = 256, SCOPE_BYTES = 8, CALL_BYTES = 4 };

struct range {
	uint64_t lo, hi;
	uint32_t scope;
	uint16_t depth;
};

struct builder {
	struct cuindex *ix;
	const struct dwunit *unit;
	struct range *range;
	size_t nr, cap;
	size_t max_scopes, max_calls;
	uint64_t budget; /* entries of range lists that may still be read */
};

static uint32_t number(const struct dwdie *die, const struct dwattr *attr)
{
	uint64_t v;

	return dwattr_uint(die, attr, &v) && v <= UINT32_MAX ? (uint32_t)v : 0;
}

/* The scope that @die opens inside @parent; SCOPE_NONE when it has no code. */
static uint32_t add_scope(struct builder *b, struct dwdie *die, uint64_t off, uint32_t parent)
{
	struct cuindex *ix = b->ix;
	uint32_t id = (uint32_t)ix->nr_scopes;
	bool inner = parent < SCOPE_IGNORED;
	struct scope scope = {
		.die = dwref_of(b->unit->file, off),
		.parent = inner ? parent : SCOPE_NONE,
		.function = inner ? ix->scope[parent].function : id,
		.depth = (uint16_t)(inner ? ix->scope[parent].depth + 1 : 0),
		.entry = UINT64_MAX,
	};
	struct dwranges ranges = {};
	struct dwattr attr;
	uint64_t lo, hi, entry_pc = 0;

	while (dwdie_next(die, &attr)) {
		switch (attr.name) {
		case DW_AT_low_pc:
		case DW_AT_high_pc:
		case DW_AT_ranges:
			dwranges_attr(&ranges, b->unit, &attr);
			break;
		case DW_AT_abstract_origin:
			scope.origin = dwattr_ref(b->unit, &attr);
			break;
		case DW_AT_call_file:
			scope.call_file = number(die, &attr);
			break;
		case DW_AT_call_line:
			scope.call_line = number(die, &attr);
			break;
		case DW_AT_entry_pc:
			dwattr_addr(b->unit, &attr, &entry_pc);
			break;
		}
	}
	if (parent == SCOPE_ABSTRACT || ix->nr_scopes >= b->max_scopes ||
	    (!ranges.has_low && !ranges.has_list))
		return SCOPE_NONE;
	dwranges_start(&ranges);
	uint64_t low = ranges.has_low ? ranges.low : 0;

	while (dwranges_next(&ranges, &b->budget, &lo, &hi)) {
		/* Address 0 is where a linker leaves what it threw away. */
		if (!lo)
			continue;
		vec_room(b->range, b->nr, b->cap);
		b->range[b->nr++] = (struct range){ lo, hi, id, scope.depth };
		if (lo < scope.entry)
			scope.entry = lo;
	}
	if (scope.entry == UINT64_MAX)
		return SCOPE_NONE;
	/* The entry point of a split function is not its lowest address. */
	if (!inner && (entry_pc || low))
		scope.entry = entry_pc ? entry_pc : low;
	vec_room(ix->scope, ix->nr_scopes, ix->cap_scopes);
	ix->scope[ix->nr_scopes++] = scope;
	return id;
}

static void add_call(struct builder *b, struct dwdie *die)
{
	struct cuindex *ix = b->ix;
	struct cucall call = {};
	struct dwattr attr;
	uint64_t pc = 0;

	while (dwdie_next(die, &attr)) {
		switch (attr.name) {
		case DW_AT_call_return_pc:
		case DW_AT_low_pc: /* DWARF 4 */
			dwattr_addr(b->unit, &attr, &call.ret_pc);
			break;
		case DW_AT_call_pc:
			dwattr_addr(b->unit, &attr, &pc);
			break;
		case DW_AT_call_origin:
		case DW_AT_abstract_origin: /* DWARF 4 */
			call.callee = dwattr_ref(b->unit, &attr);
			break;
		case DW_AT_call_tail_call:
		case DW_AT_GNU_tail_call:
			call.tail = dwattr_flag(&attr);
			break;
		}
	}
	/* Some compilers give a jump's own address instead. */
	if (!call.ret_pc && pc)
		call.ret_pc = pc + 1;
	if (!call.ret_pc || ix->nr_calls >= b->max_calls)
		return;
	vec_room(ix->call, ix->nr_calls, ix->cap_calls);
	ix->call[ix->nr_calls++] = call;
}

/* Languages whose functions lie neither in types nor in namespaces. */
static bool is_flat(uint32_t language)
{
	switch (language) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return true;
	}
	return false;
}

/* Gets past the attributes of an entry; false where they make no sense. */
static bool skip(struct dwdie *die)
{
	struct dwattr attr;

	if (!bytes_skip(&die->b, die->abbrev->fixed))
		return false;
	if (!die->abbrev->rest)
		return true;
	bytes_seek(&die->spec, die->abbrev->rest);
	while (dwdie_next(die, &attr))
		;
	return !die->bad;
}

/* Where the entry's next sibling is, if it says so. */
static bool sibling(const struct dwdie *die, uint64_t *ret)
{
	struct bytes b = die->b;
	uint64_t off;

	if (die->abbrev->sibling == DWABBREV_NO_SIBLING ||
	    !bytes_skip(&b, die->abbrev->sibling) ||
	    !dw_uint(&b, die->abbrev->sibling_size, &off) ||
	    off > die->unit->end - die->unit->off)
		return false;
	*ret = die->unit->off + off;
	return *ret > bytes_off(&die->b) && *ret <= die->unit->end;
}

/* What the children of an entry are read for; SCOPE_IGNORED: for nothing. */
static uint32_t look_into(struct builder *b, struct dwdie *die, uint64_t off, uint32_t scope,
			  bool flat)
{
	uint32_t own;

	switch ((enum dwabbrev_kind)die->abbrev->kind) {
	case DWKIND_FUNCTION:
		if (scope == SCOPE_IGNORED || die->abbrev->declaration)
			return SCOPE_IGNORED;
		own = add_scope(b, die, off, scope);
		return own == SCOPE_NONE ? SCOPE_ABSTRACT : own;
	case DWKIND_CALL:
		if (scope != SCOPE_IGNORED)
			add_call(b, die);
		return SCOPE_IGNORED;
	case DWKIND_BLOCK:
		return scope == SCOPE_NONE ? SCOPE_IGNORED : scope;
	case DWKIND_SPACE:
		return scope == SCOPE_NONE && !flat ? SCOPE_NONE : SCOPE_IGNORED;
	case DWKIND_OTHER:
		break;
	}
	return SCOPE_IGNORED;
}

/*
 * Goes through all entries in the order of the file. In one that has no code but
 * was inlined (SCOPE_ABSTRACT) GCC leaves some call sites of its copies.
 */
static void walk(struct builder *b)
{
	uint32_t scope[MAX_DEPTH] = { SCOPE_NONE };
	bool flat = is_flat(b->unit->language);
	struct dwdie die;
	size_t depth = 0;

	if (!dwdie_at(b->unit, b->unit->first, &die) || !skip(&die) || !die.abbrev->children)
		return;
	for (;;) {
		uint64_t off = bytes_off(&die.b), next = 0;

		if (!dwdie_step(&die)) {
			if (die.bad || !depth--)
				return;
			continue;
		}
		bool jump = die.abbrev->children && sibling(&die, &next);
		struct dwdie start = die;
		uint32_t into = look_into(b, &die, off, scope[depth], flat);

		if (into == SCOPE_IGNORED && jump) {
			bytes_seek(&die.b, next);
			continue;
		}
		/* What was looked into is past its attributes already. */
		if (die.b.pos == start.b.pos && !skip(&die))
			return;
		if (die.bad)
			return;
		if (!die.abbrev->children)
			continue;
		if (++depth == MAX_DEPTH)
			return;
		scope[depth] = into;
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

void cuindex_init(struct cuindex *ix, const struct dwunit *unit)
{
	uint64_t size = unit->end - unit->off;
	struct builder b = {
		.ix = ix,
		.unit = unit,
		.max_scopes = size / SCOPE_BYTES + 1,
		.max_calls = size / CALL_BYTES + 1,
		.budget = size + 64,
	};

	*ix = (struct cuindex){};
	walk(&b);
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
