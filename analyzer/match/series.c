// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/series.h"

#include <stdlib.h>

#include "base/xalloc.h"

void series_init(struct series *series)
{
	*series = (struct series){ .width_ns = SERIES_MIN_NS };
}

void series_deinit(struct series *series)
{
	free(series->entry);
	*series = (struct series){ 0 };
}

void series_start(struct series *series, uint64_t ts_ns)
{
	series->nr = 0;
	series->width_ns = SERIES_MIN_NS;
	series->start_ns = ts_ns;
	series->bucket = 0;
	series->end_ns = ts_ns + SERIES_MIN_NS;
}

/* Of two entries that come to lie in one bucket the later one holds. */
static void fold(struct series *series, char *mark, size_t stride, size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		struct series_mark *m = (struct series_mark *)(mark + i * stride);

		*m = (struct series_mark){ .bucket = m->bucket / 2 };
	}
	for (size_t i = 0; i < series->nr; i++) {
		struct series_entry e = series->entry[i];
		uint32_t *last = &((struct series_mark *)(mark + e.site * stride))->entry;

		e.bucket /= 2;
		e.before = *last;
		if (*last && series->entry[*last - 1].bucket == e.bucket) {
			e.before = series->entry[*last - 1].before;
			series->entry[*last - 1] = e;
			continue;
		}
		series->entry[kept++] = e;
		*last = (uint32_t)kept;
	}
	series->nr = kept;
	series->width_ns *= 2;
}

void series_advance(struct series *series, uint64_t ts_ns, void *mark, size_t stride, size_t nr)
{
	uint64_t since = ts_ns - series->start_ns;

	while (since / series->width_ns >= SERIES_BUCKETS)
		fold(series, mark, stride, nr);
	series->bucket = (uint32_t)(since / series->width_ns);

	uint64_t left = series->width_ns - since % series->width_ns;

	series->end_ns = ts_ns < UINT64_MAX - left ? ts_ns + left : UINT64_MAX;
}

void series_close(struct series *series, struct series_mark *mark, struct series_entry e)
{
	struct series_entry *last = mark->entry ? &series->entry[mark->entry - 1] : NULL;

	e.bucket = mark->bucket;
	e.before = mark->entry;
	if (last && last->bucket == e.bucket) {
		e.before = last->before;
		*last = e;
		return;
	}
	vec_room(series->entry, series->nr, series->cap);
	series->entry[series->nr++] = e;
	mark->entry = (uint32_t)series->nr;
}

void series_take_back(struct series *series, const struct series_mark *mark, uint64_t ts_ns,
		      uint64_t bytes)
{
	uint64_t since = ts_ns > series->start_ns ? ts_ns - series->start_ns : 0;
	uint64_t bucket = since / series->width_ns;

	for (uint32_t at = mark->entry; at; at = series->entry[at - 1].before) {
		struct series_entry *e = &series->entry[at - 1];

		if (e->bucket < bucket)
			break;
		e->live--;
		e->live_bytes -= bytes;
		e->allocs--;
		e->alloc_bytes -= bytes;
	}
}
