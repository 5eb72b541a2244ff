/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/bulk.h - what only probes see: pages in bulk, pages that move, RCU's word
 *
 * In:     PAGE_BULK, PAGE_MOVE and RCU_FREE events; page frees that follow a move
 * Out:    bookings on the sites: rules 4, 5, 12 and 13
 * Rules:  (1) a page or object is counted once, whether a tracepoint tells it too
 *             or not
 *         (2) 24 bytes a move that its free has not followed yet
 */
#ifndef MATCH_BULK_H
#define MATCH_BULK_H

#include "match/live.h"
#include "match/match.h"
#include "match/page.h"
#include "match/slab.h"

struct bulk {
	struct table moves; /* of struct live_obj: old pfn + 1, new pfn as bytes */
	struct page_map *pages;
	struct slab *slab;
	struct sitetab *sites;
	struct match_totals *totals;
};

void bulk_init(struct bulk *bulk, struct page_map *pages, struct slab *slab,
	       struct sitetab *sites, struct match_totals *totals);
void bulk_deinit(struct bulk *bulk);

/* True when the page that alloc_pages_bulk handed out is booked already. */
bool bulk_page_known(struct bulk *bulk, const struct event *ev);

/* A folio's content goes elsewhere; its site goes along when the old place is freed. */
void bulk_move(struct bulk *bulk, const struct event *ev, uint64_t time);
/* True when the page free @ev ends such a move; then it is no free of its site's. */
bool bulk_moved(struct bulk *bulk, const struct event *ev);

/* The object at ev->addr is to be freed after a grace period. */
void bulk_rcu_free(struct bulk *bulk, const struct event *ev, uint64_t time);

/*
 * Books what RCU has not been seen to free: as pending, or as freed when
 * @silent says that no event tells, and the call is longer ago than @before.
 */
void bulk_finish(struct bulk *bulk, bool silent, uint64_t before);

#endif
