// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/bounds.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* Standard deviations: one of a thousand sites may lie outside. */
#define SIGMAS 3.0

/* Allocations of a call site come in bursts of at least this size. */
#define LEAST_BURST 2.0

/* Of a call site that was not seen nothing tells of what size they are. */
#define UNSEEN_BURST 4.0

/* What the raw sites of one call site make up; those of the recorder are apart. */
struct place {
	uint64_t group;
	uint32_t site; /* with most allocations */
	uint64_t live, max_bytes, most;
	double burst;
};

/*
 * The most live objects whose allocations were lost, when @live of which the
 * allocations were seen are live: as many for each lost event as there are for
 * each seen one, but either number may have come out high or low. That many
 * bursts are predicted by a negative binomial distribution; this is about where
 * a thousandth of it lies above.
 */
static uint64_t missed(const struct match_totals *totals, double live, double burst)
{
	uint64_t seen = 0;

	for (int kind = 0; kind < NR_EVENT_KINDS; kind++)
		seen += kind == EVENT_LOST ? 0 : totals->events[kind];

	double ratio = (double)totals->lost_estimate / (double)(seen ? seen : 1);
	double mean = ratio * (live / burst + 1);
	double bursts = mean + SIGMAS * sqrt(mean * (1 + ratio)) + SIGMAS * ratio + 1;
	double most = ceil(bursts * burst);

	/* Each of them takes an event of its own. */
	return most < (double)totals->lost_estimate ? (uint64_t)most : totals->lost_estimate;
}

/* Of @live objects, those that a silent free may have ended, by the share of silent frees. */
static uint64_t silently_gone(const struct site *s, uint64_t live)
{
	/* Those that show only when the memory is used anew; of others an event told. */
	uint64_t inferred = s->inferred_frees[END_REUSE] + s->inferred_frees[END_SLAB_PAGE] +
			    s->inferred_frees[END_OVERLAP];
	uint64_t told = s->frees + s->inferred_frees[END_AREA] + s->inferred_frees[END_RCU];

	if (!inferred)
		return 0;
	double gone = (double)live * (double)inferred / (double)(inferred + told);
	double most = ceil(gone + SIGMAS * sqrt(gone));

	return most < (double)live ? (uint64_t)most : live;
}

static void set_lower(struct site *s)
{
	uint64_t calls = s->live - s->uncertain, bytes = s->live_bytes - s->uncertain_bytes;
	uint64_t gone = silently_gone(s, calls);
	uint64_t most =
		gone > bytes / (s->max_bytes ? s->max_bytes : 1) ? bytes : gone * s->max_bytes;

	s->lower = calls - gone;
	s->lower_bytes = s->lower ? bytes - most : 0;
	/* Without doubt in the blocks there is none in their pieces. */
	if (s->lower == s->live)
		s->lower += s->pieces;
	s->upper = s->live + s->pieces;
	s->upper_bytes = s->live_bytes;
}

static int by_group(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->group > y->group) - (x->group < y->group);
}

/* The call sites, sorted and each once. */
static struct place *find_places(const struct sitetab *sites, const uint32_t *group,
				 size_t *ret_nr)
{
	struct place *place = xcalloc(sites->nr + 1, sizeof(*place));
	size_t nr = 0;

	for (size_t i = 0; i < sites->nr; i++) {
		const struct site *s = &sites->site[i];
		uint64_t bursts = s->bursts ? s->bursts : 1;

		place[i] = (struct place){ 2 * (uint64_t)group[i] + s->self,
					   (uint32_t)i,
					   s->live,
					   s->max_bytes,
					   s->allocs,
					   (double)s->allocs / (double)bursts };
	}
	qsort(place, sites->nr, sizeof(*place), by_group);
	for (size_t i = 0; i < sites->nr; i++) {
		struct place *to = nr ? &place[nr - 1] : NULL;

		if (!to || to->group != place[i].group) {
			place[nr++] = place[i];
			continue;
		}
		to->live += place[i].live;
		to->burst = fmax(to->burst, place[i].burst);
		if (place[i].max_bytes > to->max_bytes)
			to->max_bytes = place[i].max_bytes;
		if (place[i].most > to->most) {
			to->most = place[i].most;
			to->site = place[i].site;
		}
	}
	*ret_nr = nr;
	return place;
}

void bounds_set(struct sitetab *sites, const uint32_t *group, struct match_totals *totals)
{
	size_t nr;
	uint64_t largest = 0;

	for (size_t i = 0; i < sites->nr; i++) {
		set_lower(&sites->site[i]);
		if (sites->site[i].max_bytes > largest)
			largest = sites->site[i].max_bytes;
	}
	if (!totals->lost_estimate)
		return;
	auto_free struct place *place = find_places(sites, group, &nr);

	for (size_t i = 0; i < nr; i++) {
		struct site *s = &sites->site[place[i].site];
		uint64_t calls = missed(totals, (double)place[i].live,
					fmax(place[i].burst, LEAST_BURST));

		/* A place that was only ever seen to free makes nothing. */
		if (!place[i].most)
			continue;
		s->upper += calls;
		s->upper_bytes += calls * place[i].max_bytes;
	}
	totals->missed_calls = missed(totals, 0, UNSEEN_BURST);
	totals->missed_bytes = totals->missed_calls * largest;
}
