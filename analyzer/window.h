/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window.h - the part of a recording that a user asks for
 *
 * In:     times as users give them, from the start or back from the end
 * Out:    times by the clock of the events
 * Rules:  (1) a window that has nothing of the recording in it is an error
 */
#ifndef WINDOW_H
#define WINDOW_H

#include "decode/names.h"
#include "decode/tracefile.h"

/* A time in a recording. */
struct window_time {
	bool given;
	bool from_end; /* counted back from the end, not on from the start */
	uint64_t ns;
};

struct window {
	uint64_t from_ns, to_ns; /* 0: not asked for */
};

/* Reads all events where the recording does not tell its times. @names is for that. */
struct err *window_find(struct window_time from, struct window_time to,
			const struct tracefile *file, struct names *names,
			struct window *ret) MUST_CHECK;

#endif
