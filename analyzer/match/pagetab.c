// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/pagetab.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

static_assert(sizeof(struct page_entry) == 10, "what a page costs");
static_assert(sizeof(struct pagetab_group) == 16, "what a group costs");
static_assert(sizeof(struct pagetab_run) == 6, "what a run has beside entries");
static_assert(PAGETAB_MAX_PFN / PAGETAB_FRAMES == UINT64_C(1) << PAGETAB_KEY_BITS,
	      "the key of a group is all its frames have in common");
static_assert(PAGETAB_KEY_BITS <= 32 + 8, "the key of a run is that of its group");

enum { GROW_CHUNKS = 16 };

/* Whose groups and runs a walk may bring into the memory of files at a time. */
enum { TRIM_RUNS = 1024 };

#define CHUNK_BYTES ((size_t)PAGETAB_CHUNK * PAGETAB_UNIT)
/* Of a dead group, and of what did not get a run. */
#define NO_UNIT	    ((UINT64_C(1) << (64 - PAGETAB_UNIT_BIT)) - 1)
static_assert((uint64_t)PAGETAB_MAX_CHUNKS * PAGETAB_CHUNK < NO_UNIT, "a group knows any unit");

void pagetab_init(struct pagetab *tab)
{
	*tab = (struct pagetab){ .max_dead = PAGETAB_DEAD, .max_chunks = PAGETAB_MAX_CHUNKS };
	table_init(&tab->groups, &pagetab_ops);
}

void pagetab_deinit(struct pagetab *tab)
{
	table_deinit(&tab->groups);
	spill_release(&tab->runs);
	free(tab->chunk);
	*tab = (struct pagetab){ 0 };
}

void pagetab_clear(struct pagetab *tab)
{
	pagetab_deinit(tab);
	pagetab_init(tab);
}

void pagetab_spill(struct pagetab *tab, struct spill *spill)
{
	spill_add(spill, &tab->groups.mem);
	spill_add(spill, &tab->runs);
}

/* The size of a run of so many entries, in units. */
static uint32_t class_of(unsigned int entries)
{
	size_t bytes = sizeof(struct pagetab_run) + entries * sizeof(struct page_entry);

	return (uint32_t)((bytes + PAGETAB_UNIT - 1) / PAGETAB_UNIT);
}

static struct pagetab_run *run_at(const struct pagetab *tab, uint64_t unit)
{
	return (struct pagetab_run *)(tab->runs.at + unit * PAGETAB_UNIT);
}

static uint64_t run_key(const struct pagetab_run *run)
{
	return (uint64_t)run->key_high << 32 | run->key_low;
}

static void set_key(struct pagetab_run *run, uint64_t key, unsigned int larger)
{
	run->key_low = (uint32_t)key;
	run->key_high = (key >> 32) & 0xff;
	run->larger = larger & 0xff;
}

static void set_run(struct pagetab_group *g, uint64_t key, unsigned int larger, uint64_t unit)
{
	g->key_run = key | (larger ? PAGETAB_MIXED : 0) | unit << PAGETAB_UNIT_BIT;
}

static struct pagetab_group *group_of(const struct pagetab *tab, const struct pagetab_run *run)
{
	uint64_t key = run_key(run);

	if (tab->groups.mem.mapped)
		table_touch(&tab->groups, &pagetab_ops, key);
	return pagetab_group(tab, key);
}

/* The index of a chunk of free room, + 1; 0 when there may not be one more. */
static uint32_t chunk_new(struct pagetab *tab)
{
	uint32_t at = tab->free_chunk;

	if (at) {
		tab->free_chunk = tab->chunk[at - 1].before;
		return at;
	}
	if (tab->nr_chunks >= tab->max_chunks)
		return 0;
	vec_room(tab->chunk, tab->nr_chunks, tab->cap_chunks);
	tab->nr_chunks++;
	if (tab->nr_chunks * CHUNK_BYTES > tab->runs.bytes) {
		/* What is not used yet takes no memory. */
		size_t more = tab->nr_chunks / 8;

		if (more < GROW_CHUNKS)
			more = GROW_CHUNKS;
		spill_grow(&tab->runs, (tab->nr_chunks + more) * CHUNK_BYTES);
	}
	return (uint32_t)tab->nr_chunks;
}

/* Room for a run of a class, which may move all runs; NO_UNIT when there is none. */
static uint64_t run_new(struct pagetab *tab, uint32_t class)
{
	struct pagetab_class *c = &tab->class[class];

	if (!c->last || c->nr == PAGETAB_CHUNK / class) {
		uint32_t at = chunk_new(tab);

		if (!at) {
			tab->full = true;
			return NO_UNIT;
		}
		tab->chunk[at - 1] = (struct pagetab_chunk){ c->last, class };
		*c = (struct pagetab_class){ .last = at };
	}
	uint64_t unit = (uint64_t)(c->last - 1) * PAGETAB_CHUNK + c->nr * class;

	c->nr++;
	return unit;
}

