// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/area.h"

void area_init(struct area *area, enum site_kind kind, struct sitetab *sites,
	       struct match_totals *totals)
{
	*area = (struct area){ .kind = kind, .sites = sites, .totals = totals };
	table_init(&area->live, &live_ops);
}

void area_deinit(struct area *area)
{
	table_deinit(&area->live);
}

bool area_alloc(struct area *area, const struct event *ev, uint32_t site, uint64_t time)
{
	if (!ev->addr) {
		sitetab_failure(area->sites, sitetab_account(area->sites, site, ev), ev->ts_ns);
		return false;
	}
	if (ev->bytes_alloc > LIVE_MAX_BYTES || ev->bytes_req > LIVE_MAX_BYTES) {
		area->totals->implausible++;
		return false;
	}
	struct live_obj *o = live_put(&area->live, ev->addr);

	if (o->flags & LIVE_YES)
		sitetab_infer(area->sites, o->account, END_REUSE, 1, o->bytes);
	o->account = sitetab_account(area->sites, site, ev);
	o->flags = LIVE_YES;
	o->bytes = ev->bytes_alloc & LIVE_MAX_BYTES;
	live_set_time(o, time);
	sitetab_alloc(area->sites, o->account, ev->bytes_alloc, ev->bytes_req, ev->ts_ns);
	return true;
}

bool area_free(struct area *area, const struct event *ev)
{
	struct live_obj *o = ev->addr ? live_find(&area->live, ev->addr) : NULL;

	if (!o) {
		area->totals->unknown_frees[area->kind]++;
		return false;
	}
	sitetab_free(area->sites, o->account, 1, o->bytes);
	sitetab_lived(area->sites, o->account, live_time(o), area->sites->now);
	sitetab_remote(area->sites, o->account, ev->cpu);
	live_end(o);
	return true;
}
