// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/page.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

static_assert(sizeof(struct page_split) == 8 && PAGE_MAX_ORDER < 16, "what a block costs");
static_assert((int)PAGE_MAX_ORDER < (int)PAGETAB_ENDED, "the dead have an order of their own");

static_assert(PAGETAB_FRAMES << 1 == 1 << PAGE_WIDE_ORDER, "what is not wide is in one group");
#define WIDE_ORDERS (UINT32_MAX << PAGE_WIDE_ORDER)

/* How pages go. */
enum how { HOW_FREE, HOW_OVERLAP, HOW_MOVED };

void page_init(struct page_map *map, uint32_t page_size, const struct sample_rate *sample,
	       struct sitetab *sites)
{
	*map = (struct page_map){
		.max_owner = PAGETAB_MAX_OWNER,
		.page_size = page_size,
		.sample = *sample,
		.sites = sites,
	};
	map->wide = xcalloc(PAGE_WIDE, sizeof(*map->wide));
	pagetab_init(&map->table);
}

void page_clear(struct page_map *map)
{
	pagetab_clear(&map->table);
	free(map->split);
	map->split = NULL;
	map->nr_split = map->cap_split = 0;
}

void page_deinit(struct page_map *map)
{
	pagetab_deinit(&map->table);
	free(map->split);
	free(map->wide);
	*map = (struct page_map){ 0 };
}

void page_spill(struct page_map *map, struct spill *spill)
{
	pagetab_spill(&map->table, spill);
}

struct err *page_error(const struct page_map *map)
{
	if (map->table.full)
		return err_new(ERR_UNSUPPORTED,
			       "the recording has more live pages than there is room for");
	if (map->full)
		return err_new(ERR_UNSUPPORTED,
			       "the recording has too many call sites and tasks, or "
			       "blocks of pages that were freed in part");
	return NULL;
}

static struct page_entry *find(const struct page_map *map, uint64_t pfn)
{
	return pagetab_find(&map->table, pfn);
}

/* The owner of an entry that is no piece. */
static inline uint32_t account_owner(struct page_map *map, uint32_t account)
{
	if (__builtin_expect(account <= map->max_owner, 1))
		return account;
	map->full = true;
	return 0;
}

void page_count_larger(struct page_map *map, uint64_t pfn, unsigned int order, int by)
{
	map->nr_order[order] += (size_t)by;
	map->orders &= ~(UINT32_C(1) << order);
	map->orders |= map->nr_order[order] ? UINT32_C(1) << order : 0;
	pagetab_count_larger(&map->table, pfn, by);
	for (uint64_t i = 0; i < UINT64_C(1) << order >> PAGE_WIDE_ORDER; i++)
		*page_wide(map, pfn + (i << PAGE_WIDE_ORDER)) += (uint32_t)by;
}

/* An entry at a pfn that has none. */
static void insert(struct page_map *map, uint64_t pfn, struct page_entry e)
{
	*pagetab_put(&map->table, pfn) = e;
	if (e.order)
		page_count_larger(map, pfn, e.order, 1);
}

static uint32_t split_new(struct page_map *map, uint32_t account, uint32_t pages)
{
	uint32_t at;

	if (map->free_split) {
		at = map->free_split - 1;
		map->free_split = map->split[at].account;
	} else if (map->nr_split <= map->max_owner) {
		vec_room(map->split, map->nr_split, map->cap_split);
		at = (uint32_t)map->nr_split++;
	} else {
		map->full = true;
		at = 0;
	}
	map->split[at] = (struct page_split){
		.account = account,
		.pages = (uint16_t)pages,
		.larger = pages < 4,
	};
	return at;
}

/* Books that @pages of the block of @e go. */
static void book(struct page_map *map, const struct page_entry *e, uint32_t pages, enum how how)
{
	if (how == HOW_MOVED)
		return;

	uint32_t account = e->owner;
	bool last = pages == UINT32_C(1) << e->order;
	uint64_t bytes = pages * map->page_size;

	if (e->piece) {
		struct page_split *split = &map->split[e->owner];

		account = split->account;
		split->pages = (uint16_t)(split->pages - pages);
		split->single |= how == HOW_FREE && !map->order;
		split->larger |= how == HOW_FREE && map->order;
		bytes <<= split->stands;
		last = !split->pages;
		if (last) {
			split->account = map->free_split;
			map->free_split = e->owner + 1;
		}
	}
	switch (how) {
	case HOW_FREE:
		sitetab_free(map->sites, account, last, bytes);
		if (!last)
			break;
		sitetab_lived(map->sites, account, page_time(e), map->sites->now);
		sitetab_remote(map->sites, account, map->sites->ev->cpu);
		break;
	case HOW_OVERLAP:
		sitetab_infer(map->sites, account, END_OVERLAP, last, bytes);
		break;
	case HOW_MOVED:
		break;
	}
}

