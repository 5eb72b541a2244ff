/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/take.h - takes events, each to those whose it is
 *
 * In:     events in the order of time; one by one, or in runs with their clues
 * Out:    bookings by slab.h, page.h, area.h, vmalloc.h and bulk.h
 * Rules:  (1) what a run does is what its events do one by one
 */
#ifndef MATCH_TAKE_H
#define MATCH_TAKE_H

#include "match/state.h"

void take_event(struct match *m, const struct event *ev);
void take_run(struct match *m, const struct merge_run *run);

/* All figures begin anew: what was taken serves to pair. */
void take_begin_window(struct match *m);

#endif
