/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/relay.h - a call's arguments at its return, where a probe forgets them
 *
 * In:     an instance, and a probe of returns that names arguments
 * Out:    an event of the same name and fields, made of a probe of the call, one of
 *         the return, a histogram that brings them together by task and CPU, and a
 *         probe of what that tells
 * Use:    relay_make; relay_clear before the instance is removed
 * Rules:  (1) a call whose return comes on another CPU, or in which an interrupt makes
 *             the same call, is not told; none is told with another's arguments
 *         (2) the histogram has room for so many pairs of task and CPU; what
 *             finds none is counted
 * Theory: Documentation/design/recording.md
 */
#ifndef CAPTURE_RELAY_H
#define CAPTURE_RELAY_H

#include <stdint.h>

#include "capture/probetab.h"

enum { RELAYS = 4 };

struct relays {
	/* Functions that have one, and the probe it was made for, which names its parts. */
	struct {
		const char *function, *event;
	} v[RELAYS];
	size_t nr;
};

/* Whether the kernel takes it; what an attempt leaves goes as the group does. */
bool relay_make(struct relays *relays, const char *tracedir, const char *instance,
		const char *group, const struct probe *probe, const char *function,
		const char *args);

/* How many calls the histograms of @instance had no room for. */
uint64_t relay_dropped(const char *instance);

/* Histograms keep their instance from being removed. */
void relay_clear(const char *instance);

#endif
