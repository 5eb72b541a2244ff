/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/plain.h - slab events of which nothing is to be asked but the table
 *
 * Nearly all slab events are plain: an allocation at an address where nothing lives,
 * for an account that is known; a free of what does. They are short enough to be a part
 * of the loop over events.
 *
 * In:     events of class CLUE_ALLOC and CLUE_FREE, unsampled, once the poll of offset.h
 *         is closed; pages of 4 KiB or more
 * Out:    what slab_alloc() and slab_free() do of them. False, with nothing done, where
 *         the event is not plain after all
 */
#ifndef MATCH_PLAIN_H
#define MATCH_PLAIN_H

#include "match/slab.h"

/* For @account, which may be SITETAB_NONE; @hash is that of the address. */
TABLE_INLINE bool plain_alloc(struct slab *slab, const struct event *ev, uint32_t account,
			      uint32_t hash, uint64_t now, uint64_t clock_ns)
{
	struct sitetab *tab = slab->sites;

	if (__builtin_expect(account == SITETAB_NONE, 0))
		return false;
	struct live_obj *o = table_seek_at(&slab->live, &live_ops, ev->addr, hash);

	if (__builtin_expect(o->flags & LIVE_YES, 0))
		return false;
	if (!o->key) {
		if (__builtin_expect(slab->live.nr >= slab->live.limit, 0))
			return false;
		slab->live.nr++;
	}
	unsigned int paged = o->flags & LIVE_PAGED;

	if (__builtin_expect(!paged || o->bytes != ev->bytes_alloc, 0))
		paged = slabpage_add(&slab->pages, ev->addr, ev->bytes_alloc) ? LIVE_PAGED : 0;
	o->key = ev->addr;
	o->account = account;
	live_set(o, ev->bytes_alloc, now,
		 LIVE_YES | (ev->kind == EVENT_KMALLOC ? 0U : LIVE_CACHE) | paged);

	/* The cache is a part of the place, and was told as the account was found. */
	sitetab_add_to(tab, &tab->accounts.account[account], SITE_SLAB, 1, 1, ev->bytes_alloc,
		       ev->bytes_req, ev->ts_ns, clock_ns);
	sitetab_near_alloc(tab, ev);
	return true;
}

TABLE_INLINE bool plain_free(struct slab *slab, const struct event *ev, uint32_t hash,
			     uint64_t now)
{
	struct sitetab *tab = slab->sites;
	struct live_obj *o = table_seek_at(&slab->live, &live_ops, ev->addr, hash);

	if (__builtin_expect((o->flags & (LIVE_YES | LIVE_TWIN | LIVE_RCU)) != LIVE_YES ||
				     ev->ts_ns <= slab->skew_until_ns ||
				     slab->vmalloc->nr_unknown,
			     0))
		return false;
	uint32_t account = o->account;

	if (__builtin_expect(sitetab_is_older(tab, account), 0))
		return false;
	uint64_t bytes = o->bytes;

	slab->totals->cross_type_frees +=
		(ev->kind == EVENT_CACHE_FREE) != !!(o->flags & LIVE_CACHE);
	uint32_t site = sitetab_free_slab(tab, account, ev, 1, bytes, live_time(o), now, false);

	/* Which cache the site's objects are from is known when the flow is. */
	if (__builtin_expect(!flow_add(&slab->flows, ev->call_site, ev->cache, site, bytes), 0))
		sitetab_cache(tab, site, ev->cache);
	live_end(o);
	return true;
}

#endif
