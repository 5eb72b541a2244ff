/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/rawsites.h - the raw sites of a database, as groups and conditions see them
 *
 * In:     an open database; what a report is grouped by and restricted to
 * Out:    each raw site's place in the source, recording and machine, whether it is
 *         wanted, and the name of its group where such things decide that
 * Rules:  (1) conditions are those of store/conditions.h
 *         (2) a raw site whose call site or recording there is not is none
 */
#ifndef STORE_RAWSITES_H
#define STORE_RAWSITES_H

#include "store/filter.h"
#include "store/side.h"
#include "store/sums.h"

/* What a row of the sums is; those from RAWSITES_BY_PID on are of accounts only. */
enum rawsites_by {
	RAWSITES_BY_SITE,
	RAWSITES_BY_KIND,
	RAWSITES_BY_FUNCTION,
	RAWSITES_BY_FILE,
	RAWSITES_BY_DIRECTORY,
	RAWSITES_BY_MODULE,
	RAWSITES_BY_CACHE,
	RAWSITES_BY_RECORDING,
	RAWSITES_BY_HOST,
	RAWSITES_BY_CALLER,
	RAWSITES_BY_PID,
	RAWSITES_BY_TGID,
	RAWSITES_BY_COMM,
	RAWSITES_BY_CGROUP,
	RAWSITES_BY_CPU,
	RAWSITES_BY_NODE,
	RAWSITES_BY_CONTEXT,
	RAWSITES_BY_GFP,
	RAWSITES_BY_ORDER,
	RAWSITES_BY_MIGRATETYPE,
	RAWSITES_BY_BLOCKS,  /* order and migrate type, "ORDER TYPE" */
	RAWSITES_BY_NOTHING, /* no such group: one without a name */
};

struct rawsites_opts {
	enum rawsites_by by;
	int64_t depth;			 /* by caller */
	const char *kinds;		 /* "slab,page" */
	int64_t self;			 /* the largest that is wanted */
	uint32_t same;			 /* bits of enum sums_same: the rest may be 0 */
	const char *filter[FILTER_KEYS]; /* "" or NULL: any */
};

struct raw_place {
	int64_t id;
	uint32_t kind;
	uint32_t call_site; /* index */
	uint32_t recording; /* index */
	uint32_t cache;
	uint32_t name; /* of the group, where the raw site decides that */
	bool wanted;   /* without a look at its cache, which accounts may know better */
	int64_t self;
	int64_t caller_depth; /* by caller: of who called; INT64_MIN: nobody is known */
	int64_t same[NR_SAMES];
};

struct rawsites {
	const struct rawsites_opts *opts;
	struct strings strings;
	struct raw_place *raw; /* by id */
	size_t nr_raw, cap_raw;
	int64_t *call_site; /* ids */
	size_t nr_call_sites, cap_call_sites;
	struct place_recording *recording; /* by id */
	size_t nr_recordings, cap_recordings;
	uint8_t *cache_fits; /* of each text: not asked yet, no, yes */
	size_t cap_cache_fits;
};

enum rawsites_by rawsites_by(const char *name);

struct err *rawsites_load(struct rawsites *sites, struct query_db *db,
			  const struct rawsites_opts *opts) MUST_CHECK;
void rawsites_deinit(struct rawsites *sites);

/* Whether the cache is shown, gives the name of groups, or is a condition. */
bool rawsites_needs_cache(const struct rawsites_opts *opts);

/* The raw site with that id, or NULL. */
const struct raw_place *rawsites_find(const struct rawsites *sites, int64_t id);

/* Id of a recording by its index, and its host. */
int64_t rawsites_recording(const struct rawsites *sites, size_t index);

/* Whether the slab cache of that name, 0 for none, fits the condition. */
bool rawsites_cache_fits(struct rawsites *sites, uint32_t cache);

#endif
