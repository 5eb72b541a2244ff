// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "match/live.h"

/* Standard errors: as in bounds.c. */
#define SIGMAS 3.0

/* See variance(). What they give is in Documentation/design/sampling.md. */
#define MORE_CHUNKS   4.0
#define ENOUGH_CHUNKS 64.0
#define LEAST_SHARE   64.0

/* Of blocks that are larger than a chunk, each is one by itself. */
#define LARGE (UINT64_C(1) << 63)
/* What has no cell of its own shares one with the rest of its site. */
#define REST  UINT64_MAX

void sample_init(struct sample *s, const struct sample_rate *rate, uint32_t page_size)
{
	*s = (struct sample){
		.rate = *rate,
		.page_shift = (unsigned int)__builtin_ctz(page_size),
		.nr_slots = 1024,
		.secret = hash_secret(),
	};
	if (rate->one_in > 1)
		s->cell = xcalloc(s->nr_slots, sizeof(*s->cell));
}

void sample_deinit(struct sample *s)
{
	free(s->cell);
	s->cell = NULL;
}

static bool has_chunk(const struct sample *s, uint64_t chunk)
{
	return (chunk & (s->rate.one_in - 1)) == s->rate.chunk;
}

static bool has_block(const struct sample *s, uint64_t pfn, unsigned int order)
{
	uint64_t chunk = pfn >> SAMPLE_ORDER;
	uint64_t nr = order > SAMPLE_ORDER ? UINT64_C(1) << (order - SAMPLE_ORDER) : 1;

	/* From the first chunk of the block to the next one that is in the sample. */
	return ((s->rate.chunk - chunk) & (s->rate.one_in - 1)) < nr;
}

bool sample_has(const struct sample *s, const struct event *ev)
{
	if (s->rate.one_in <= 1)
		return true;
	enum event_space space = event_space(ev->kind);

	/* Nothing was allocated, which is always recorded. */
	if (space == EVENT_SPACE_SLAB)
		return ev->addr <= 16 ||
		       has_chunk(s, ev->addr >> (s->page_shift + SAMPLE_ORDER));
	if (space != EVENT_SPACE_PAGE)
		return true;
	/* Its order is not known. What leaves the sample counts as freed. */
	if (ev->kind == EVENT_PAGE_MOVE)
		return has_chunk(s, (ev->addr >> SAMPLE_ORDER) -
					    (ev->bytes_req >> SAMPLE_ORDER) + s->rate.chunk) &&
		       (has_chunk(s, ev->addr >> SAMPLE_ORDER) ||
			!(ev->addr & ((UINT64_C(2) << SAMPLE_ORDER) - 1)));
	return ev->addr == EVENT_PFN_NONE || has_block(s, ev->addr, ev->order);
}

uint32_t sample_weight(const struct sample *s, const struct event *ev)
{
	if (s->rate.one_in <= 1)
		return 1;
	enum event_space space = event_space(ev->kind);

	if (space == EVENT_SPACE_SLAB)
		return s->rate.one_in;
	if (space != EVENT_SPACE_PAGE || ev->kind == EVENT_PAGE_MOVE)
		return 1;
	unsigned int larger = ev->order > SAMPLE_ORDER ? ev->order - SAMPLE_ORDER : 0;

	return s->rate.one_in >> larger ? s->rate.one_in >> larger : 1;
}

static struct sample_cell *seek(const struct sample *s, uint32_t site, uint64_t chunk)
{
	size_t i = hash_word(s->secret, hash_of(s->secret, chunk) ^ site) & (s->nr_slots - 1);

	while (s->cell[i].site && (s->cell[i].site != site + 1 || s->cell[i].chunk != chunk))
		i = (i + 1) & (s->nr_slots - 1);
	return &s->cell[i];
}

static void grow(struct sample *s)
{
	struct sample_cell *old = s->cell;
	size_t nr = s->nr_slots;

	s->nr_slots *= 2;
	s->cell = xcalloc(s->nr_slots, sizeof(*s->cell));
	for (size_t i = 0; i < nr; i++)
		if (old[i].site)
			*seek(s, old[i].site - 1, old[i].chunk) = old[i];
	free(old);
}

