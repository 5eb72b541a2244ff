// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/attribute.h"

#include <string.h>

#include "base/xalloc.h"
#include "resolve/expand.h"

/*
 * Frames of tracing lie at the very top. Jumps from wrapper to wrapper, and the
 * functions looked at to follow them, are few in any real kernel.
 */
enum { MAX_PLUMBING = 16, MAX_JUMPS = 4, MAX_VISITS = 64, MAX_ENTRIES = 8 };

/* The kernel marks a frame of an ftrace trampoline so. */
#define TRAMPOLINE_MARK INT32_MAX

struct attribute {
	struct expand *expand;
	struct space *space;
	const struct rules *rules;
	struct pool *pool;
};

struct attribute *attribute_new(struct space *space, const struct rules *rules,
				struct pool *pool)
{
	struct attribute *a = xcalloc(1, sizeof(*a));

	*a = (struct attribute){ expand_new(space, pool), space, rules, pool };
	return a;
}

void attribute_free(struct attribute *a)
{
	if (!a)
		return;
	expand_free(a->expand);
	free(a);
}

static const struct frame *outermost(const struct expansion *x)
{
	return &x->frame[x->nr - 1];
}

static bool is_plumbing(struct attribute *a, const struct frame *frame)
{
	return rules_of(a->rules, frame->func) & RULE_PLUMBING;
}

/* Rule 1: the number of addresses that are tracing itself. */
static size_t count_plumbing(struct attribute *a, const uint64_t *addr, size_t nr)
{
	size_t ret = 0;

	for (size_t i = 0; i < nr && i < MAX_PLUMBING; i++) {
		const struct expansion *x = expand_addr(a->expand, addr[i]);

		if (is_plumbing(a, outermost(x)))
			ret = i + 1;
		else if (x->symbol)
			break;
		/* else a trampoline, if more of the same follows */
	}
	while (ret < nr && addr[ret] == TRAMPOLINE_MARK)
		ret++;
	return ret < nr ? ret : 0;
}

/* The first frame of @x that is in none of the classes @drop, or NULL. */
static const struct frame *survivor(struct attribute *a, const struct expansion *x,
				    unsigned int drop)
{
	for (size_t i = 0; i < x->nr; i++)
		if (!(rules_of(a->rules, x->frame[i].func) & drop))
			return &x->frame[i];
	return NULL;
}

struct hunt {
	struct attribute *a;
	bool stack; /* a stack shows who is called; only who jumps is hidden */
	uint64_t seen[MAX_VISITS];
	size_t nr_seen;
	const struct frame *best;
	unsigned int best_line; /* of the call in the function that was not inlined */
	int best_jumps;		/* how far the function is from the one that was called */
	bool best_caller;
};

/*
 * The usual case is what a function does itself, and first; what it leaves to
 * another, or does later, is for want of memory.
 */
static bool is_likelier(const struct hunt *h, unsigned int line, int jumps, bool caller)
{
	/* An entry that records its caller is why the address is the caller's. */
	if (caller != h->best_caller)
		return caller;
	return jumps != h->best_jumps ? jumps < h->best_jumps : line < h->best_line;
}

static void offer(struct hunt *h, const struct expansion *x, int jumps, bool caller)
{
	const struct frame *frame = survivor(h->a, x, RULE_DROP);
	unsigned int line = outermost(x)->line;

	if (!frame || !frame->file)
		return;
	if (h->best && !is_likelier(h, line, jumps, caller))
		return;
	h->best = frame;
	h->best_line = line;
	h->best_jumps = jumps;
	h->best_caller = caller;
}

static void hunt_function(struct hunt *h, uint64_t entry, int jumps);

/* A call in a function that may have handed on its caller's address. */
static void hunt_call(struct hunt *h, const struct space_call *call, int jumps)
{
	struct attribute *a = h->a;
	unsigned int class = call->callee ? rules_of(a->rules, call->callee) : 0;
	bool caller = !h->stack && (class & RULE_CALLER);

	if (caller || (call->tail && (class & RULE_DROP))) {
		offer(h, expand_addr(a->expand, call->ret_addr), jumps, caller);
	} else if (call->tail && call->callee && jumps < MAX_JUMPS) {
		uint64_t target[MAX_ENTRIES];
		size_t nr = space_entries(a->space, call, target, MAX_ENTRIES);

		for (size_t t = 0; t < nr; t++)
			hunt_function(h, target[t], jumps + 1);
	}
}

/* Looks at the function at @entry for allocations that its caller is recorded for. */
static void hunt_function(struct hunt *h, uint64_t entry, int jumps)
{
	struct space *space = h->a->space;
	struct space_call call;
	bool described = false;

	for (size_t i = 0; i < h->nr_seen; i++)
		if (h->seen[i] == entry)
			return;
	if (h->nr_seen == MAX_VISITS)
		return;
	h->seen[h->nr_seen++] = entry;

	for (size_t i = 0; space_call_in(space, entry, &i, &call); described = true)
		hunt_call(h, &call, jumps);
	for (size_t i = 0; !described && space_branch_in(space, entry, &i, &call);)
		hunt_call(h, &call, jumps);
}

/*
 * Rule 3: the line inside the function called at @addr that asked for the
 * memory; NULL when @addr calls the allocator, or who is called is not known.
 * @below: start of the function that the stack shows as called, or 0.
 */