/* The entry, larger than @order, that the aligned block at @pfn lies in. */
static struct page_entry *find_around(const struct page_map *map, uint64_t pfn,
				      unsigned int order)
{
	const struct pagetab_group *g = pagetab_group(&map->table, pfn / PAGETAB_FRAMES);
	uint32_t left = map->orders >> order >> 1 << order << 1;

	if (!pagetab_is_mixed(g))
		left &= WIDE_ORDERS;
	if (!*page_wide(map, pfn))
		left &= ~WIDE_ORDERS;
	for (; left; left &= left - 1) {
		unsigned int k = (unsigned int)__builtin_ctz(left);
		struct page_entry *e = find(map, pfn & -(UINT64_C(1) << k));

		if (e && e->order == k)
			return e;
	}
	return NULL;
}

/* Takes the aligned block at @pfn out of @e, which is larger. */
static void split_off(struct page_map *map, struct page_entry *e, uint64_t pfn,
		      unsigned int order, enum how how)
{
	struct page_entry rest = *e;
	uint64_t head = pfn & -(UINT64_C(1) << rest.order);

	if (!rest.piece) {
		rest.owner =
			split_new(map, e->owner, UINT32_C(1) << e->order) & PAGETAB_MAX_OWNER;
		rest.piece = 1;
	}
	book(map, &rest, UINT32_C(1) << order, how);
	page_end(map, head, e);
	for (unsigned int k = rest.order; k-- > order;) {
		uint64_t upper = head + (UINT64_C(1) << k);

		rest.order = k & 0xf;
		insert(map, pfn >= upper ? head : upper, rest);
		if (pfn >= upper)
			head = upper;
	}
}

static void take_entry(struct page_map *map, uint64_t pfn, struct page_entry *e, enum how how,
		       struct page_met *met)
{
	met->pages += UINT64_C(1) << e->order;
	met->partial |= e->piece;
	book(map, e, UINT32_C(1) << e->order, how);
	page_end(map, pfn, e);
}

/* Takes all entries that lie in the aligned block. */
static void take_inside(struct page_map *map, uint64_t pfn, unsigned int order, enum how how,
			struct page_met *met)
{
	uint64_t end = pfn + (UINT64_C(1) << order);
	struct page_entry *e;

	for (; (e = pagetab_from(&map->table, &pfn, end)); pfn++)
		take_entry(map, pfn, e, how, met);
}

static void take_aligned(struct page_map *map, uint64_t pfn, unsigned int order, enum how how,
			 struct page_met *met)
{
	struct page_entry *e = find(map, pfn);

	if (e && e->order == order) {
		take_entry(map, pfn, e, how, met);
		return;
	}
	if (!e)
		e = find_around(map, pfn, order);
	if (!e || e->order < order) {
		take_inside(map, pfn, order, how, met);
		return;
	}
	met->pages += UINT64_C(1) << order;
	met->partial = true;
	split_off(map, e, pfn, order, how);
}

/* The order of the largest aligned block at @pfn within @pages pages. */
static unsigned int piece_order(uint64_t pfn, uint64_t pages)
{
	unsigned int fits = 63 - (unsigned int)__builtin_clzll(pages);
	unsigned int aligned = pfn ? (unsigned int)__builtin_ctzll(pfn) : 63;

	return fits < aligned ? fits : aligned;
}

static struct page_met take(struct page_map *map, uint64_t pfn, unsigned int order,
			    enum how how)
{
	struct page_met met = { 0 };

	map->order = order;
	if (!order) {
		take_aligned(map, pfn, 0, how, &met);
		return met;
	}
	for (uint64_t left = UINT64_C(1) << order; left;) {
		unsigned int k = piece_order(pfn, left);

		take_aligned(map, pfn, k, how, &met);
		pfn += UINT64_C(1) << k;
		left -= UINT64_C(1) << k;
	}
	return met;
}

