// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/charge.h"

#include <stdlib.h>

#include "base/xalloc.h"

/*
 * One object may have come that way by chance, as an error path does; code that
 * did it twice does it.
 */
enum { ENOUGH = 2 };

struct books {
	struct site *site;
	size_t nr;
	const uint32_t *group;	/* by site */
	uint64_t *area_bytes;	/* charged to areas with pages, by stack */
	uint64_t nr_full_areas; /* freed with their pages, charged or not */
};

/* What is known of a class of flows. */
struct verdict {
	uint64_t nr;
	bool one_size, silent;
	uint32_t bytes;
};

/* Known objects of one call site. */
struct share {
	uint32_t group;
	uint32_t site; /* that most of them are of */
	uint64_t nr, most;
};

static bool is_known(const struct flow *f)
{
	return f->site != FLOW_OLDER && f->site != FLOW_SILENT;
}

static struct verdict weigh(const struct flow **flow, size_t nr)
{
	struct verdict v = {};

	for (size_t i = 0; i < nr; i++) {
		v.silent |= flow[i]->site == FLOW_SILENT;
		if (!is_known(flow[i]))
			continue;
		v.one_size =
			v.nr ? v.one_size && v.bytes == flow[i]->bytes : flow[i]->bytes != 0;
		v.bytes = flow[i]->bytes;
		v.nr += flow[i]->nr;
	}
	return v;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_group(const void *a, const void *b)
{
	return compare(((const struct share *)a)->group, ((const struct share *)b)->group);
}

/* The call sites that made the known objects of @nr flows, into @share; how many. */
static size_t shares(const struct books *books, const struct flow **flow, size_t nr,
		     struct share *share)
{
	size_t n = 0, ret = 0;

