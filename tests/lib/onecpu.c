// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/onecpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

static void must(struct err *err)
{
	if (!err)
		return;
	fprintf(stderr, "onecpu: %s\n", err_text(err));
	abort();
}

static struct err *feed(void *arg, struct span *ret, uint64_t *ret_damaged)
{
	struct onecpu *rig = arg;

	if (rig->fails)
		return err_new(ERR_FORMAT, "the container contradicts itself");
	*ret_damaged = rig->damaged[rig->next];
	rig->damaged[rig->next] = 0;
	*ret = (struct span){ 0 };
	if (rig->next < rig->nr)
		*ret = pages_end(&rig->page[rig->next++]);
	return NULL;
}

void onecpu_formats(struct onecpu *rig, unsigned int long_size,
		    const struct pages_format *format, size_t nr)
{
	format_free(rig->format);
	rig->format = format_new(pages_swapped(&rig->opts), long_size);
	for (size_t i = 0; i < nr; i++)
		must(format_add(rig->format, format[i].system,
				(struct span){ (const uint8_t *)format[i].text,
					       strlen(format[i].text) }));
}

struct onecpu *onecpu_new(const struct pages_opts *opts)
{
	struct onecpu *rig = xcalloc(1, sizeof(*rig));

	rig->opts = *opts;
	rig->names = names_new();
	onecpu_formats(rig, 8, pages_formats, NR_PAGES_TYPES);
	return rig;
}

void onecpu_free(struct onecpu *rig)
{
	for (size_t i = 0; i < rig->nr; i++)
		pages_free(&rig->page[i]);
	for (size_t i = 0; i < rig->nr_events; i++)
		free((void *)(uintptr_t)rig->event[i].stack);
	free(rig->event);
	cursor_free(rig->cursor);
	format_free(rig->format);
	names_free(rig->names);
	free(rig);
}

struct pages *onecpu_page(struct onecpu *rig, uint64_t base_ts)
{
	if (rig->nr == ONECPU_MAX_PAGES)
		abort();
	pages_begin(&rig->page[rig->nr], &rig->opts, base_ts);
	return &rig->page[rig->nr++];
}

void onecpu_start(struct onecpu *rig)
{
	struct cursor_opts opts = { .format = rig->format,
				    .names = rig->names,
				    .source = { feed, rig },
				    .subbuf_size = 4096,
				    .page_size = 4096,
				    .nr_cpus = 4,
				    .cpu = 3 };

	must(subbuf_layout_parse(pages_header(&rig->opts), pages_swapped(&rig->opts),
				 &opts.layout));
	rig->cursor = cursor_new(&opts);
}

/* Copies, because the cursor only lends. */
static void keep(struct onecpu *rig, const struct event *ev)
{
	uint64_t *stack = NULL;

	if (!ev->stack != !ev->nr_stack)
		abort();
	if (ev->stack) {
		stack = xreallocarray(NULL, ev->nr_stack, sizeof(*stack));
		memcpy(stack, ev->stack, ev->nr_stack * sizeof(*stack));
	}
	rig->event[rig->nr_events] = *ev;
	rig->event[rig->nr_events++].stack = stack;
}

const struct event *onecpu_run(struct onecpu *rig)
{
	const struct event *ev;
	size_t nr;

	onecpu_start(rig);
	do {
		must(cursor_next(rig->cursor, &ev, &nr));
		rig->event = xreallocarray(rig->event, rig->nr_events + nr + 1, sizeof(*ev));
		for (size_t i = 0; i < nr; i++)
			keep(rig, &ev[i]);
	} while (nr);
	/* The end stays the end. */
	must(cursor_next(rig->cursor, &ev, &nr));
	if (nr)
		abort();
	return rig->event;
}

const struct merge_stats *onecpu_stats(const struct onecpu *rig)
{
	return cursor_stats(rig->cursor);
}
