// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/charge.h"

#include <stdlib.h>

#include "base/xalloc.h"

/*
 * One object may have come that way by chance, as an error path does; code that
 * did it twice does it.
 */
enum { ENOUGH = 2 };

/* What the known objects of some flows have in common. */
struct verdict {
	bool any, one_group, one_size, silent;
	uint32_t group, bytes;
	uint32_t site; /* that most of them are of */
	uint64_t nr, most;
};

static void weigh(struct verdict *v, const struct flow *f, const uint32_t *group)
{
	uint32_t g = f->site < FLOW_SITES ? group[f->site] : 0;

	if (f->site == FLOW_OLDER)
		return;
	if (f->site == FLOW_SILENT) {
		v->silent = true;
		return;
	}
	v->one_group = v->any ? v->one_group && v->group == g : true;
	v->one_size = v->any ? v->one_size && v->bytes == f->bytes : f->bytes != 0;
	v->one_group &= f->site != FLOW_LARGE;
	v->any = true;
	v->group = g;
	v->bytes = f->bytes;
	v->nr += f->nr;
	if (f->nr > v->most) {
		v->most = f->nr;
		v->site = f->site;
	}
}

/* Charges @f as the objects of @v, of the size @f knows or all those have. */
static bool charge(const struct flow *f, const struct verdict *v, struct site *site)
{
	if (!v->any || !v->one_group || v->nr < ENOUGH || (!f->bytes && !v->one_size))
		return false;
	site[v->site].preexisting_frees += f->nr;
	site[v->site].preexisting_bytes += f->nr * (f->bytes ? f->bytes : v->bytes);
	return true;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
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

/*
 * Charges what can be of a class of flows, @nr of them in order of size, and
 * takes it out of the list.
 */
static void charge_class(const struct flow **flow, size_t nr, const uint32_t *group,
			 struct site *site)
{
	struct verdict whole = {};

	for (size_t i = 0; i < nr; i++)
		weigh(&whole, flow[i], group);
	if (whole.silent)
		return;
	for (size_t i = 0, end; i < nr; i = end) {
		struct verdict same = {};
		uint32_t bytes = flow[i]->bytes;

		for (end = i; end < nr && flow[end]->bytes == bytes; end++)
			weigh(&same, flow[end], group);
		for (; i < end; i++)
			if (flow[i]->site == FLOW_OLDER &&
			    charge(flow[i], bytes ? &same : &whole, site))
				flow[i] = NULL;
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

static size_t drop_charged(const struct flow **flow, size_t nr)
{
	size_t left = 0;

	for (size_t i = 0; i < nr; i++)
		if (flow[i])
			flow[left++] = flow[i];
	return left;
}

static void charge_slab(const struct flow_table *flows, const uint32_t *group,
			struct site *site)
{
	size_t nr = flows->full ? 0 : flows->nr;
	auto_free const struct flow **flow = xcalloc(nr + 1, sizeof(*flow));

	for (size_t i = 0; i < nr; i++)
		flow[i] = &flows->flow[i];
	qsort(flow, nr, sizeof(*flow), by_call_site);
	for (size_t i = 0, end; i < nr; i = end) {
		end = class_end(flow, nr, i, true);
		charge_class(flow + i, end - i, group, site);
	}
	nr = drop_charged(flow, nr);
	qsort(flow, nr, sizeof(*flow), by_cache);
	for (size_t i = 0, end; i < nr; i = end) {
		end = class_end(flow, nr, i, false);
		/* Without a name, the objects have nothing in common. */
		if (flow[i]->cache)
			charge_class(flow + i, end - i, group, site);
	}
}

/*
 * Frees of areas tell nothing: all areas are of one site and size, or none is
 * charged. The site that was, or NULL.
 */
static struct site *charge_areas(struct site *site, size_t nr, const uint32_t *group,
				 enum site_kind kind, uint64_t unknown_frees)
{
	struct verdict v = {};

	for (size_t i = 0; i < nr; i++) {
		if (site[i].kind != kind || !site[i].allocs)
			continue;
		bool one_size = site[i].alloc_bytes == site[i].allocs * site[i].max_bytes &&
				site[i].max_bytes <= UINT32_MAX;

		weigh(&v,
		      &(struct flow){
			      .nr = site[i].allocs,
			      .site = (uint32_t)i,
			      .bytes = one_size ? (uint32_t)site[i].max_bytes : 0,
		      },
		      group);
	}
	return unknown_frees && charge(&(struct flow){ .nr = unknown_frees }, &v, site)
		       ? &site[v.site]
		       : NULL;
}

/* The silent pages of the areas that were charged to @area (rule 16). */
static void charge_pages(struct site *site, size_t nr, const struct site *area,
			 const struct charge_pages *pages)
{
	uint64_t most = area->preexisting_bytes / pages->page_size;
	uint64_t frees = pages->frees < most ? pages->frees : most;

	for (size_t i = 0; i < nr; i++) {
		if (site[i].kind != SITE_PAGE || site[i].stack != area->stack)
			continue;
		site[i].preexisting_frees += frees;
		site[i].preexisting_bytes += frees * pages->page_size;
		break;
	}
}

void charge_sites(struct site *site, size_t nr, const uint32_t *group,
		  const struct flow_table *flows, const struct match_totals *totals,
		  const struct charge_pages *pages)
{
	charge_slab(flows, group, site);
	if (totals->lost_gaps)
		return;
	charge_areas(site, nr, group, SITE_PERCPU, totals->unknown_frees[SITE_PERCPU]);

	const struct site *area = charge_areas(site, nr, group, SITE_VMALLOC,
					       totals->unknown_frees[SITE_VMALLOC]);

	if (area && area->stack != SITE_NO_STACK)
		charge_pages(site, nr, area, pages);
}