	for (size_t i = 0; i < nr; i++)
		if (is_known(flow[i]))
			share[n++] = (struct share){
				.group = flow[i]->site < FLOW_SITES
						 ? books->group[flow[i]->site]
						 : UINT32_MAX,
				.site = flow[i]->site,
				.nr = flow[i]->nr,
				.most = flow[i]->nr,
			};
	qsort(share, n, sizeof(*share), by_group);
	for (size_t i = 0; i < n; i++) {
		struct share *last = ret ? &share[ret - 1] : NULL;

		if (!last || last->group != share[i].group) {
			share[ret++] = share[i];
			continue;
		}
		last->nr += share[i].nr;
		/* Of equals the one that was first, whatever the order of flows. */
		if (share[i].most > last->most ||
		    (share[i].most == last->most && share[i].site < last->site)) {
			last->most = share[i].most;
			last->site = share[i].site;
		}
	}
	return ret;
}

/*
 * Charges @older objects of @bytes each to the call sites that made the known
 * objects of @nr flows, to each its share: the nearest number of objects, and
 * none for a half. With @alone only when there is but one. True when any was charged.
 */
static bool share_out(struct books *books, const struct flow **flow, size_t nr, uint64_t older,
		      uint64_t bytes, bool alone)
{
	auto_free struct share *share = xcalloc(nr + 1, sizeof(*share));
	size_t nr_shares = shares(books, flow, nr, share);
	uint64_t total = 0, left = older;

	if (alone && nr_shares > 1)
		return false;
	for (size_t i = 0; i < nr_shares; i++)
		total += share[i].nr;
	for (size_t i = 0; total >= ENOUGH && i < nr_shares; i++) {
		unsigned __int128 twice = (unsigned __int128)share[i].nr * older * 2;
		uint64_t n = (uint64_t)((twice + total - 1) / (2 * (unsigned __int128)total));

		if (n > left)
			n = left;
		if (!n || share[i].site >= FLOW_SITES)
			continue;
		struct site *site = &books->site[share[i].site];

		left -= n;
		site->preexisting_frees += n;
		site->preexisting_bytes += n * bytes;
		if (flow[0]->call_site == FLOW_AREAS && site->stack != SITE_NO_STACK)
			books->area_bytes[site->stack] += n * bytes;
	}
	return left < older;
}

static int by_cache(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a,
			  *y = *(const struct flow *const *)b;
	int ret = compare(x->cache, y->cache);

	return ret ? ret : compare(x->bytes, y->bytes);
}

static int by_call_site(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a,
			  *y = *(const struct flow *const *)b;
	int ret = compare(x->call_site, y->call_site);

	return ret ? ret : by_cache(a, b);
}

/* Charges what can be of a class of flows, @nr of them in order of size, and marks it. */
static void charge_class(struct books *books, const struct flow **flow, size_t nr, bool alone,
			 char *done)
{
	struct verdict whole = weigh(flow, nr);

	if (whole.silent)
		return;
	for (size_t i = 0, end; i < nr; i = end) {
		uint64_t older = 0, bytes = flow[i]->bytes;

		for (end = i; end < nr && flow[end]->bytes == bytes; end++)
			older += flow[end]->site == FLOW_OLDER ? flow[end]->nr : 0;
		bool charged = false;

		if (older && bytes)
			charged = share_out(books, flow + i, end - i, older, bytes, alone);
		else if (older && whole.one_size)
			charged = share_out(books, flow, nr, older, whole.bytes, alone);
		for (; i < end; i++)
			done[i] = charged && flow[i]->site == FLOW_OLDER;
	}
}

static size_t class_end(const struct flow **flow, size_t nr, size_t from, bool with_call_site)
{
	size_t end = from;

	while (end < nr && flow[end]->cache == flow[from]->cache &&
	       (!with_call_site || flow[end]->call_site == flow[from]->call_site))
		end++;
	return end;
}

/* What is charged already, and what is no object of a slab, has been dealt with. */
static size_t drop_charged(const struct flow **flow, size_t nr, const char *done)
{
	size_t left = 0;

	for (size_t i = 0; i < nr; i++)
		if (!done[i] && flow[i]->call_site > FLOW_SLABS)
			flow[left++] = flow[i];
	return left;
}

static void charge_flows(struct books *books, const struct flow_table *flows)
{
	size_t nr = flows->full ? 0 : flows->nr;
	auto_free const struct flow **flow = xcalloc(nr + 1, sizeof(*flow));
	auto_free char *done = xcalloc(nr + 1, 1);

	for (size_t i = 0; i < nr; i++) {
		flow[i] = &flows->flow[i];
		if (flow[i]->call_site == FLOW_AREAS && flow[i]->site == FLOW_OLDER)
			books->nr_full_areas += flow[i]->nr;
	}
	qsort(flow, nr, sizeof(*flow), by_call_site);
	for (size_t i = 0, end; i < nr; i = end) {
		end = class_end(flow, nr, i, true);
		charge_class(books, flow + i, end - i, false, done + i);
	}
	nr = drop_charged(flow, nr, done);
	qsort(flow, nr, sizeof(*flow), by_cache);
	for (size_t i = 0, end; i < nr; i = end) {
		end = class_end(flow, nr, i, false);
		/* Without a name, the objects have nothing in common. */
		if (flow[i]->cache)
			charge_class(books, flow + i, end - i, true, done + i);
	}
}

/* The pages of areas that were charged (rule 16). */
static void charge_area_pages(struct books *books, uint64_t page_size)
{
	for (size_t i = 0; i < books->nr; i++) {
		struct site *s = &books->site[i];
		uint64_t *bytes = &books->area_bytes[s->stack];

		if (s->kind != SITE_PAGE)
			continue;
		s->preexisting_frees += *bytes / page_size;
		s->preexisting_bytes += *bytes;
		*bytes = 0;
	}
}

/*
 * Frees of areas without pages tell nothing: all areas of the kind are of one
 * call site and one size, or none is charged.
 */
static void charge_areas(struct books *books, enum site_kind kind, uint64_t older)
{
	struct site *maker = NULL;
	uint64_t nr = 0;

	for (size_t i = 0; i < books->nr; i++) {
		struct site *s = &books->site[i];

		if (s->kind != kind || !s->allocs)
			continue;
		if (s->alloc_bytes != s->allocs * s->max_bytes ||
		    (maker && (s->max_bytes != maker->max_bytes ||
			       books->group[i] != books->group[maker - books->site])))
			return;
		nr += s->allocs;
		if (!maker || s->allocs > maker->allocs)
			maker = s;
	}
	if (nr < ENOUGH)
		return;
	maker->preexisting_frees += older;
	maker->preexisting_bytes += older * maker->max_bytes;
}

void charge_sites(struct site *site, size_t nr, const uint32_t *group,
		  const struct flow_table *flows, const struct match_totals *totals,
		  uint64_t page_size)
{
	uint32_t last_stack = 0;

	for (size_t i = 0; i < nr; i++)
		last_stack = site[i].stack > last_stack ? site[i].stack : last_stack;
	auto_free uint64_t *area_bytes = xcalloc((size_t)last_stack + 1, sizeof(*area_bytes));
	struct books books = {
		.site = site,
		.nr = nr,
		.group = group,
		.area_bytes = area_bytes,
	};

	charge_flows(&books, flows);
	charge_area_pages(&books, page_size);
	if (totals->lost_gaps)
		return;
	charge_areas(&books, SITE_PERCPU, totals->unknown_frees[SITE_PERCPU]);
	charge_areas(&books, SITE_VMALLOC,
		     totals->unknown_frees[SITE_VMALLOC] - books.nr_full_areas);
}
