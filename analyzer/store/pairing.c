// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/pairing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Pairs of sites of one function that are weighed against each other; more are taken
 * as they come, so that no input can make this slow. */
enum { MAX_WEIGHED = 1 << 20 };

/* A site as its group and its place in it. */
struct member {
	uint64_t group[2];
	int64_t place;
	size_t site;
	bool is_new;
};

/* What has to agree, from one pass to the next. */
enum pass { SAME_ALL, OTHER_MODULE, OTHER_FILE, NR_PASSES };

static struct member member_of(const struct side_site *site, size_t index, bool is_new,
			       enum pass pass)
{
	struct member member = {
		.group = { (uint64_t)site->kind << 32 | site->base },
		.place = site->file ? site->line : site->sym_off,
		.site = index,
		.is_new = is_new,
	};

	if (pass == SAME_ALL)
		member.group[1] = (uint64_t)site->file << 32 | site->module;
	if (pass == OTHER_MODULE)
		member.group[1] = site->file;
	if (pass == OTHER_FILE)
		member.group[1] = site->module;
	return member;
}

static int compare_group(const struct member *x, const struct member *y)
{
	if (x->group[0] != y->group[0])
		return x->group[0] < y->group[0] ? -1 : 1;
	if (x->group[1] != y->group[1])
		return x->group[1] < y->group[1] ? -1 : 1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = compare_group(x, y);

	if (order)
		return order;
	if (x->is_new != y->is_new)
		return x->is_new ? 1 : -1;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

struct pairer {
	const struct side *old, *new;
	struct pairing *pairing;
};

static void pair(struct pairer *p, size_t old, size_t new)
{
	p->pairing->of_old[old] = new;
	p->pairing->of_new[new] = old;
}

/* Any pair is better than a better-looking one fewer. */
enum { WEIGHT_PAIR = 1000, WEIGHT_SIZE = 4, WEIGHT_CACHE = 2, WEIGHT_LINE = 3 };

static unsigned int weigh(const struct side_site *old, const struct side_site *new)
{
	unsigned int weight = WEIGHT_PAIR;

	if (old->object_bytes > 0 &&
	    fabs(old->object_bytes - new->object_bytes) <= old->object_bytes / 100)
		weight += WEIGHT_SIZE;
	if (old->cache && old->cache == new->cache)
		weight += WEIGHT_CACHE;
	if (old->line == new->line && old->sym_off == new->sym_off)
		weight += WEIGHT_LINE;
	return weight;
}

/* The heaviest pairing that keeps the order (rule 3). */
static void align(struct pairer *p, const struct member *old, size_t nr_old,
		  const struct member *new, size_t nr_new)
{
	size_t width = nr_new + 1;

	if (nr_old == 1 && nr_new == 1) {
		pair(p, old->site, new->site);
		return;
	}
	if (nr_old >= MAX_WEIGHED / width) {
		for (size_t i = 0; i < nr_old && i < nr_new; i++)
			pair(p, old[i].site, new[i].site);
		return;
	}
	/* best[i][j]: weight of the best pairing of what comes from i and j on. */
	auto_free unsigned int *best = xcalloc((nr_old + 1) * width, sizeof(*best));

#define BEST(i, j)   best[(i)*width + (j)]
#define WEIGHT(i, j) weigh(&p->old->site[old[i].site], &p->new->site[new[j].site])
	for (size_t i = nr_old; i-- > 0;) {
		for (size_t j = nr_new; j-- > 0;) {
			unsigned int paired = BEST(i + 1, j + 1) + WEIGHT(i, j);
			unsigned int alone = BEST(i + 1, j) > BEST(i, j + 1) ? BEST(i + 1, j)
									     : BEST(i, j + 1);

			BEST(i, j) = paired > alone ? paired : alone;
		}
	}
	for (size_t i = 0, j = 0; i < nr_old && j < nr_new;) {
		if (BEST(i, j) == BEST(i + 1, j + 1) + WEIGHT(i, j))
			pair(p, old[i++].site, new[j++].site);
		else if (BEST(i, j) == BEST(i + 1, j))
			i++;
		else
			j++;
	}
#undef BEST
#undef WEIGHT
}

static bool one_file(const struct side *side, const struct member *member, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (side->site[member[i].site].file != side->site[member->site].file)
			return false;
	return true;
}

/* Members of one group: the old ones, then the new ones. */
static void pair_group(struct pairer *p, const struct member *member, size_t nr, enum pass pass)
{
	size_t nr_old = 0;

	while (nr_old < nr && !member[nr_old].is_new)
		nr_old++;
	if (!nr_old || nr_old == nr)
		return;
	if (pass == OTHER_FILE && (!one_file(p->old, member, nr_old) ||
				   !one_file(p->new, member + nr_old, nr - nr_old)))
		return;
	align(p, member, nr_old, member + nr_old, nr - nr_old);
}

/* An address instead of a name is another one in each build. */
static bool has_name(const struct side *side, const struct side_site *site)
{
	const char *func = strings_text(side->strings, site->func);

	return func && *func != '[' && strncmp(func, "0x", 2) != 0;
}

static size_t gather(const struct side *side, const size_t *paired, bool is_new, enum pass pass,
		     struct member *ret)
{
	size_t nr = 0;

	for (size_t i = 0; i < side->nr_sites; i++) {
		const struct side_site *site = &side->site[i];

		/* Without a file the name of a function says little beyond its module. */
		if (paired[i] == PAIRING_NONE && has_name(side, site) &&
		    (pass != OTHER_MODULE || site->file))
			ret[nr++] = member_of(site, i, is_new, pass);
	}
	return nr;
}

static size_t *nothing_paired(size_t nr)
{
	size_t *ret = xmalloc((nr + 1) * sizeof(*ret));

	for (size_t i = 0; i < nr; i++)
		ret[i] = PAIRING_NONE;
	return ret;
}

void pairing_init(struct pairing *pairing, const struct side *old, const struct side *new)
{
	struct pairer p = { old, new, pairing };
	auto_free struct member *member =
		xcalloc(old->nr_sites + new->nr_sites + 1, sizeof(*member));

	*pairing = (struct pairing){ nothing_paired(old->nr_sites),
				     nothing_paired(new->nr_sites) };
	for (enum pass pass = SAME_ALL; pass < NR_PASSES; pass++) {
		size_t nr = gather(old, pairing->of_old, false, pass, member);

		nr += gather(new, pairing->of_new, true, pass, member + nr);
		qsort(member, nr, sizeof(*member), compare);
		for (size_t i = 0, end; i < nr; i = end) {
			for (end = i + 1; end < nr && !compare_group(&member[i], &member[end]);)
				end++;
			pair_group(&p, &member[i], end - i, pass);
		}
	}
}

void pairing_deinit(struct pairing *pairing)
{
	free(pairing->of_old);
	free(pairing->of_new);
	*pairing = (struct pairing){};
}