uint64_t page_nr_sampled(const struct page_map *map, uint64_t pfn, unsigned int order)
{
	uint64_t nr = 0, step = UINT64_C(1) << SAMPLE_ORDER;

	if (map->sample.one_in <= 1 || order <= SAMPLE_ORDER)
		return UINT64_C(1) << order;
	for (uint64_t i = 0; i < UINT64_C(1) << order; i += step)
		nr += page_sampled(map, pfn + i) ? step : 0;
	return nr;
}

/* The chunks of a block that are in the sample, for all of it. */
static uint64_t alloc_sampled(struct page_map *map, uint64_t pfn, unsigned int order,
			      struct page_entry e)
{
	uint64_t pages = page_nr_sampled(map, pfn, order), step = UINT64_C(1) << SAMPLE_ORDER;
	uint64_t stands = pages ? (UINT64_C(1) << order) / pages : 0;

	/* Blocks are aligned; what is not is no kernel's. */
	if (!pages || pfn & (step - 1))
		return 0;
	e.piece = 1;
	e.owner = split_new(map, e.owner, (uint32_t)pages) & PAGETAB_MAX_OWNER;
	map->split[e.owner].stands = (63 - __builtin_clzll(stands)) & 0xf;
	e.order = SAMPLE_ORDER;
	for (uint64_t i = 0; i < UINT64_C(1) << order; i += step) {
		if (page_sampled(map, pfn + i))
			insert(map, pfn + i, e);
	}
	return pages * map->page_size << map->split[e.owner].stands;
}

/* A single page where there is nothing, as nearly all are; false for any other. */
static inline bool alloc_single(struct page_map *map, uint64_t pfn, uint32_t account,
				uint64_t time)
{
	if (find_around(map, pfn, 0))
		return false;
	struct page_entry *e = pagetab_put(&map->table, pfn);

	if (e->order != PAGETAB_ENDED)
		return false;
	*e = page_entry(account_owner(map, account), time);
	return true;
}

uint64_t page_alloc(struct page_map *map, uint64_t pfn, unsigned int order, uint32_t account,
		    uint64_t time)
{
	if (!order && alloc_single(map, pfn, account, time))
		return map->page_size;
	take(map, pfn, order, HOW_OVERLAP);

	uint64_t left = UINT64_C(1) << order;
	struct page_entry e = page_entry(account_owner(map, account), time);

	if (map->sample.one_in > 1 && order > SAMPLE_ORDER)
		return alloc_sampled(map, pfn, order, e);
	if (piece_order(pfn, left) != order) {
		e.piece = 1;
		e.owner = split_new(map, account, (uint32_t)left) & PAGETAB_MAX_OWNER;
	}
	while (left) {
		unsigned int k = piece_order(pfn, left);

		e.order = k & 0xf;
		insert(map, pfn, e);
		pfn += UINT64_C(1) << k;
		left -= UINT64_C(1) << k;
	}
	return map->page_size << order;
}

struct page_met page_free(struct page_map *map, uint64_t pfn, unsigned int order)
{
	return take(map, pfn, order, HOW_FREE);
}

void page_count_pieces(const struct page_map *map)
{
	for (size_t i = 0; i < map->nr_split; i++) {
		const struct page_split *split = &map->split[i];

		if (split->pages && split->single && !split->larger)
			sitetab_pieces(map->sites, split->account,
				       ((uint64_t)split->pages << split->stands) - 1);
	}
}

bool page_is_block(const struct page_map *map, uint64_t pfn, unsigned int order)
{
	const struct page_entry *e = pfn < PAGE_MAX_PFN ? find(map, pfn) : NULL;

	if (!e || map->sample.one_in <= 1 || order <= SAMPLE_ORDER)
		return e && e->order == order && !e->piece;
	return e->piece && e->order == SAMPLE_ORDER &&
	       map->split[e->owner].pages == page_nr_sampled(map, pfn, order);
}

bool page_is_live(const struct page_map *map, uint64_t pfn)
{
	return pfn < PAGE_MAX_PFN && (find(map, pfn) || find_around(map, pfn, 0));
}

