// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Mean of the runs, and how far it may be off. */
struct estimate {
	double mean, calls, too_much, too_little;
	double variance; /* of the mean; of a single run by how it moved */
	size_t nr;
};

/* @figure: of each run, or NULL for a site that is not there. */
static struct estimate estimate(const struct figure *figure, size_t nr)
{
	struct estimate ret = { .nr = nr };

	for (size_t i = 0; figure && i < nr; i++) {
		ret.mean += figure[i].value / (double)nr;
		ret.calls += figure[i].calls / (double)nr;
		ret.too_much += figure[i].too_much / (double)nr;
		ret.too_little += figure[i].too_little / (double)nr;
	}
	if (figure && nr == 1)
		ret.variance = figure->variance;
	for (size_t i = 0; figure && nr > 1 && i < nr; i++) {
		double off = figure[i].value - ret.mean;

		ret.variance += off * off / (double)(nr - 1) / (double)nr;
	}
	return ret;
}

/* What Student's t passes once in a hundred times, on either side. */
static double quantile(double freedom)
{
	static const double t[] = { 63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355,
				    3.250,  3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921,
				    2.898,  2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797 };
	size_t nr = sizeof(t) / sizeof(*t);

	if (!(freedom >= 1))
		return t[0];
	return freedom < (double)nr ? t[(size_t)freedom - 1] : 2.797;
}

/* The same of what is known well. */
#define NORMAL 2.576

static double square(double v)
{
	return v * v;
}

/* Rule 2; where one side has a single run, the other's spread is taken for both. */
static double spread(const struct estimate *old, const struct estimate *new)
{
	double a = old->nr > 1 ? old->variance : new->variance *(double)new->nr;
	double b = new->nr > 1 ? new->variance : old->variance *(double)old->nr;
	double freedom = (old->nr > 1 ? square(a) / (double)(old->nr - 1) : 0) +
			 (new->nr > 1 ? square(b) / (double)(new->nr - 1) : 0);

	if (old->nr < 2 && new->nr < 2)
		return NORMAL * sqrt(old->variance + new->variance);
	if (!(a + b > 0))
		return 0;
	double used = (old->nr > 1 ? a : 0) + (new->nr > 1 ? b : 0);

	return quantile(freedom > 0 ? square(used) / freedom : 1) * sqrt(a + b);
}

static void compare(struct change *change, const struct estimate *old,
		    const struct estimate *new)
{
	change->old_value = old->mean;
	change->new_value = new->mean;
	change->old_calls = old->calls;
	change->new_calls = new->calls;
	change->change = new->mean - old->mean;
	/* Rule 3: towards no change. */
	double doubt = change->change > 0 ? new->too_much + old->too_little
					  : new->too_little + old->too_much;

	change->noise = fmax(spread(old, new), doubt);
	change->significant = change->change != 0 && fabs(change->change) > change->noise;
}

/* Indices of sites, or PAIRING_NONE. */
static struct change change_of(const struct side *old, size_t old_index, const struct side *new,
			       size_t new_index)
{
	bool was = old_index != PAIRING_NONE, is = new_index != PAIRING_NONE;
	const struct side_site *old_site = was ? &old->site[old_index] : NULL;
	const struct side_site *new_site = is ? &new->site[new_index] : NULL;
	struct estimate a = estimate(was ? side_figures(old, old_index) : NULL, old->nr_runs);
	struct estimate b = estimate(is ? side_figures(new, new_index) : NULL, new->nr_runs);
	struct change change = { .old = old_site, .new = new_site };

	compare(&change, &a, &b);
	if (old_site && new_site)
		change.moved = old_site->line != new_site->line ||
			       old_site->file != new_site->file ||
			       old_site->module != new_site->module;
	return change;
}

static struct figure *sum_kind(const struct side *side, uint32_t kind)
{
	struct figure *sum = xcalloc(side->nr_runs + 1, sizeof(*sum));

