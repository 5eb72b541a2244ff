// SPDX-License-Identifier: GPL-2.0-or-later
#include "window.h"

#include "decode/merge.h"
#include "facts.h"

/* The times of the first and of the last event, which takes reading all of them. */
static struct err *scan_times(const struct tracefile *file, struct names *names,
			      uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	const struct event *ev;

	*ret_start_ns = UINT64_MAX;
	*ret_end_ns = 0;
	TRY(merge_open(file, names, &merge));
	for (;;) {
		TRY(merge_next(merge, &ev));
		if (!ev)
			return NULL;
		if (ev->ts_ns < *ret_start_ns)
			*ret_start_ns = ev->ts_ns;
		if (ev->ts_ns > *ret_end_ns)
			*ret_end_ns = ev->ts_ns;
	}
}

static uint64_t time_ns(struct window_time time, uint64_t start_ns, uint64_t end_ns)
{
	if (time.from_end)
		return end_ns > time.ns + start_ns ? end_ns - time.ns : start_ns;
	return time.ns < UINT64_MAX - start_ns ? start_ns + time.ns : UINT64_MAX;
}

struct err *window_find(struct window_time from, struct window_time to,
			const struct tracefile *file, struct names *names, struct window *ret)
{
	uint64_t start_ns, end_ns;

	*ret = (struct window){};
	if (!from.given && !to.given)
		return NULL;
	if (!facts_times(file, &start_ns, &end_ns))
		TRY(scan_times(file, names, &start_ns, &end_ns));
	if (from.given)
		ret->from_ns = time_ns(from, start_ns, end_ns);
	if (to.given)
		ret->to_ns = time_ns(to, start_ns, end_ns);
	/* 0 is "not asked for". */
	ret->to_ns += to.given && !ret->to_ns;
	if (from.given && to.given && ret->to_ns <= ret->from_ns)
		return err_new(ERR_USAGE, "the window ends before it begins");
	if (start_ns <= end_ns &&
	    (ret->from_ns > end_ns || (to.given && ret->to_ns <= start_ns)))
		return err_new(ERR_USAGE,
			       "nothing is in the window: the recording lasts from 0 to %.3f s",
			       1e-9 * (double)(end_ns - start_ns));
	return NULL;
}
