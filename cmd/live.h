/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h - the analysis of a recording at work
 *
 * Its events are matched as they come: from time to time all that is in the buffers
 * is moved to FILE.part/, read there, and its room given back.
 */
#ifndef LIVE_H
#define LIVE_H

#include "analyze.h"
#include "capture/recorder.h"
#include "database.h"

struct live;

/* Between recorder_open() and recorder_start(). @keep: the events are to stay. */
struct err *live_open(struct recorder *recorder, const struct database_args *args, bool keep,
		      struct live **ret) MUST_CHECK;
void live_close(struct live *live);
DEFINE_CLEANUP(struct live *, live, live_close)

/* All that was recorded by now; costs what the events since the last one cost. */
struct err *live_round(struct live *live) MUST_CHECK;
/* The rest, after recorder_stop(). */
struct err *live_finish(struct live *live) MUST_CHECK;

/* How far behind the analysis was when the last round was done. */
uint64_t live_behind_ns(const struct live *live);

struct analysis *live_analysis(struct live *live);

/* As analysis_write(); says in a line on stderr what came out. */
struct err *live_write(struct live *live, const char *recording, const char *output) MUST_CHECK;

#endif
