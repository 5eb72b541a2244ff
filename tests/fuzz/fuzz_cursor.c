// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry: any bytes as the sub-buffers of one CPU. The formats stay,
 * so that this runs some hundred times faster than the whole decoder.
 */
#include <stdlib.h>

#include "decode/cursor.h"
#include "tests/lib/pages.h"

enum { PAGE = 512, HEAD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keeps the reads of the frames. */
static volatile uint64_t sink;

struct feed {
	struct pages_opts opts;
	const uint8_t *data, *end;
	uint8_t *page; /* of exactly PAGE bytes, for the sanitizer */
};

/*
 * A page with a header that holds; the first two bytes choose commit mark and
 * flags, or that a chunk in front is damaged.
 */
static struct err *next_page(void *arg, struct span *ret, uint64_t *ret_damaged)
{
	struct feed *feed = arg;
	size_t left = (size_t)(feed->end - feed->data);

	*ret_damaged = 0;
	*ret = (struct span){ 0 };
	if (left < 2)
		return NULL;

	uint8_t low = feed->data[0], high = feed->data[1];
	size_t len = left - 2 < PAGE - HEAD ? left - 2 : PAGE - HEAD;

	memset(feed->page, 0, PAGE);
	pages_put(&feed->opts, feed->page, 8, 1000);
	pages_put(&feed->opts, feed->page + 8, 8,
		  (uint64_t)low << 1 | (high & 1) | (uint64_t)(high & 0xc0) << 24);
	memcpy(feed->page + HEAD, feed->data + 2, len);
	feed->data += 2 + len;
	*ret_damaged = high & 2 ? low : 0;
	*ret = (struct span){ feed->page, PAGE };
	return NULL;
}

static struct format *formats(bool swap)
{
	static struct format *format[2];

	if (format[swap])
		return format[swap];
	format[swap] = format_new(swap, 8);
	for (int i = 0; i < NR_PAGES_TYPES; i++) {
		const struct pages_format *f = &pages_formats[i];

		if (format_add(format[swap], f->system,
			       (struct span){ (const uint8_t *)f->text, strlen(f->text) }))
			abort();
	}
	return format[swap];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;

	struct feed feed = { .opts = { .big = data[0] & 1 },
			     .data = data + 1,
			     .end = data + size,
			     .page = malloc(PAGE) };
	bool swap = pages_swapped(&feed.opts);
	struct names *names = names_new();
	CLEANUP(cursor_cleanup)
	struct cursor *cursor = cursor_new(&(struct cursor_opts){
		.format = formats(swap),
		.names = names,
		.layout = { .commit_off = 8, .commit_size = 8, .data_off = HEAD, .swap = swap },
		.source = { next_page, &feed },
		.subbuf_size = PAGE,
		.page_size = 4096,
		.nr_cpus = 1,
	});
	const struct event *ev;
	uint64_t sum = 0, events = 0;
	size_t nr;

	do {
		if (cursor_next(cursor, &ev, &nr))
			abort();
		for (size_t i = 0; i < nr; i++) {
			if (ev[i].kind >= NR_EVENT_KINDS || !ev[i].stack != !ev[i].nr_stack)
				abort();
			for (size_t k = 0; k < ev[i].nr_stack; k++)
				sum += ev[i].stack[k];
			events += ev[i].kind != EVENT_LOST;
		}
	} while (nr);

	/* Every event is accounted for; an event may lose only its name. */
	const struct merge_stats *s = cursor_stats(cursor);
	uint64_t told = events + s->skipped + s->stacks;

	sink = sum;
	if (told > s->events || s->events > told + s->malformed)
		abort();
	names_free(names);
	free(feed.page);
	return 0;
}
