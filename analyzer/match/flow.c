// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/flow.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

static_assert(sizeof(struct flow) == 32, "a flow is four words");

TABLE_INLINE uint64_t seen_key(const void *entry)
{
	return *(const uint64_t *)entry;
}

TABLE_INLINE bool seen_used(const void *entry)
{
	return *(const uint64_t *)entry != 0;
}

TABLE_OPS(seen, uint64_t, seen_used, TABLE_SMALL)

void flow_init(struct flow_table *flows)
{
	*flows = (struct flow_table){
		.cap = 512,
		.nr_slots = 1024,
		.secret = hash_secret(),
	};
	flows->flow = xcalloc(flows->cap, sizeof(*flows->flow));
	flows->slot = xcalloc(flows->nr_slots, sizeof(*flows->slot));
	table_init(&flows->seen, &seen_ops);
}

void flow_deinit(struct flow_table *flows)
{
	free(flows->flow);
	free(flows->slot);
	table_deinit(&flows->seen);
}

static size_t home(const struct flow_table *flows, const struct flow *f)
{
	uint64_t hash = hash_of(flows->secret, f->call_site);

	/* One after the other: a sum of them could be made to be equal for many. */
	hash = hash_of(flows->secret, hash ^ ((uint64_t)f->site << 32 | f->bytes));
	hash = hash_of(flows->secret, hash ^ f->cache);
	return (size_t)(hash >> 32) & (flows->nr_slots - 1);
}

static bool equal(const struct flow *a, const struct flow *b)
{
	return a->call_site == b->call_site && a->site == b->site && a->bytes == b->bytes &&
	       a->cache == b->cache;
}

static void grow(struct flow_table *flows)
{
	flows->cap *= 2;
	flows->flow = xreallocarray(flows->flow, flows->cap, sizeof(*flows->flow));
	memset(flows->flow + flows->nr, 0, (flows->cap - flows->nr) * sizeof(*flows->flow));
	free(flows->slot);
	flows->nr_slots *= 2;
	flows->slot = xcalloc(flows->nr_slots, sizeof(*flows->slot));
	for (size_t n = 0; n < flows->nr; n++) {
		size_t i = home(flows, &flows->flow[n]);

		while (flows->slot[i])
			i = (i + 1) & (flows->nr_slots - 1);
		flows->slot[i] = (uint32_t)n + 1;
	}
}

void flow_find(struct flow_table *flows, const struct flow *f, uint32_t *recent)
{
	size_t i = home(flows, f);

	for (; flows->slot[i]; i = (i + 1) & (flows->nr_slots - 1)) {
		struct flow *have = &flows->flow[flows->slot[i] - 1];

		if (equal(have, f)) {
			have->nr++;
			*recent = flows->slot[i] - 1;
			return;
		}
	}
	if (flows->nr == FLOW_MAX) {
		flows->full = true;
		return;
	}
	flows->flow[flows->nr++] = *f;
	flows->slot[i] = (uint32_t)flows->nr;
	*recent = (uint32_t)flows->nr - 1;
	if (flows->nr == flows->cap)
		grow(flows);
}

bool flow_seen(struct flow_table *flows, uint64_t addr)
{
	if (flows->seen.nr == FLOW_MAX_SEEN)
		return table_find(&flows->seen, &seen_ops, addr) != NULL;
	uint64_t *entry = table_put(&flows->seen, &seen_ops, addr);
	bool seen = *entry != 0;

	*entry = addr;
	return seen;
}

void flow_forget(struct flow_table *flows)
{
	memset(flows->flow, 0, flows->nr * sizeof(*flows->flow));
	flows->nr = 0;
	flows->full = false;
	memset(flows->slot, 0, flows->nr_slots * sizeof(*flows->slot));
}

void flow_renumber(struct flow_table *flows, const uint32_t *to)
{
	for (size_t i = 0; i < flows->nr; i++)
		if (flows->flow[i].site < FLOW_SITES) {
			uint32_t site = to[flows->flow[i].site];

			/* Known, and of no site that is reported. */
			flows->flow[i].site = site == UINT32_MAX ? FLOW_LARGE : site;
		}
}