/* The run of a group that has another one by now, or is dead. */
static void run_free(struct pagetab *tab, uint64_t unit, uint32_t class)
{
	struct pagetab_class *c = &tab->class[class];
	uint32_t chunk = c->last - 1;
	uint64_t last = (uint64_t)chunk * PAGETAB_CHUNK + (c->nr - 1) * class;

	if (last != unit) {
		struct pagetab_run *run = run_at(tab, unit);

		memcpy(run, run_at(tab, last), (size_t) class * PAGETAB_UNIT);
		set_run(group_of(tab, run), run_key(run), run->larger, unit);
	}
	if (--c->nr)
		return;
	c->last = tab->chunk[chunk].before;
	c->nr = PAGETAB_CHUNK / class;
	tab->chunk[chunk] = (struct pagetab_chunk){ .before = tab->free_chunk };
	tab->free_chunk = chunk + 1;
}

static uint32_t runs_in(const struct pagetab *tab, size_t chunk)
{
	uint32_t class = tab->chunk[chunk].class;

	if (!class)
		return 0;
	return tab->class[class].last == chunk + 1 ? tab->class[class].nr
						   : PAGETAB_CHUNK / class;
}

/* A walk has come to a run of a chunk. */
static void passed(const struct pagetab *tab, uint32_t run)
{
	if (tab->runs.mapped && run % TRIM_RUNS == 0)
		spill_trim(tab->runs.spill);
}

/* Takes the dead out of a run; true when the run is not there any more. */
static bool purge_run(struct pagetab *tab, uint64_t unit, uint32_t class)
{
	struct pagetab_run *run = run_at(tab, unit);
	uint64_t key = run_key(run);
	struct pagetab_group *g = group_of(tab, run);
	struct page_entry live[PAGETAB_FRAMES];
	unsigned int nr = 0, was = 0, larger = run->larger;
	uint64_t frames = 0;

	for (uint64_t left = g->frames; left; left &= left - 1, was++) {
		if (run->entry[was].order == PAGETAB_ENDED)
			continue;
		live[nr++] = run->entry[was];
		frames |= left & -left;
	}
	uint32_t new_class = nr ? class_of(nr) : 0;
	uint64_t new_unit = !nr ? NO_UNIT : new_class == class ? unit : run_new(tab, new_class);

	/* Where there is no room at all the dead stay. */
	if (nr == was || (nr && new_unit == NO_UNIT))
		return false;
	tab->nr_entries -= was - nr;
	tab->nr_dead -= was - nr;
	g->frames = frames;
	set_run(g, key, larger, new_unit);
	if (nr) {
		run = run_at(tab, new_unit);
		set_key(run, key, larger);
		memcpy(run->entry, live, nr * sizeof(*live));
	}
	if (new_unit == unit)
		return false;
	run_free(tab, unit, class);
	return true;
}

/* A run that moves comes to a place that was not passed, or has no dead. */
static void purge(struct pagetab *tab)
{
	for (size_t chunk = 0; chunk < tab->nr_chunks; chunk++) {
		uint32_t class = tab->chunk[chunk].class;

		for (uint32_t i = 0;
		     tab->chunk[chunk].class == class && i < runs_in(tab, chunk);) {
			passed(tab, i);
			if (!purge_run(tab, chunk * PAGETAB_CHUNK + (uint64_t)i * class, class))
				i++;
		}
	}
}

/* The entries of @frames, and dead ones of all others. */
static void spread(struct pagetab_run *run, const struct page_entry *from, uint64_t frames)
{
	memset(run->entry, 0xff, PAGETAB_FRAMES * sizeof(*run->entry));
	for (; frames; frames &= frames - 1)
		run->entry[__builtin_ctzll(frames)] = *from++;
}

/*
 * While there may be more of the dead, a group gets entries for all its frames at once: most
 * will be asked for, and nothing has to move then.
 */
struct page_entry *pagetab_add(struct pagetab *tab, uint64_t pfn)
{
	if (tab->nr_dead > tab->max_dead + (tab->nr_entries - tab->nr_dead) / 32)
		purge(tab);

	uint64_t key = pfn / PAGETAB_FRAMES;
	struct pagetab_group *g = table_put(&tab->groups, &pagetab_ops, key);
	unsigned int nr = g->frames ? pagetab_count(g->frames) : 0;
	bool all = tab->nr_dead < tab->max_dead / 2 && nr < PAGETAB_FRAMES / 2;
	uint32_t old_class = nr ? class_of(nr) : 0;
	uint32_t class = class_of(all ? PAGETAB_FRAMES : nr + 1);
	uint64_t old_unit = g->key_run >> PAGETAB_UNIT_BIT;
	uint64_t unit = class == old_class ? old_unit : run_new(tab, class);

