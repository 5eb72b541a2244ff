// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/tools/evdump.c - prints the merged events of a recording
 *
 *	evdump [-q] FILE
 *
 * One line an event: time, CPU, pid, context, kind, then key=value; stacks as
 * a list. The counts of merge_stats go to stderr; -q prints nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decode/merge.h"

static void print_event(const struct event *ev, const struct names *names)
{
	printf("%" PRIu64 " %u %d %#x %s addr=%#" PRIx64 " site=%#" PRIx64 " req=%" PRIu64
	       " alloc=%" PRIu64 " gfp=%#x order=%u type=%u",
	       ev->ts_ns, ev->cpu, ev->pid, ev->context, event_name(ev->kind), ev->addr,
	       ev->call_site, ev->bytes_req, ev->bytes_alloc, ev->gfp_flags, ev->order,
	       ev->migratetype);
	if (ev->cache)
		printf(" name=%s", names_text(names, ev->cache));
	for (size_t i = 0; i < ev->nr_stack; i++)
		printf("%s%#" PRIx64, i ? "," : " stack=", ev->stack[i]);
	putchar('\n');
}

static struct err *dump(const char *path, bool quiet)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	struct names *names = names_new();
	const struct event *ev;

	TRY(tracefile_open(path, &file));
	TRY(merge_open(file, names, &merge));
	for (;;) {
		TRY(merge_next(merge, &ev));
		if (!ev)
			break;
		if (!quiet)
			print_event(ev, names);
	}

	const struct merge_stats *s = merge_stats(merge);

	fprintf(stderr,
		"events %" PRIu64 " skipped %" PRIu64 " pages %" PRIu64
		" damaged_pages %" PRIu64 " malformed %" PRIu64 " stacks %" PRIu64
		" orphan_stacks %" PRIu64 " backward_steps %" PRIu64 "\n",
		s->events, s->skipped, s->pages, s->damaged_pages, s->malformed, s->stacks,
		s->orphan_stacks, s->backward_steps);
	names_free(names);
	return NULL;
}

int main(int argc, char **argv)
{
	bool quiet = argc == 3 && !strcmp(argv[1], "-q");

	if (argc != 2 + quiet) {
		fprintf(stderr, "usage: evdump [-q] FILE\n");
		return 2;
	}

	auto_err struct err *err = dump(argv[argc - 1], quiet);

	if (err)
		fprintf(stderr, "evdump: %s: %s\n", argv[argc - 1], err_text(err));
	return err != NULL;
}
