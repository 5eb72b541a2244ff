// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/who.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/conditions.h"

/* Groups and conditions that each dimension serves. */
static const struct {
	enum rawsites_by by[4];
	enum filter_key key[4];
	size_t nr;
	bool per_recording; /* the same number is another in another recording */
} dims[WHO_DIMS] = {
	[WHO_TASK] = { { RAWSITES_BY_PID, RAWSITES_BY_TGID, RAWSITES_BY_COMM,
			 RAWSITES_BY_CGROUP },
		       { FILTER_PID, FILTER_TGID, FILTER_COMM, FILTER_CGROUP },
		       4,
		       true },
	[WHO_CPU] = { { RAWSITES_BY_CPU, RAWSITES_BY_NODE },
		      { FILTER_CPU, FILTER_NODE },
		      2,
		      true },
	[WHO_CONTEXT] = { { RAWSITES_BY_CONTEXT }, { FILTER_CONTEXT }, 1, false },
	[WHO_GFP] = { { RAWSITES_BY_GFP }, { FILTER_GFP }, 1, false },
	[WHO_ORDER] = { { RAWSITES_BY_ORDER, RAWSITES_BY_BLOCKS },
			{ FILTER_ORDER, FILTER_ORDER },
			2,
			false },
	[WHO_MIGRATETYPE] = { { RAWSITES_BY_MIGRATETYPE, RAWSITES_BY_BLOCKS },
			      { FILTER_MIGRATETYPE, FILTER_MIGRATETYPE },
			      2,
			      true },
};

/* What tables tell of one value, NULL where they do not. */
struct known {
	const char *tgid, *leader; /* tgid, and the name of that task */
	const char *text;	   /* comm, node, flags, name of the migrate type */
	const char *cgroup;
};

void who_deinit(struct who *who)
{
	for (int i = 0; i < WHO_DIMS; i++) {
		pairs_deinit(&who->dim[i].keys);
		free(who->dim[i].value);
	}
	pairs_deinit(&who->caches);
	free(who->cache);
	pairs_deinit(&who->blocks);
	free(who->block);
}

static uint32_t text_id(struct who *who, const char *text)
{
	return text ? strings_id(&who->sites->strings, text, strlen(text)) : 0;
}

/* These flags, or this one among others. */
static bool gfp_fits(const char *wanted, const char *flags)
{
	if (conditions_exact(wanted, flags))
		return true;
	if (!flags)
		return false;
	auto_free char *list = xasprintf("|%s|", flags);
	auto_free char *word = xasprintf("|%s|", wanted);

	return strstr(list, word) != NULL;
}

/* Bits of common_flags. */
static const char *context_name(const struct who_key *key)
{
	if (!key->known)
		return NULL;
	return key->value & 64	 ? "nmi"
	       : key->value & 8	 ? "hardirq"
	       : key->value & 16 ? "softirq"
				 : "task";
}

static bool task_fits(const char *const *filter, const struct who_key *key,
		      const struct known *known)
{
	return conditions_number(filter[FILTER_PID], key->known, key->value) &&
	       conditions_number(filter[FILTER_TGID], known->tgid != NULL,
				 known->tgid ? strtoll(known->tgid, NULL, 10) : 0) &&
	       conditions_text(filter[FILTER_COMM], known->text) &&
	       conditions_path(filter[FILTER_CGROUP], known->cgroup);
}

static bool fits(struct who *who, enum who_dim dim, const struct who_key *key,
		 const struct known *known)
{
	const char *const *filter = who->sites->opts->filter;

	switch (dim) {
	case WHO_TASK:
		return task_fits(filter, key, known);
	case WHO_CPU:
		return conditions_number(filter[FILTER_CPU], key->known, key->value) &&
		       conditions_number(filter[FILTER_NODE], known->text != NULL,
					 known->text ? strtoll(known->text, NULL, 10) : 0);
	case WHO_CONTEXT:
		return conditions_exact(filter[FILTER_CONTEXT], context_name(key));
	case WHO_GFP:
		return gfp_fits(filter[FILTER_GFP], known->text);
	case WHO_ORDER:
		return conditions_number(filter[FILTER_ORDER], key->known, key->value);
	case WHO_MIGRATETYPE:
		return conditions_exact(filter[FILTER_MIGRATETYPE], known->text);
	case WHO_DIMS:
		break;
	}
	return true;
}