bool page_block(const struct page_map *map, uint64_t pfn, unsigned int *ret_order,
		uint32_t *ret_account)
{
	const struct page_entry *e = pfn < PAGE_MAX_PFN ? find(map, pfn) : NULL;

	if (!e || e->piece)
		return false;
	*ret_order = e->order;
	*ret_account = e->owner;
	return true;
}

/* The live piece at @pfn within an aligned block, taken out of what is larger. */
static struct page_entry *single_out(struct page_map *map, uint64_t pfn, unsigned int order)
{
	struct page_entry *e = find(map, pfn);

	if (e && e->order <= order)
		return e;
	if (!e)
		e = find_around(map, pfn, order);
	if (!e)
		return NULL;
	struct page_entry piece = *e;

	if (!piece.piece) {
		piece.owner =
			split_new(map, e->owner, UINT32_C(1) << e->order) & PAGETAB_MAX_OWNER;
		piece.piece = 1;
		e->owner = piece.owner;
		e->piece = 1;
	}
	split_off(map, e, pfn, order, HOW_MOVED);
	piece.order = order & 0xf;
	insert(map, pfn, piece);
	return find(map, pfn);
}

void page_move(struct page_map *map, uint64_t from, uint64_t to, unsigned int order)
{
	take(map, to, order, HOW_FREE);
	single_out(map, from, order);

	uint64_t end = from + (UINT64_C(1) << order);
	struct page_entry *e;

	for (uint64_t pfn = from; (e = pagetab_from(&map->table, &pfn, end)); pfn++) {
		struct page_entry moved = *e;

		page_end(map, pfn, e);
		insert(map, to + (pfn - from), moved);
	}
}

bool page_older(const struct page_map *map, uint64_t pfn, unsigned int order, uint64_t time)
{
	uint64_t end = pfn + (UINT64_C(1) << order);
	const struct page_entry *e;

	for (; (e = pagetab_from(&map->table, &pfn, end)); pfn++)
		if (page_time(e) > time)
			return false;
	return true;
}

uint64_t page_audit(struct page_map *map, const struct audit *audit, uint64_t time)
{
	struct page_met met = { 0 };
	struct page_entry *e;
	uint64_t pfn;

	for (size_t i = 0; (e = pagetab_next(&map->table, &i, &pfn));)
		if (page_time(e) < time && audit_is_free(audit, pfn))
			take_entry(map, pfn, e, HOW_OVERLAP, &met);
	return met.pages;
}

void page_mark_uncertain(struct page_map *map, uint64_t time)
{
	auto_free uint8_t *seen = xcalloc(map->nr_split + 1, 1);

	const struct page_entry *e;
	uint64_t pfn;

	for (size_t i = 0; (e = pagetab_next(&map->table, &i, &pfn));) {
		uint64_t bytes = map->page_size << e->order;

		if (page_time(e) >= time)
			continue;
		if (!e->piece) {
			sitetab_uncertain(map->sites, e->owner, 1, bytes);
			continue;
		}
		sitetab_uncertain(map->sites, map->split[e->owner].account, !seen[e->owner],
				  bytes << map->split[e->owner].stands);
		seen[e->owner] = 1;
	}
}

bool page_next(const struct page_map *map, size_t *pos, struct page_part *ret)
{
	uint64_t pfn;
	const struct page_entry *e = pagetab_next(&map->table, pos, &pfn);

	if (!e)
		return false;
	*ret = (struct page_part){
		.pfn = pfn,
		.account = e->owner,
		.blocks = 1,
		.bytes = map->page_size << e->order,
	};
	if (!e->piece)
		return true;
	const struct page_split *split = &map->split[e->owner];

	ret->account = split->account;
	ret->blocks = (double)(UINT64_C(1) << e->order) / split->pages;
	ret->bytes <<= split->stands;
	ret->split = e->owner + 1;
	ret->stands = split->stands > 0;
	return true;
}

void page_age(const struct page_map *map)
{
	auto_free uint8_t *seen = xcalloc(map->nr_split + 1, 1);
	const struct page_entry *e;
	uint64_t pfn;

	for (size_t i = 0; (e = pagetab_next(&map->table, &i, &pfn));) {
		uint32_t account = e->piece ? map->split[e->owner].account : e->owner;

		if (e->piece && seen[e->owner])
			continue;
		if (e->piece)
			seen[e->owner] = 1;
		sitetab_aged(map->sites, account, page_time(e));
	}
}
