// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/expand.h"

#include <inttypes.h>

#include "base/hash.h"
#include "base/xalloc.h"

struct slot {
	uint64_t addr;
	const struct module *owner;  /* space_owner() */
	struct expansion *expansion; /* NULL: free */
};

struct expand {
	struct space *space;
	struct pool *pool;
	struct slot *slot; /* open addressing, a power of two */
	size_t nr_slots, nr;
	struct hash_secret secret;
};

struct expand *expand_new(struct space *space, struct pool *pool)
{
	struct expand *e = xcalloc(1, sizeof(*e));

	*e = (struct expand){ .space = space, .pool = pool, .secret = hash_secret() };
	return e;
}

void expand_free(struct expand *e)
{
	if (!e)
		return;
	free(e->slot);
	free(e);
}

static struct slot *find_slot(const struct expand *e, uint64_t addr, const struct module *owner)
{
	for (size_t i = hash_word(e->secret, hash_of(e->secret, addr) ^ (uintptr_t)owner);;
	     i++) {
		struct slot *slot = &e->slot[i & (e->nr_slots - 1)];

		if (!slot->expansion || (slot->addr == addr && slot->owner == owner))
			return slot;
	}
}

static void grow(struct expand *e)
{
	auto_free struct slot *old = e->slot;
	size_t nr = e->nr_slots;

	e->nr_slots = nr ? nr * 2 : 1024;
	e->slot = xcalloc(e->nr_slots, sizeof(*e->slot));
	for (size_t i = 0; i < nr; i++)
		if (old[i].expansion)
			*find_slot(e, old[i].addr, old[i].owner) = old[i];
}

static struct expansion *make(struct expand *e, uint64_t addr)
{
	struct debuginfo_frame chain[EXPAND_MAX];
	struct expansion *x = pool_alloc(e->pool, sizeof(*x));
	uint64_t pc = addr - 1, size = 0;
	const struct ksym *sym = space_symbol(e->space, pc, &size);
	size_t nr = space_chain(e->space, pc, chain, EXPAND_MAX);
	struct frame common = {
		.func = sym ? sym->name : NULL,
		.module = space_module(e->space, pc),
		.addr = addr,
		.sym_off = sym ? (uint32_t)(addr - sym->addr) : 0,
		.sym_size = (uint32_t)size,
	};

	if (common.module)
		common.module = pool_str(e->pool, common.module);
	if (!common.func)
		common.func = pool_printf(e->pool, "0x%" PRIx64, addr);
	x->symbol = sym ? sym->addr : 0;
	x->nr = nr ? nr : 1;

	struct frame *frame = pool_alloc(e->pool, x->nr * sizeof(*frame));

	frame[0] = common;
	for (size_t i = 0; i < nr; i++) {
		frame[i] = common;
		if (chain[i].func)
			frame[i].func = chain[i].func;
		frame[i].file = chain[i].file;
		frame[i].line = chain[i].line;
		frame[i].inlined = chain[i].inlined;
	}
	x->frame = frame;
	return x;
}

const struct expansion *expand_addr(struct expand *e, uint64_t addr)
{
	if (e->nr * 2 >= e->nr_slots)
		grow(e);
	const struct module *owner = space_owner(e->space, addr - 1);
	struct slot *slot = find_slot(e, addr, owner);

	if (!slot->expansion) {
		*slot = (struct slot){ addr, owner, make(e, addr) };
		e->nr++;
	}
	return slot->expansion;
}