/* The name of the group that a value of the dimension which gives it is in. */
static uint32_t name_of(struct who *who, enum who_dim dim, const struct who_key *key,
			const struct known *known)
{
	enum rawsites_by by = who->sites->opts->by;
	auto_free char *text = NULL;

	if (by == RAWSITES_BY_CONTEXT)
		return text_id(who, context_name(key));
	if (by == RAWSITES_BY_PID && key->known)
		text = xasprintf("%" PRId64 "%s%s", key->value, known->text ? " " : "",
				 known->text ? known->text : "");
	else if (by == RAWSITES_BY_TGID && known->tgid)
		text = xasprintf("%s%s%s", known->tgid, known->leader ? " " : "",
				 known->leader ? known->leader : "");
	else if ((by == RAWSITES_BY_CPU || dim == WHO_ORDER) && key->known)
		text = xasprintf("%" PRId64, key->value);
	else if (by == RAWSITES_BY_CGROUP)
		return text_id(who, known->cgroup);
	else if (by == RAWSITES_BY_COMM || by == RAWSITES_BY_NODE || by == RAWSITES_BY_GFP ||
		 dim == WHO_MIGRATETYPE)
		return text_id(who, known->text);
	return text_id(who, text);
}

static struct who_value *find(struct who *who, enum who_dim dim, int64_t recording,
			      const struct who_key *key, const struct known *known)
{
	struct who_table *table = &who->dim[dim];
	/* Recordings count from 1: the bit below their number is free. */
	uint64_t of = (dims[dim].per_recording ? (uint64_t)recording << 1 : 0) | key->known;
	bool is_new;
	uint32_t id = pairs_id(&table->keys, (int64_t)of, key->known ? key->value : 0, &is_new);

	if (is_new) {
		vec_room(table->value, table->nr, table->cap);
		table->value[table->nr++] = (struct who_value){
			.name = table->names ? name_of(who, dim, key, known) : 0,
			.wanted = fits(who, dim, key, known),
		};
	}
	return &table->value[id - 1];
}

/* Columns of the queries below: recording, value, then what is known of it. */
enum { RECORDING, VALUE, TEXT, TGID, CGROUP, LEADER, COLUMNS };

static const char *known_text(const struct cell *row, size_t nr, size_t column)
{
	return column < nr && row[column].type != CELL_NULL ? row[column].text : NULL;
}

static struct err *load_dim(struct who *who, struct query_db *db, enum who_dim dim,
			    const char *sql)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	if (!who->dim[dim].needed)
		return NULL;
	TRY(query_prepare(db, sql, NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		size_t nr = query_nr_columns(query);
		const struct who_key key = { row[VALUE].type != CELL_NULL, row[VALUE].i };
		const struct known known = {
			.text = known_text(row, nr, TEXT),
			.tgid = known_text(row, nr, TGID),
			.cgroup = known_text(row, nr, CGROUP),
			.leader = known_text(row, nr, LEADER),
		};

		find(who, dim, row[RECORDING].i, &key, &known);
	}
}

static struct err *load_caches(struct who *who, struct query_db *db)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, "SELECT id, name FROM _cache", NULL, &query));
	for (;;) {
		bool is_new;

		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		pairs_id(&who->caches, 0, row[0].i, &is_new);
		if (!is_new)
			continue;
		vec_room(who->cache, who->nr_caches, who->cap_caches);
		who->cache[who->nr_caches++] =
			row[1].type == CELL_NULL
				? 0
				: strings_id(&who->sites->strings, row[1].text, row[1].len);
	}
}

