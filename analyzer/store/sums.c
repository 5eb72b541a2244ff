// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sums.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void sums_deinit(struct sums *sums)
{
	pairs_deinit(&sums->keys);
	free(sums->group);
	free(sums->member);
	*sums = (struct sums){};
}

static struct sums_group *find_group(struct sums *sums, const struct sums_row *row,
				     uint32_t *ret_id)
{
	bool is_new;
	uint32_t id = pairs_id(&sums->keys, row->kind, row->name, &is_new) - 1;

	if (is_new) {
		vec_room(sums->group, sums->nr, sums->cap);
		struct sums_group *group = &sums->group[sums->nr++];

		*group = (struct sums_group){
			.kind = row->kind,
			.name = row->name,
			.self = row->self,
			.common = (UINT32_C(1) << NR_SAMES) - 1,
			.first_ns = INT64_MAX,
			.last_ns = INT64_MIN,
		};
		memcpy(group->same, row->same, sizeof(group->same));
		group->same[SUMS_CACHE] = row->cache;
	}
	*ret_id = id;
	return &sums->group[id];
}

struct sums_group *sums_group(struct sums *sums, const struct sums_row *row)
{
	uint32_t id;
	struct sums_group *group = find_group(sums, row, &id);

	/* Of large groups nothing is soon left to compare. */
	for (uint32_t bits = group->common; bits; bits &= bits - 1) {
		int i = __builtin_ctz(bits);

		if (group->same[i] == (i == SUMS_CACHE ? row->cache : row->same[i]))
			continue;
		group->same[i] = 0;
		group->common &= ~(UINT32_C(1) << i);
	}
	if (row->self > group->self)
		group->self = row->self;
	if (row->first_ns < group->first_ns)
		group->first_ns = row->first_ns;
	if (row->last_ns > group->last_ns)
		group->last_ns = row->last_ns;
	if (group->last == row->raw_site + 1)
		return group;
	group->last = row->raw_site + 1;
	vec_room(sums->member, sums->nr_members, sums->cap_members);
	sums->member[sums->nr_members++] =
		(struct sums_member){ id, row->raw_site, row->call_site };
	return group;
}

static uint32_t member_key(const struct sums_member *member, bool raw)
{
	return raw ? member->raw_site : member->call_site;
}

/*
 * In the order of raw sites (or call sites) a group's next one differs from its last
 * one, or is the same. Keys are small and dense, so that they need not be compared.
 */
static void count_different(struct sums *sums, size_t nr_keys, bool raw)
{
	auto_free size_t *start = xcalloc(nr_keys + 1, sizeof(*start));
	auto_free struct sums_member *sorted = xcalloc(sums->nr_members + 1, sizeof(*sorted));

	for (size_t i = 0; i < sums->nr_members; i++)
		start[member_key(&sums->member[i], raw) + 1]++;
	for (size_t i = 0; i < nr_keys; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < sums->nr_members; i++)
		sorted[start[member_key(&sums->member[i], raw)]++] = sums->member[i];
	for (size_t i = 0; i < sums->nr; i++)
		sums->group[i].last = 0;
	for (size_t i = 0; i < sums->nr_members; i++) {
		struct sums_group *group = &sums->group[sorted[i].group];
		uint32_t key = member_key(&sorted[i], raw) + 1;

		if (group->last == key)
			continue;
		group->last = key;
		if (raw)
			group->raw_sites++;
		else
			group->call_sites++;
	}
}

struct err *sums_finish(struct sums *sums, size_t raw_sites, size_t call_sites)
{
	if (sums->overflow)
		return err_new(ERR_DB, "a sum is too large for 64 bits");
	count_different(sums, raw_sites, true);
	count_different(sums, call_sites, false);
	return NULL;
}