static struct sample_cell *cell_of(struct sample *s, uint32_t site, uint64_t chunk)
{
	struct sample_cell *cell = seek(s, site, chunk);

	if (!cell->site && s->nr >= SAMPLE_MAX_CELLS) {
		chunk = REST;
		cell = seek(s, site, chunk);
	}
	if (cell->site)
		return cell;
	if (++s->nr > s->nr_slots / 2) {
		grow(s);
		cell = seek(s, site, chunk);
	}
	*cell = (struct sample_cell){ .chunk = chunk, .site = site + 1 };
	return cell;
}

void sample_alloc(struct sample *s, const struct sitetab *sites, uint32_t account,
		  const struct event *ev, double bytes)
{
	uint32_t site = account_site(&sites->accounts.account[account]);
	bool page = ev->kind == EVENT_PAGE_ALLOC || ev->kind == EVENT_PAGE_BULK;
	uint64_t chunk = ev->addr >> (page ? SAMPLE_ORDER : s->page_shift + SAMPLE_ORDER);

	/* What is seen for certain has no error. */
	if (sites->site[site].weight == 1)
		return;
	if (page && ev->order > SAMPLE_ORDER)
		chunk |= LARGE;
	cell_of(s, site, chunk)->alloc_bytes += bytes;
}

static void add_live(struct sample *s, const struct sitetab *sites, uint32_t account,
		     uint64_t chunk, double objects, uint64_t bytes)
{
	uint32_t site = account_site(&sites->accounts.account[account]);

	if (sites->site[site].weight == 1)
		return;
	struct sample_cell *cell = cell_of(s, site, chunk);

	cell->live += objects;
	cell->live_bytes += (double)bytes;
}

void sample_live(struct sample *s, const struct sitetab *sites, const struct table *slab,
		 const struct page_map *pages)
{
	const struct live_obj *o;
	struct page_part part;

	if (s->rate.one_in <= 1)
		return;
	for (size_t i = 0; (o = table_next(slab, &live_ops, &i));)
		if (!(o->flags & LIVE_TWIN))
			add_live(s, sites, o->account, o->key >> (s->page_shift + SAMPLE_ORDER),
				 1, o->bytes);
	for (size_t i = 0; page_next(pages, &i, &part);)
		add_live(s, sites, part.account,
			 part.stands ? LARGE | part.split : part.pfn >> SAMPLE_ORDER,
			 part.blocks, part.bytes);
}

void sample_renumber(struct sample *s, const uint32_t *to)
{
	/* They are found no more, only listed. */
	for (size_t i = 0; s->cell && i < s->nr_slots; i++)
		if (s->cell[i].site)
			s->cell[i].site = to[s->cell[i].site - 1] + 1; /* 0: gone */
}

/* ---- the estimate */