	if (unit == NO_UNIT) {
		if (!nr)
			set_run(g, key, 0, NO_UNIT);
		tab->nowhere.order = PAGETAB_ENDED;
		return &tab->nowhere;
	}
	struct pagetab_run *run = run_at(tab, unit);
	const struct pagetab_run *old = nr ? run_at(tab, old_unit) : run;
	unsigned int below = pagetab_rank(g, pfn), added = 1, larger = nr ? old->larger : 0;

	set_key(run, key, larger);
	if (all) {
		spread(run, old->entry, g->frames);
		below = pfn % PAGETAB_FRAMES;
		added = PAGETAB_FRAMES - nr;
		g->frames = UINT64_MAX;
	} else {
		if (run != old)
			memcpy(run->entry, old->entry, below * sizeof(*run->entry));
		memmove(run->entry + below + 1, old->entry + below,
			(nr - below) * sizeof(*run->entry));
		run->entry[below].order = PAGETAB_ENDED;
		g->frames |= UINT64_C(1) << pfn % PAGETAB_FRAMES;
	}
	set_run(g, key, larger, unit);
	tab->nr_entries += added;
	tab->nr_dead += added - 1;
	if (nr && unit != old_unit)
		run_free(tab, old_unit, old_class);
	return &run->entry[below];
}

void pagetab_count_larger(struct pagetab *tab, uint64_t pfn, int by)
{
	struct pagetab_group *g = pagetab_group(tab, pfn / PAGETAB_FRAMES);

	/* What is nowhere is not in it. */
	if (!pagetab_entry(tab, g, pfn))
		return;
	struct pagetab_run *run = pagetab_run(tab, g);

	run->larger = (run->larger + (unsigned int)by) & 0xff;
	g->key_run &= ~PAGETAB_MIXED;
	g->key_run |= run->larger ? PAGETAB_MIXED : 0;
}

/* As table_touch(). */
void pagetab_touch(const struct pagetab *tab, uint64_t pfn)
{
	uint64_t key = pfn / PAGETAB_FRAMES;

	if (tab->groups.mem.mapped)
		table_touch(&tab->groups, &pagetab_ops, key);
	if (!tab->runs.mapped)
		return;

	const struct pagetab_group *g = pagetab_group(tab, key);

	if (g->frames)
		__atomic_fetch_or((char *)&pagetab_run(tab, g)->entry[pagetab_rank(g, pfn)], 0,
				  __ATOMIC_RELAXED);
}

struct page_entry *pagetab_from(const struct pagetab *tab, uint64_t *pfn, uint64_t end)
{
	while (*pfn < end) {
		const struct pagetab_group *g = pagetab_group(tab, *pfn / PAGETAB_FRAMES);

		for (uint64_t left = g->frames >> *pfn % PAGETAB_FRAMES; left;
		     left &= left - 1) {
			uint64_t at = *pfn + (unsigned int)__builtin_ctzll(left);

			if (at >= end)
				return NULL;
			struct page_entry *e = &pagetab_run(tab, g)->entry[pagetab_rank(g, at)];

			if (e->order == PAGETAB_ENDED)
				continue;
			*pfn = at;
			return e;
		}
		*pfn = (*pfn | (PAGETAB_FRAMES - 1)) + 1;
	}
	return NULL;
}

/* A walk is at the first entry of the run. Where groups are has nothing to do with where runs are. */
static void come_to(const struct pagetab *tab, size_t unit)
{
	enum { AHEAD = 8 };
	size_t chunk = unit / PAGETAB_CHUNK;
	uint32_t class = tab->chunk[chunk].class;
	uint32_t run = (uint32_t)(unit % PAGETAB_CHUNK) / class;

	passed(tab, run);
	if (tab->groups.mem.mapped)
		group_of(tab, run_at(tab, unit));
	else if (run + AHEAD < runs_in(tab, chunk))
		table_prefetch(&tab->groups, &pagetab_ops,
			       run_key(run_at(tab, unit + (size_t)AHEAD * class)));
}

/* Where a walk is: the unit, and in the low seven bits the frame of that run's group. */
struct page_entry *pagetab_next(const struct pagetab *tab, size_t *pos, uint64_t *ret_pfn)
{
	enum { BITS = 7 };

	for (size_t chunk; (chunk = (*pos >> BITS) / PAGETAB_CHUNK) < tab->nr_chunks;) {
		size_t unit = *pos >> BITS;
		uint32_t class = tab->chunk[chunk].class;
		unsigned int frame = *pos & ((1 << BITS) - 1);

		if (unit % PAGETAB_CHUNK >= runs_in(tab, chunk) * class) {
			*pos = (chunk + 1) * PAGETAB_CHUNK << BITS;
			continue;
		}
		uint64_t first = run_key(run_at(tab, unit)) * PAGETAB_FRAMES;

		if (!frame)
			come_to(tab, unit);
		*ret_pfn = first + frame;

		struct page_entry *e = pagetab_from(tab, ret_pfn, first + PAGETAB_FRAMES);

		if (e) {
			*pos = unit << BITS | (*ret_pfn - first + 1);
			return e;
		}
		*pos = (unit + class) << BITS;
	}
	return NULL;
}
