// SPDX-License-Identifier: GPL-2.0-or-later
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30, QUIET_NS = 300000000 };

uint64_t progress_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

unsigned int progress_columns(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!isatty(fd))
		return 0;
	if (columns && atoi(columns) > 0)
		return (unsigned int)atoi(columns);
	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return 80;
}

void progress_show(void *arg, const char *stage, double share)
{
	struct progress *progress = arg;
	uint64_t now_ns = progress_now_ns();

	if (!progress->start_ns)
		progress->start_ns = now_ns;
	/* What is done in a blink needs no bar. */
	if (now_ns - progress->start_ns < QUIET_NS || !isatty(STDERR_FILENO))
		return;
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	int filled = (int)(share * BAR);

	fprintf(stderr, "\r\033[K%-10s [%.*s%*s] %3.0f %%", stage, filled,
		"##############################", BAR - filled, "", 100 * share);
	fflush(stderr);
	progress->shown = true;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
