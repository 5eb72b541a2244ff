/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/dwtables.h - the tables of abbreviations of a file, each read once
 *
 * In:     .debug_abbrev, any bytes; where the units' tables begin in it
 * Out:    the table of a unit
 * Use:    dwtables_of() for each unit, by one thread; dwtable_abbrevs() by any
 * Rules:  (1) a table is read when it is first asked for
 *         (2) all of them in at most DWTABLES_WORK bytes a byte of their section, since
 *             units may share or overlap them; what is beyond is empty
 */
#ifndef RESOLVE_DWTABLES_H
#define RESOLVE_DWTABLES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "resolve/dwabbrev.h"

enum { DWTABLES_WORK = 8 };

struct dwtable {
	struct dwtables *of;
	uint64_t off;
	struct dwparams params;
	pthread_mutex_t lock;
	atomic_bool read;
	struct dwabbrevs abbrevs;
};

struct dwtables {
	struct span section;
	struct dwtable **slot; /* open addressing, a power of two */
	size_t nr_slots, nr;
	struct hash_secret secret;
	atomic_size_t work; /* bytes that may still be read */
};

/* @tables does not move from then on. */
void dwtables_init(struct dwtables *tables, struct span section);
void dwtables_deinit(struct dwtables *tables);

/* The table at @off of a unit with such @params; both tell tables apart. */
struct dwtable *dwtables_of(struct dwtables *tables, uint64_t off, struct dwparams params);

void dwtable_read(struct dwtable *table);

static inline const struct dwabbrevs *dwtable_abbrevs(struct dwtable *table)
{
	if (!atomic_load_explicit(&table->read, memory_order_acquire))
		dwtable_read(table);
	return &table->abbrevs;
}

#endif