/* A cell by the call site it is of. */
struct placed {
	uint64_t place, chunk;
	uint32_t site, weight;
	double live, live_bytes, alloc_bytes;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

/* Of cells of one chunk the order decides who has the variance, and how sums are rounded. */
static int by_site(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = by_place(a, b);

	return order ? order : (x->site > y->site) - (x->site < y->site);
}

static struct placed *sort_cells(const struct sample *s, const struct sitetab *sites,
				 const uint32_t *group, size_t *ret_nr)
{
	struct placed *v = xcalloc(s->nr + 1, sizeof(*v));
	size_t nr = 0;

	for (size_t i = 0; s->cell && i < s->nr_slots; i++) {
		const struct sample_cell *c = &s->cell[i];

		if (!c->site)
			continue;
		const struct site *site = &sites->site[c->site - 1];

		v[nr++] = (struct placed){
			.place = 2 * (uint64_t)group[c->site - 1] + site->self,
			.chunk = c->chunk,
			.site = c->site - 1,
			.weight = site->weight,
			.live = c->live,
			.live_bytes = c->live_bytes,
			.alloc_bytes = c->alloc_bytes,
		};
	}
	qsort(v, nr, sizeof(*v), by_site);
	*ret_nr = nr;
	return v;
}

/* What chunks hold of one call site, of one measure. */
struct spread {
	double nr, sum, squares, largest;
};

static void spread_add(struct spread *s, double y)
{
	if (y <= 0)
		return;
	s->nr++;
	s->sum += y;
	s->squares += y * y;
	s->largest = y > s->largest ? y : s->largest;
}

/*
 * Of chunks that are each seen with probability 1/w, those seen say w(w - 1) of their
 * squares. Few of them say little of the others: there are MORE_CHUNKS besides, each
 * as large as any may be of which none was seen. That is what a chunk can hold (@most)
 * as long as few are known, and with more and more the largest of those.
 */
static double variance(const struct spread *s, double weight, double most)
{
	double largest = s->largest;

	if (most > LEAST_SHARE * largest)
		most = LEAST_SHARE * largest;
	if (most > largest && s->nr < ENOUGH_CHUNKS)
		largest += (most - largest) * (1 - s->nr / ENOUGH_CHUNKS);
	return weight * (weight - 1) * (s->squares + MORE_CHUNKS * largest * largest);
}

/* Of one call site those of one weight. */
struct spreads {
	struct spread live, live_bytes, alloc_bytes;
};

/* Where nothing lives as far as was seen, the unseen may have an object. */
static struct spread of_none(const struct spreads *of, double object)
{
	return (struct spread){ .nr = of->alloc_bytes.nr, .largest = object };
}

static void add_variances(const struct sample *s, const struct spreads *of, double weight,
			  struct site *to)
{
	/* A block of several chunks is one, and has fewer to stand for. */
	double chunk = (double)(UINT64_C(1) << (s->page_shift + SAMPLE_ORDER));
	double bytes = chunk * s->rate.one_in / weight;
	bool none = of->live.nr < 1;
	double object = !none	     ? of->live_bytes.sum / of->live.sum
			: to->allocs ? (double)to->alloc_bytes / (double)to->allocs
				     : 0;

