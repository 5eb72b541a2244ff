/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/area.h - percpu and vmap areas: one address, one area
 *
 * In:     the events of one kind of area
 * Out:    bookings on the sites: rules 1 to 3, in a key space of their own
 */
#ifndef MATCH_AREA_H
#define MATCH_AREA_H

#include "decode/event.h"
#include "match/live.h"
#include "match/match.h"
#include "match/sitetab.h"

struct area {
	struct table live; /* of struct live_obj */
	enum site_kind kind;
	struct sitetab *sites;
	struct match_totals *totals;
};

void area_init(struct area *area, enum site_kind kind, struct sitetab *sites,
	       struct match_totals *totals);
void area_deinit(struct area *area);

/* @site is an index: by return address or stack, as the kind has it. */
/* False when there is no area: it failed, or cannot be. */
bool area_alloc(struct area *area, const struct event *ev, uint32_t site, uint64_t time);
/* False when it was not known. */
bool area_free(struct area *area, const struct event *ev);

#endif
