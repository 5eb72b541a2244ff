// SPDX-License-Identifier: GPL-2.0-or-later
#include "live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "progress.h"
#include "resolve/cache.h"

struct live {
	struct recorder *recorder;
	struct analysis *analysis;
	struct analyze_opts opts;
	char *input, *cache_dir;
	bool keep;
	uint64_t behind_ns;
};

struct err *live_open(struct recorder *recorder, const struct database_args *args, bool keep,
		      struct live **ret)
{
	CLEANUP(live_cleanup) struct live *live = xcalloc(1, sizeof(*live));

	live->recorder = recorder;
	live->keep = keep;
	live->input = xstrdup(recorder_part(recorder));
	live->cache_dir = args->no_cache ? NULL : cache_default_dir();
	database_analyze_opts(args, live->input, live->cache_dir, &live->opts);
	TRY(analysis_open(&live->opts, true, &live->analysis));
	*ret = take_ptr(live);
	return NULL;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	analysis_close(live->analysis);
	free(live->input);
	free(live->cache_dir);
	free(live);
}

static void forget(struct live *live)
{
	unsigned int cpu;
	uint64_t bytes;

	if (live->keep)
		return;
	for (size_t i = 0; analysis_consumed(live->analysis, i, &cpu, &bytes); i++)
		recorder_forget(live->recorder, cpu, bytes);
}

struct err *live_round(struct live *live)
{
	uint64_t until_ns;

	TRY(recorder_flush(live->recorder, &until_ns));
	TRY(analysis_extend(live->analysis, until_ns));
	forget(live);
	/* The time of events is that of the same clock. */
	live->behind_ns = progress_now_ns() - until_ns;
	return NULL;
}

struct err *live_finish(struct live *live)
{
	TRY(analysis_extend(live->analysis, UINT64_MAX));
	forget(live);
	return NULL;
}

uint64_t live_behind_ns(const struct live *live)
{
	return live->behind_ns;
}

struct analysis *live_analysis(struct live *live)
{
	return live->analysis;
}

struct err *live_write(struct live *live, const char *recording, const char *output)
{
	struct analyze_result result = {};

	TRY(analysis_write(live->analysis, recording, output, &result));
	fprintf(stderr, "%s: %" PRIu64 " events, %" PRIu64 " call site%s\n", output,
		result.events, result.sites, result.sites == 1 ? "" : "s");
	return NULL;
}
