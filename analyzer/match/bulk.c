// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/bulk.h"

void bulk_init(struct bulk *bulk, struct page_map *pages, struct slab *slab,
	       struct sitetab *sites, struct match_totals *totals)
{
	*bulk = (struct bulk){
		.pages = pages,
		.slab = slab,
		.sites = sites,
		.totals = totals,
	};
	table_init(&bulk->moves, &live_ops);
}

void bulk_deinit(struct bulk *bulk)
{
	table_deinit(&bulk->moves);
}

bool bulk_page_known(struct bulk *bulk, const struct event *ev)
{
	/*
	 * Live already: it came through the allocator's slow path, which traces it, or
	 * was in the list before the call. Were it a missed free, the new owner would
	 * be an order-0 page too: one of the two sites is wrong by a page then.
	 */
	bool known = page_plausible(ev->addr, 0) && page_is_block(bulk->pages, ev->addr, 0);

	bulk->totals->bulk_pages_known += known;
	return known;
}

void bulk_move(struct bulk *bulk, const struct event *ev, uint64_t time)
{
	if (!page_plausible(ev->addr, 0) || !page_plausible(ev->bytes_req, 0)) {
		bulk->totals->implausible++;
		return;
	}
	struct live_obj *o = live_put(&bulk->moves, ev->addr + 1);

	o->bytes = ev->bytes_req & LIVE_MAX_BYTES;
	o->flags = LIVE_YES;
	live_set_time(o, time);
}

bool bulk_moved(struct bulk *bulk, const struct event *ev)
{
	if (!bulk->moves.nr)
		return false;
	struct live_obj *o = live_find(&bulk->moves, ev->addr + 1);

	if (!o)
		return false;
	uint64_t to = o->bytes, time = live_time(o);

	live_end(o);
	if (!page_plausible(to, ev->order) ||
	    (to | ev->addr) & ((UINT64_C(1) << ev->order) - 1) ||
	    !page_older(bulk->pages, to, ev->order, time))
		return false;
	page_move(bulk->pages, ev->addr, to, ev->order);
	slab_page_moved(bulk->slab, to, ev->order);
	bulk->totals->moved_pages += UINT64_C(1) << ev->order;
	return true;
}

void bulk_rcu_free(struct bulk *bulk, const struct event *ev, uint64_t time)
{
	struct live_obj *o = slab_rcu_free(bulk->slab, ev);

	if (!o)
		return;
	if (!(o->flags & LIVE_RCU))
		sitetab_lived(bulk->sites, o->account, live_time(o), time);
	o->flags |= LIVE_RCU;
	/* It lived until now: no loss before matters to it. */
	live_set_time(o, time);
}

void bulk_finish(struct bulk *bulk, bool silent, uint64_t before)
{
	struct live_obj *o;

	for (size_t i = 0; (o = table_next(&bulk->slab->live, &live_ops, &i));) {
		if (!(o->flags & LIVE_RCU))
			continue;
		if (!silent || live_time(o) >= before) {
			sitetab_pending(bulk->sites, o->account, o->bytes);
			bulk->totals->rcu_pending++;
			bulk->totals->rcu_pending_bytes += o->bytes;
			continue;
		}
		sitetab_infer(bulk->sites, o->account, END_RCU, 1, o->bytes);
		live_end(o);
	}
}
