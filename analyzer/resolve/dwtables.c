// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/dwtables.h"

#include <stdlib.h>

#include "base/xalloc.h"

void dwtables_init(struct dwtables *tables, struct span section)
{
	*tables = (struct dwtables){ .section = section, .secret = hash_secret() };
	atomic_store(&tables->work, DWTABLES_WORK * section.len);
}

void dwtables_deinit(struct dwtables *tables)
{
	for (size_t i = 0; i < tables->nr_slots; i++) {
		if (!tables->slot[i])
			continue;
		dwabbrevs_deinit(&tables->slot[i]->abbrevs);
		pthread_mutex_destroy(&tables->slot[i]->lock);
		free(tables->slot[i]);
	}
	free(tables->slot);
}

static uint32_t hash(struct hash_secret secret, uint64_t off, struct dwparams params)
{
	uint64_t sizes = (uint64_t)params.version << 16 | (uint64_t)params.addr_size << 8 |
			 params.off_size;

	return hash_word(secret, hash_of(secret, off) ^ sizes);
}

static bool same_params(struct dwparams a, struct dwparams b)
{
	return a.version == b.version && a.addr_size == b.addr_size && a.off_size == b.off_size;
}

static struct dwtable **find(const struct dwtables *tables, uint64_t off,
			     struct dwparams params)
{
	for (size_t i = hash(tables->secret, off, params);; i++) {
		struct dwtable **at = &tables->slot[i & (tables->nr_slots - 1)];

		if (!*at || ((*at)->off == off && same_params((*at)->params, params)))
			return at;
	}
}

static void grow(struct dwtables *tables)
{
	auto_free struct dwtable **old = tables->slot;
	size_t nr = tables->nr_slots;

	tables->nr_slots = nr ? nr * 2 : 64;
	tables->slot = xcalloc(tables->nr_slots, sizeof(*tables->slot));
	for (size_t i = 0; i < nr; i++)
		if (old[i])
			*find(tables, old[i]->off, old[i]->params) = old[i];
}

struct dwtable *dwtables_of(struct dwtables *tables, uint64_t off, struct dwparams params)
{
	if (tables->nr * 2 >= tables->nr_slots)
		grow(tables);
	struct dwtable **at = find(tables, off, params);

	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->of = tables;
		(*at)->off = off;
		(*at)->params = params;
		pthread_mutex_init(&(*at)->lock, NULL);
		tables->nr++;
	}
	return *at;
}

void dwtable_read(struct dwtable *table)
{
	pthread_mutex_lock(&table->lock);
	if (!atomic_load(&table->read)) {
		/* Others may change it, one table at a time each: an estimate will do. */
		atomic_size_t *work = &table->of->work;
		size_t len = 0;

		if (atomic_load(work))
			dwabbrevs_init(&table->abbrevs, table->of->section, table->off,
				       table->params, &len);
		atomic_store(work, len < atomic_load(work) ? atomic_load(work) - len : 0);
		atomic_store_explicit(&table->read, true, memory_order_release);
	}
	pthread_mutex_unlock(&table->lock);
}
