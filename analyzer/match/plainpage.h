/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/plainpage.h - page events of which nothing is to be asked but the table
 *
 * Nearly all page events are plain: an allocation of one page where nothing lives, from a
 * place that does not lead to vmalloc; a free of a whole block that lives.
 *
 * In:     EVENT_PAGE_ALLOC, EVENT_PAGE_FREE, with the event at hand in the sites
 * Out:    what take.c does of them otherwise. False, with nothing done, where the
 *         event is not plain after all
 */
#ifndef MATCH_PLAINPAGE_H
#define MATCH_PLAINPAGE_H

#include "match/state.h"

TABLE_INLINE bool plainpage_alloc(struct match *m, const struct event *ev)
{
	struct sitetab *tab = &m->sites;
	struct page_map *map = &m->pages;
	uint32_t account = tab->hint ? tab->hint->plain : SITETAB_NONE;

	/* No account that there is room for has the number SITETAB_NONE. */
	if (account > map->max_owner || ev->order || ev->addr >= PAGE_MAX_PFN || m->chosen)
		return false;
	const struct pagetab_group *g = pagetab_group(&map->table, ev->addr / PAGETAB_FRAMES);
	struct page_entry *e = pagetab_entry(&map->table, g, ev->addr);

	if (!e || e->order != PAGETAB_ENDED || page_may_be_around(map, g, ev->addr))
		return false;
	oldpage_touch(&m->old_pages, ev->addr, 0);
	slab_page_alloc(&m->slab, ev);
	map->table.nr_dead--;
	*e = page_entry(account, tab->now);
	sitetab_add_to(tab, &tab->accounts.account[account], SITE_PAGE, 1, 1, map->page_size,
		       map->page_size, ev->ts_ns, tab->clock_ns);
	return true;
}

TABLE_INLINE bool plainpage_free(struct match *m, const struct event *ev)
{
	struct sitetab *tab = &m->sites;
	struct page_map *map = &m->pages;

	if (!page_plausible(ev->addr, ev->order) || m->chosen || m->bulk.moves.nr)
		return false;
	struct page_entry *e = pagetab_seek(&map->table, ev->addr);

	if (!e || e->order != ev->order || e->piece || sitetab_is_older(tab, e->owner))
		return false;
	oldpage_touch(&m->old_pages, ev->addr, ev->order);
	if (slab_page_free(&m->slab, ev))
		slab_block_free(&m->slab, ev);
	sitetab_free_page(tab, e->owner, ev, map->page_size << ev->order, page_time(e),
			  tab->now);
	page_end(map, ev->addr, e);
	return true;
}

#endif