struct err *who_load(struct who *who, struct query_db *db, struct rawsites *sites)
{
	const struct rawsites_opts *opts = sites->opts;

	who->sites = sites;
	for (int dim = 0; dim < WHO_DIMS; dim++) {
		for (size_t i = 0; i < dims[dim].nr; i++) {
			const char *wanted = opts->filter[dims[dim].key[i]];

			who->dim[dim].names |= opts->by == dims[dim].by[i];
			who->dim[dim].needed |= wanted && *wanted;
		}
		who->dim[dim].needed |= who->dim[dim].names;
	}
	TRY(load_caches(who, db));
	TRY(load_dim(
		who, db, WHO_TASK,
		opts->by == RAWSITES_BY_TGID
			? "SELECT t.recording, t.pid, t.comm, CAST(t.tgid AS TEXT), t.cgroup, "
			  "p.comm FROM _task t LEFT JOIN _task p ON p.recording = t.recording "
			  "AND p.pid = t.tgid"
			: "SELECT recording, pid, comm, CAST(tgid AS TEXT), cgroup FROM _task"));
	TRY(load_dim(who, db, WHO_CPU,
		     "SELECT recording, cpu, CAST(node AS TEXT) FROM _cpu_node"));
	TRY(load_dim(who, db, WHO_GFP, "SELECT 0, id, text FROM _gfp"));
	return load_dim(who, db, WHO_MIGRATETYPE,
			"SELECT recording, migratetype, name FROM _migratetype");
}

/* "ORDER TYPE", of the names of both. */
static uint32_t block_name(struct who *who, uint32_t order, uint32_t type)
{
	struct strings *strings = &who->sites->strings;
	bool is_new;
	uint32_t id = pairs_id(&who->blocks, order, type, &is_new);

	if (is_new) {
		auto_free char *name = !order ? NULL
				       : type ? xasprintf("%s %s", strings_text(strings, order),
							  strings_text(strings, type))
					      : xstrdup(strings_text(strings, order));

		vec_room(who->block, who->nr_blocks, who->cap_blocks);
		who->block[who->nr_blocks++] = text_id(who, name);
	}
	return who->block[id - 1];
}

bool who_find(struct who *who, const struct raw_place *raw, const struct who_key key[WHO_DIMS],
	      const struct who_key *cache, uint32_t *ret_name, uint32_t *ret_cache)
{
	enum rawsites_by by = who->sites->opts->by;
	int64_t recording = rawsites_recording(who->sites, raw->recording);

	*ret_cache = raw->cache;
	if (cache->known) {
		bool is_new = false;
		uint32_t id = pairs_id(&who->caches, 0, cache->value, &is_new);

		/* One that no table tells of is none. */
		if (is_new) {
			vec_room(who->cache, who->nr_caches, who->cap_caches);
			who->cache[who->nr_caches++] = 0;
		}
		if (who->cache[id - 1])
			*ret_cache = who->cache[id - 1];
	}
	if (!rawsites_cache_fits(who->sites, *ret_cache))
		return false;
	uint32_t name[WHO_DIMS] = {};

	*ret_name = by == RAWSITES_BY_CACHE ? *ret_cache : raw->name;
	for (int dim = 0; dim < WHO_DIMS; dim++) {
		if (!who->dim[dim].needed)
			continue;
		char number[24];
		struct known known = {};

		/* A type without a name goes by its number. */
		if (dim == WHO_MIGRATETYPE && key[dim].known) {
			snprintf(number, sizeof(number), "%" PRId64, key[dim].value);
			known.text = number;
		}
		const struct who_value *value =
			find(who, (enum who_dim)dim, recording, &key[dim], &known);

		if (!value->wanted)
			return false;
		name[dim] = value->name;
		if (who->dim[dim].names)
			*ret_name = value->name;
	}
	if (by == RAWSITES_BY_BLOCKS)
		*ret_name = block_name(who, name[WHO_ORDER], name[WHO_MIGRATETYPE]);
	return true;
}
