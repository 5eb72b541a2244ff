// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/tools/matchstat.c - what the matcher makes of a recording, and how fast
 *
 *	matchstat [-n SITES] FILE
 *
 * Prints the totals, the raw sites that hold most, and events per CPU second of
 * merging with and without matching. Addresses are not resolved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "decode/merge.h"
#include "match/match.h"

static const char *const kind_name[NR_SITE_KINDS] = { "slab", "page", "percpu", "vmalloc" };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* All of @path through @match, or through the merge only. */
static struct err *feed(const char *path, struct match *match, uint64_t *ret_events)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	struct names *names = names_new();
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	uint64_t nr = 0;
	struct err *err = tracefile_open(path, &file);

	if (!err)
		err = merge_open(file, names, &merge);
	struct merge_run run;

	while (!err && !(err = merge_next_run(merge, &run)) && run.nr) {
		nr += run.nr;
		if (match)
			match_run(match, &run);
	}
	names_free(names);
	*ret_events = nr;
	return err;
}

static int by_live_bytes(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return (x->live_bytes < y->live_bytes) - (x->live_bytes > y->live_bytes);
}

static void print_totals(const struct match *match)
{
	const struct match_totals *t = match_totals(match);
	struct site sum[NR_SITE_KINDS] = { 0 };
	size_t nr;
	const struct site *s = match_sites(match, &nr);

	printf("sites %zu, stacks %zu, %.3f s\n", nr, stacks_count(match_stacks(match)),
	       (double)(t->last_ns - t->first_ns) / 1e9);
	printf("lost: gaps %lu, counted %lu, uncounted gaps %lu, damaged bytes %lu\n",
	       t->lost_gaps, t->lost_counted, t->lost_uncounted_gaps, t->damaged_bytes);
	printf("null frees %lu, duplicates %lu, large kmalloc blocks %lu, partial page frees "
	       "%lu\n",
	       t->null_frees, t->duplicate_kmallocs, t->large_kmalloc_blocks,
	       t->partial_page_frees);
	printf("cross-type frees %lu, skewed frees %lu, implausible %lu\n", t->cross_type_frees,
	       t->skewed_frees, t->implausible);
	printf("base %#lx: votes %lu, dissent %lu\n", t->page_offset_base, t->page_offset_votes,
	       t->page_offset_dissent);
	for (size_t i = 0; i < nr; i++) {
		struct site *k = &sum[s[i].kind];

		k->allocs += s[i].allocs;
		k->frees += s[i].frees;
		k->live += s[i].live;
		k->live_bytes += s[i].live_bytes;
		k->failures += s[i].failures;
		k->missing_stacks += s[i].missing_stacks;
		for (int r = 0; r < NR_END_RULES; r++)
			k->inferred_frees[r] += s[i].inferred_frees[r];
	}
	for (int k = 0; k < NR_SITE_KINDS; k++)
		printf("%-8s allocs %lu, frees %lu, by reuse %lu, by slab page %lu, by overlap "
		       "%lu, "
		       "live %lu (%lu bytes), unknown frees %lu (%lu bytes), failures %lu, "
		       "no stack %lu\n",
		       kind_name[k], sum[k].allocs, sum[k].frees,
		       sum[k].inferred_frees[END_REUSE], sum[k].inferred_frees[END_SLAB_PAGE],
		       sum[k].inferred_frees[END_OVERLAP], sum[k].live, sum[k].live_bytes,
		       t->unknown_frees[k], t->unknown_free_bytes[k], sum[k].failures,
		       sum[k].missing_stacks);
}

static void print_sites(const struct match *match, size_t top)
{
	size_t nr, nr_frames;
	const struct site *s = match_sites(match, &nr);
	struct site *sorted = malloc((nr + 1) * sizeof(*s));

	if (!sorted)
		return;
	memcpy(sorted, s, nr * sizeof(*s));
	qsort(sorted, nr, sizeof(*s), by_live_bytes);
	for (size_t i = 0; i < nr && i < top; i++) {
		s = &sorted[i];

		const uint64_t *frame =
			stacks_frames(match_stacks(match), s->stack, &nr_frames);

		printf("%12lu %8lu %-8s allocs %lu frees %lu reuse %lu page %lu overlap %lu at",
		       s->live_bytes, s->live, kind_name[s->kind], s->allocs, s->frees,
		       s->inferred_frees[END_REUSE], s->inferred_frees[END_SLAB_PAGE],
		       s->inferred_frees[END_OVERLAP]);
		if (!nr_frames)
			printf(" %#lx", s->call_site);
		for (size_t k = 0; k < nr_frames && k < 8; k++)
			printf(" %#lx", frame[k]);
		putchar('\n');
	}
	free(sorted);
}

int main(int argc, char **argv)
{
	size_t top = 20;

	if (argc == 4 && !strcmp(argv[1], "-n")) {
		top = strtoul(argv[2], NULL, 0);
	} else if (argc != 2) {
		fputs("usage: matchstat [-n SITES] FILE\n", stderr);
		return 2;
	}
	const char *path = argv[argc - 1];
	const struct match_opts opts = { .page_size = 4096 };
	CLEANUP(match_cleanup) struct match *match = match_new(&opts);
	uint64_t nr;
	double start = seconds();
	auto_err struct err *err = feed(path, NULL, &nr);
	double merged = seconds() - start;

	if (!err) {
		start = seconds();
		err = feed(path, match, &nr);
	}
	if (err) {
		fprintf(stderr, "matchstat: %s\n", err_text(err));
		return 1;
	}
	match_finish(match);

	double both = seconds() - start;
	struct rusage usage;

	print_totals(match);
	print_sites(match, top);
	getrusage(RUSAGE_SELF, &usage);
	printf("%lu events: merge %.1f M/s, merge and match %.1f M/s, peak RSS %ld KiB\n", nr,
	       (double)nr / merged / 1e6, (double)nr / both / 1e6, usage.ru_maxrss);
	return 0;
}
