// SPDX-License-Identifier: GPL-2.0-or-later
#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

/* Some 1.5 KB; twice as much on machines with every option. */
#define MEMINFO_MAX 16384

/* 64M is a size, 64 and 5m are times. */
static struct err *parse_rotate(const char *text, struct recorder_opts *ret)
{
	size_t len = strlen(text);
	bool is_size = len && strchr("kKMGT", text[len - 1]);

	if (is_size ? opt_size(text, &ret->rotate_bytes) && ret->rotate_bytes
		    : opt_seconds(text, &ret->rotate_ns) && ret->rotate_ns)
		return NULL;
	return err_new(ERR_USAGE,
		       "--rotate %s: neither a size such as 512M nor a time such as 60 or 5m",
		       text);
}

static struct err *open_triggers(const struct opt_list *list, struct flight *flight)
{
	uint64_t v;

	flight->trigger = xcalloc(list->nr + 1, sizeof(*flight->trigger));
	flight->meminfo = xcalloc(1, MEMINFO_MAX);
	for (size_t i = 0; i < list->nr; i++)
		TRY(err_wrap(trigger_parse(list->item[i], &flight->trigger[i]), "--trigger"));
	flight->nr_triggers = list->nr;
	if (!list->nr)
		return NULL;
	flight->meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = flight->meminfo_fd < 0
			    ? -1
			    : pread(flight->meminfo_fd, flight->meminfo, MEMINFO_MAX, 0);

	if (n < 0)
		return err_os(errno, "/proc/meminfo");
	for (size_t i = 0; i < list->nr; i++)
		if (!trigger_value(&flight->trigger[i],
				   (struct span){ (const uint8_t *)flight->meminfo, (size_t)n },
				   &v))
			return err_new(ERR_USAGE,
				       "--trigger %s: /proc/meminfo has no such field",
				       list->item[i]);
	return NULL;
}

struct err *flight_open(const struct flight_args *args, struct recorder_opts *recorder,
			struct flight *ret)
{
	*ret = (struct flight){ .meminfo_fd = -1, .several = args->rotate || args->window_ns };
	if (args->rotate && args->window_ns)
		return err_new(ERR_USAGE, "--rotate and --flight do not go together");
	if (args->triggers.nr && !args->window_ns)
		return err_new(ERR_USAGE,
			       "--trigger says when to write the window of --flight");
	if (args->rotate)
		TRY(parse_rotate(args->rotate, recorder));
	recorder->flight_ns = args->window_ns;
	struct err *err = open_triggers(&args->triggers, ret);

	if (err)
		flight_close(ret);
	return err;
}

void flight_close(struct flight *flight)
{
	if (flight->meminfo_fd >= 0)
		close(flight->meminfo_fd);
	free(flight->trigger);
	free(flight->meminfo);
	*flight = (struct flight){ .meminfo_fd = -1 };
}

const char *flight_trigger(struct flight *flight)
{
	const char *fired = NULL;

	if (!flight->nr_triggers)
		return NULL;
	ssize_t n = pread(flight->meminfo_fd, flight->meminfo, MEMINFO_MAX, 0);

	if (n < 0)
		return NULL;
	for (size_t i = 0; i < flight->nr_triggers; i++)
		if (trigger_fires(&flight->trigger[i],
				  (struct span){ (const uint8_t *)flight->meminfo, (size_t)n }))
			fired = flight->trigger[i].text;
	return fired;
}

void flight_report(struct recorder *recorder, bool terminal)
{
	struct err *err;
	uint64_t bytes;
	char *path;

	while (recorder_written(recorder, &path, &bytes, &err)) {
		const char *start = terminal ? "\r\033[K" : "";

		if (err)
			fprintf(stderr, "%sallocprof record: %s: %s\n", start, path,
				err_text(err));
		else
			fprintf(stderr, "%s[ allocprof record: %.1f MB -> %s ]\n", start,
				(double)bytes / 1e6, path);
		free(path);
		err_free(err);
	}
}
