/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/onecpu.h - one CPU's recording, built in memory, through a cursor
 *
 *	ONECPU(rig, .big = true);
 *	struct pages *p = onecpu_page(rig, 1000);
 *	...			fill p: tests/lib/pages.h
 *	const struct event *ev = onecpu_run(rig);
 *
 * The formats are pages_formats[]; the CPU is number 3 of 4.
 */
#ifndef TESTS_LIB_ONECPU_H
#define TESTS_LIB_ONECPU_H

#include "decode/cursor.h"
#include "tests/lib/pages.h"

enum { ONECPU_MAX_PAGES = 400 };

struct onecpu {
	struct pages_opts opts;
	struct pages page[ONECPU_MAX_PAGES];
	size_t nr, next;
	uint64_t damaged[ONECPU_MAX_PAGES + 1]; /* reported in front of a page */
	bool fails;				/* the next page is an error */

	struct format *format;
	struct names *names;
	struct cursor *cursor;
	struct event *event; /* all of them, with copies of their stacks */
	size_t nr_events;
};

struct onecpu *onecpu_new(const struct pages_opts *opts);
void onecpu_free(struct onecpu *rig);
DEFINE_CLEANUP(struct onecpu *, onecpu, onecpu_free)

#define ONECPU(rig, ...)        \
	CLEANUP(onecpu_cleanup) \
	struct onecpu *rig = onecpu_new(&(struct pages_opts){ __VA_ARGS__ })

/* Replaces the formats by those of @text, of a machine of such longs. */
void onecpu_formats(struct onecpu *rig, unsigned int long_size,
		    const struct pages_format *format, size_t nr);

/* One page more, to be filled. */
struct pages *onecpu_page(struct onecpu *rig, uint64_t base_ts);

/* Opens the cursor, for tests that pull from it themselves. */
void onecpu_start(struct onecpu *rig);

/* Runs all pages through; the events are owned by @rig. */
const struct event *onecpu_run(struct onecpu *rig);

const struct merge_stats *onecpu_stats(const struct onecpu *rig);

#endif
