/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.h - a bar on stderr while something takes long, if it is a terminal
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;
	uint64_t start_ns;
};

/* For analyze_opts: @arg is a struct progress, first all zero. */
void progress_show(void *arg, const char *stage, double share);

/* Wipes the bar. */
void progress_end(struct progress *progress);

/* A clock for durations. */
uint64_t progress_now_ns(void);

/* Columns of the terminal on @fd; 0 if it is none. COLUMNS has the last word. */
unsigned int progress_columns(int fd);

#endif