static const struct frame *below_call(struct attribute *a, uint64_t addr, bool stack,
				      uint64_t below)
{
	struct hunt hunt = { .a = a, .stack = stack };
	uint64_t entry[MAX_ENTRIES];
	struct space_call call;

	if (!space_call_at(a->space, addr, &call) ||
	    (rules_of(a->rules, call.callee) & RULE_DROP))
		return NULL;
	size_t nr = space_entries(a->space, &call, entry, MAX_ENTRIES);

	for (size_t i = 0; i < nr; i++) {
		uint64_t size;
		const struct ksym *sym = space_symbol(a->space, entry[i], &size);

		if (below && sym && sym->addr == below)
			return NULL;
	}
	for (size_t i = 0; i < nr; i++)
		hunt_function(&hunt, entry[i], 0);
	return hunt.best;
}

/* What is asked about a call; about frames it is 0. */
enum { ASK_BELOW = 1, ASK_BELOW_IN_STACK = 2, ASK_POINTER = 3 };

/* The same from an earlier run, if it was asked there. */
static const struct frame *below(struct attribute *a, uint64_t addr, bool stack, uint64_t shown)
{
	uint64_t question = (shown ? space_fixed(a->space, shown) : 0) * 4 +
			    (stack ? ASK_BELOW_IN_STACK : ASK_BELOW);
	uint64_t answer;
	size_t index;

	if (space_recall(a->space, addr, question, &answer, &index)) {
		const struct expansion *x = answer ? expand_addr(a->expand, answer) : NULL;

		if (!x || index < x->nr)
			return x ? &x->frame[index] : NULL;
	}
	const struct frame *frame = below_call(a, addr, stack, shown);

	answer = frame ? frame->addr : 0;
	index = frame ? (size_t)(frame - expand_addr(a->expand, frame->addr)->frame) : 0;
	space_remember(a->space, addr, question, answer, index);
	return frame;
}

/* Whether @addr returns from a call through a pointer, perhaps by an earlier run. */
static bool by_pointer(struct attribute *a, uint64_t addr)
{
	uint64_t answer;
	size_t index;

	if (space_recall(a->space, addr, ASK_POINTER, &answer, &index))
		return answer != 0;
	bool ret = space_call_by_pointer(a->space, addr);

	space_remember(a->space, addr, ASK_POINTER, ret ? addr : 0, 0);
	return ret;
}

/* The frame of @x to be charged, if one is; @addr returns to the innermost. */
static const struct frame *charged(struct attribute *a, const struct expansion *x,
				   uint64_t addr, unsigned int drop)
{
	const struct frame *frame = survivor(a, x, drop);

	if (frame != x->frame || !(rules_of(a->rules, frame->func) & RULE_CALLBACK) ||
	    !by_pointer(a, addr))
		return frame;
	return survivor(a, x, drop | RULE_CALLBACK);
}

/* All frames of the addresses, one after the other. */
static void list_frames(struct attribute *a, const uint64_t *addr, size_t nr,
			struct callsite *ret)
{
	size_t nr_frames = 0;

	for (size_t i = 0; i < nr; i++)
		nr_frames += expand_addr(a->expand, addr[i])->nr;
	ret->frame = pool_alloc(a->pool, nr_frames * sizeof(*ret->frame));
	ret->nr_frames = 0;
	for (size_t i = 0; i < nr; i++) {
		const struct expansion *x = expand_addr(a->expand, addr[i]);

		memcpy(&ret->frame[ret->nr_frames], x->frame, x->nr * sizeof(*x->frame));
		ret->nr_frames += x->nr;
	}
}

static enum resolved_by resolved_by(const struct frame *frame)
{
	if (frame->file)
		return RESOLVED_DWARF;
	return frame->sym_off || frame->sym_size ? RESOLVED_KALLSYMS : RESOLVED_NOTHING;
}

static const struct frame *choose(struct attribute *a, const uint64_t *addr, size_t nr,
				  struct callsite *ret)
{
	const struct expansion *x = expand_addr(a->expand, addr[0]);
	bool area = nr > 1 && (rules_of(a->rules, outermost(x)->func) & RULE_AREA);
	unsigned int drop = RULE_DROP | (area ? RULE_AREA : 0);
	size_t first = 0; /* of the frames of addr[i] */

	for (size_t i = 0; i < nr; first += x->nr, i++) {
		uint64_t shown = i ? x->symbol : 0;

		x = expand_addr(a->expand, addr[i]);
		/* The call into tracing, inlined at the top of a stack. */
		const struct frame *frame =
			charged(a, x, addr[i], drop | (nr > 1 && !i ? RULE_PLUMBING : 0));

		if (!frame)
			continue;
		const struct frame *called =
			nr == 1 || i ? below(a, addr[i], nr > 1, shown) : NULL;

		ret->attributed_by = called ? ATTRIBUTED_CALLEE : ATTRIBUTED_CHAIN;
		ret->caller = called ? first : first + (size_t)(frame - x->frame) + 1;
		return called ? called : frame;
	}
	ret->attributed_by = ATTRIBUTED_OPAQUE;
	ret->caller = ret->nr_frames;
	return outermost(x);
}

void attribute_site(struct attribute *a, const uint64_t *addr, size_t nr, struct callsite *ret)
{
	if (!nr || (nr == 1 && !addr[0])) {
		*ret = (struct callsite){
			.primary.func = "[unknown]",
			.resolved_by = RESOLVED_NONE,
			.attributed_by = ATTRIBUTED_NOTHING,
		};
		return;
	}
	size_t skip = nr > 1 ? count_plumbing(a, addr, nr) : 0;

	addr += skip;
	nr -= skip;
	list_frames(a, addr, nr, ret);
	ret->primary = *choose(a, addr, nr, ret);
	ret->resolved_by = resolved_by(&ret->primary);
}