	for (size_t i = 0; i < side->nr_sites; i++) {
		for (size_t r = 0; side->site[i].kind == kind && r < side->nr_runs; r++) {
			const struct figure *figure = &side_figures(side, i)[r];

			sum[r].value += figure->value;
			sum[r].calls += figure->calls;
			sum[r].too_much += figure->too_much;
			sum[r].too_little += figure->too_little;
			sum[r].variance += figure->variance;
		}
	}
	return sum;
}

static void add_total(struct changes *changes, const struct side *old, const struct side *new,
		      uint32_t kind)
{
	for (size_t i = 0; i < changes->nr_totals; i++)
		if (changes->total[i].kind == kind)
			return;
	if (changes->nr_totals == CHANGES_KINDS)
		return;
	auto_free struct figure *before = sum_kind(old, kind);
	auto_free struct figure *after = sum_kind(new, kind);
	struct estimate a = estimate(before, old->nr_runs);
	struct estimate b = estimate(after, new->nr_runs);
	struct change_total *total = &changes->total[changes->nr_totals++];

	*total = (struct change_total){ .kind = kind };
	compare(&total->sum, &a, &b);
}

static const struct side_site *site_of(const struct change *change)
{
	return change->new ? change->new : change->old;
}

static int compare_size(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	double p = fabs(x->change), q = fabs(y->change);

	if (p != q)
		return p < q ? 1 : -1;
	p = fmax(x->old_value, x->new_value), q = fmax(y->old_value, y->new_value);
	if (p != q)
		return p < q ? 1 : -1;
	/* Numbers of strings go by first sight: the same each time. */
	const struct side_site *s = site_of(x), *t = site_of(y);

	if (s->kind != t->kind)
		return s->kind < t->kind ? -1 : 1;
	if (s->file != t->file)
		return s->file < t->file ? -1 : 1;
	if (s->func != t->func)
		return s->func < t->func ? -1 : 1;
	if (s->line != t->line)
		return s->line < t->line ? -1 : 1;
	return s->sym_off < t->sym_off ? -1 : s->sym_off > t->sym_off;
}

void changes_init(struct changes *changes, const struct side *old, const struct side *new,
		  const struct pairing *pairing)
{
	*changes = (struct changes){
		.change = xcalloc(old->nr_sites + new->nr_sites + 1, sizeof(struct change)),
	};
	for (size_t i = 0; i < old->nr_sites; i++) {
		changes->change[changes->nr++] = change_of(old, i, new, pairing->of_old[i]);
		add_total(changes, old, new, old->site[i].kind);
	}
	for (size_t i = 0; i < new->nr_sites; i++) {
		if (pairing->of_new[i] == PAIRING_NONE)
			changes->change[changes->nr++] = change_of(old, PAIRING_NONE, new, i);
		add_total(changes, old, new, new->site[i].kind);
	}
	qsort(changes->change, changes->nr, sizeof(*changes->change), compare_size);
	for (size_t i = 0; i < changes->nr; i++) {
		const struct change *change = &changes->change[i];

		changes->nr_significant += change->significant;
		if (change->change != 0 && !change->significant) {
			changes->nr_noise++;
			changes->noise_sum += change->change;
		}
	}
}

void changes_deinit(struct changes *changes)
{
	free(changes->change);
	*changes = (struct changes){};
}

/* What all of the kind of @change had before. */
static double old_total(const struct changes *changes, const struct change *change)
{
	const struct side_site *site = change->new ? change->new : change->old;

	for (size_t i = 0; i < changes->nr_totals; i++) {
		const struct change_total *total = &changes->total[i];

		if (site ? total->kind == site->kind : change == &total->sum)
			return fmax(total->sum.old_value, 0);
	}
	return 0;
}

bool changes_exceed(const struct changes *changes, const struct change *change, double limit,
		    bool percent)
{
	if (percent)
		limit = limit / 100 * old_total(changes, change);
	return change->significant && change->change > limit;
}