	if (object > 0) {
		struct spread live = none ? of_none(of, 1) : of->live;
		struct spread live_bytes = none ? of_none(of, object) : of->live_bytes;

		to->live_var += variance(&live, weight, bytes / object);
		to->live_bytes_var += variance(&live_bytes, weight, bytes);
	}
	/* Over time a chunk holds any amount. */
	to->alloc_bytes_var += variance(&of->alloc_bytes, weight, 0);
}

static void set_variances(const struct sample *s, struct sitetab *sites, const uint32_t *group)
{
	size_t nr;
	auto_free struct placed *v = sort_cells(s, sites, group, &nr);

	for (size_t i = 0, first = 0; i < nr;) {
		struct spreads spreads = {};
		uint32_t weight = v[i].weight;

		if (v[first].place != v[i].place)
			first = i;
		while (i < nr && v[i].place == v[first].place && v[i].weight == weight) {
			struct placed sum = v[i];

			for (i++; i < nr && !by_place(&sum, &v[i]); i++) {
				sum.live += v[i].live;
				sum.live_bytes += v[i].live_bytes;
				sum.alloc_bytes += v[i].alloc_bytes;
			}
			spread_add(&spreads.live, sum.live);
			spread_add(&spreads.live_bytes, sum.live_bytes);
			spread_add(&spreads.alloc_bytes, sum.alloc_bytes);
		}
		add_variances(s, &spreads, weight, &sites->site[v[first].site]);
	}
}

static void scale_site(struct site *s)
{
	uint64_t w = s->weight;

	s->allocs *= w;
	s->alloc_bytes *= w;
	s->bytes_req *= w;
	s->missing_stacks *= w;
	s->frees *= w;
	s->free_bytes *= w;
	for (int rule = 0; rule < NR_END_RULES; rule++) {
		s->inferred_frees[rule] *= w;
		s->inferred_bytes[rule] *= w;
	}
	s->unknown_frees *= w;
	s->unknown_free_bytes *= w;
	s->preexisting_frees *= w;
	s->preexisting_bytes *= w;
	s->live *= w;
	s->live_bytes *= w;
	s->uncertain *= w;
	s->uncertain_bytes *= w;
	s->lower *= w;
	s->lower_bytes *= w;
	s->upper *= w;
	s->upper_bytes *= w;
	s->rcu_pending *= w;
	s->rcu_pending_bytes *= w;
	s->peak_bytes *= w;
	s->at_peak *= w;
	s->at_peak_bytes *= w;
	s->slack_bytes *= w;
	s->lived *= w;
	s->lived_sum_ns *= (double)w;
	s->lived_quick *= w;
	s->lived_same_task *= w;
	s->remote_cpu *= w;
	s->remote_node *= w;
	s->lived_near *= w;
	s->temporary *= w;
	s->aged *= w;
	s->age_sum_ns *= (double)w;
}

static void scale_accounts(struct sitetab *sites)
{
	for (size_t i = 0; i < sites->accounts.nr; i++) {
		struct account *a = &sites->accounts.account[i];
		struct account_doubt *d = &sites->accounts.doubt[i];
		uint64_t w = sites->site[account_site(a)].weight;

		a->allocs *= w;
		a->alloc_bytes *= w;
		a->bytes_req *= w;
		a->ends *= w;
		a->end_bytes *= w;
		d->inferred *= w;
		d->inferred_bytes *= w;
		d->uncertain *= w;
		d->uncertain_bytes *= w;
		d->pieces *= w;
	}
}

static void scale_series(struct sitetab *sites)
{
	for (size_t i = 0; i < sites->series.nr; i++) {
		struct series_entry *e = &sites->series.entry[i];
		uint64_t w = sites->site[e->site].weight;

		e->live *= w;
		e->live_bytes *= w;
		e->allocs *= w;
		e->alloc_bytes *= w;
	}
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

static uint64_t at_least(uint64_t v, uint64_t least)
{
	return v > least ? v : least;
}

/* The site that has the variance may hold less than the error of all of its call site. */
static void widen(struct sitetab *sites, const uint32_t *group)
{
	size_t top = 0;

	for (size_t i = 0; i < sites->nr; i++)
		top = group[i] > top ? group[i] : top;
	auto_free uint64_t *calls = xcalloc(2 * (top + 1), sizeof(*calls));
	auto_free uint64_t *bytes = xcalloc(2 * (top + 1), sizeof(*bytes));

	for (size_t i = 0; i < sites->nr; i++) {
		struct site *s = &sites->site[i];
		size_t place = 2 * (size_t)group[i] + s->self;
		uint64_t more = (uint64_t)ceil(SIGMAS * sqrt(s->live_var));
		uint64_t larger = (uint64_t)ceil(SIGMAS * sqrt(s->live_bytes_var));

		s->upper += more;
		s->upper_bytes += larger;
		calls[place] += more;
		bytes[place] += larger;
	}
	for (size_t i = 0; i < sites->nr; i++) {
		struct site *s = &sites->site[i];
		size_t place = 2 * (size_t)group[i] + s->self;
		uint64_t had = s->lower, held = s->lower_bytes;

		/* What was seen is there, whatever it stands for. */
		s->lower = at_least(less(had, calls[place]), had / s->weight);
		s->lower_bytes =
			at_least(s->lower ? less(held, bytes[place]) : 0, held / s->weight);
		calls[place] = less(calls[place], had - s->lower);
		bytes[place] = less(bytes[place], held - s->lower_bytes);
	}
}

void sample_scale(const struct sample *s, struct sitetab *sites, const uint32_t *group)
{
	if (s->rate.one_in <= 1)
		return;
	for (size_t i = 0; i < sites->nr; i++)
		scale_site(&sites->site[i]);
	scale_accounts(sites);
	scale_series(sites);
	set_variances(s, sites, group);
	widen(sites, group);
}
