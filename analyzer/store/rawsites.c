// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rawsites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/conditions.h"
#include "store/rows.h"

/* A row of _callsite. */
struct place {
	int64_t id;
	uint32_t kind, file, func, module, subsystem, name;
	bool wanted;
	int64_t line; /* plus 1; 0: not known */
};

struct place_recording {
	int64_t id;
	uint32_t host, name;
	bool wanted;
};

enum { MAX_KINDS = 8 };

/* While they are loaded. */
struct loader {
	struct known_kind {
		uint32_t kind;
		bool fits;
	} kind[MAX_KINDS];
	size_t nr_kinds;
	struct rawsites *sites;
	struct place *place; /* by id */
	size_t nr, cap;
	struct pairs call_sites;
};

static void loader_deinit(struct loader *loader)
{
	free(loader->place);
	pairs_deinit(&loader->call_sites);
}

enum rawsites_by rawsites_by(const char *name)
{
	static const char *const names[] = {
		[RAWSITES_BY_SITE] = "site",
		[RAWSITES_BY_KIND] = "kind",
		[RAWSITES_BY_FUNCTION] = "function",
		[RAWSITES_BY_FILE] = "file",
		[RAWSITES_BY_DIRECTORY] = "directory",
		[RAWSITES_BY_MODULE] = "module",
		[RAWSITES_BY_CACHE] = "cache",
		[RAWSITES_BY_RECORDING] = "recording",
		[RAWSITES_BY_HOST] = "host",
		[RAWSITES_BY_CALLER] = "caller",
		[RAWSITES_BY_PID] = "pid",
		[RAWSITES_BY_TGID] = "tgid",
		[RAWSITES_BY_COMM] = "comm",
		[RAWSITES_BY_CGROUP] = "cgroup",
		[RAWSITES_BY_CPU] = "cpu",
		[RAWSITES_BY_NODE] = "node",
		[RAWSITES_BY_CONTEXT] = "context",
		[RAWSITES_BY_GFP] = "gfp",
		[RAWSITES_BY_ORDER] = "order",
		[RAWSITES_BY_MIGRATETYPE] = "migratetype",
		[RAWSITES_BY_BLOCKS] = "blocks",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return (enum rawsites_by)i;
	return RAWSITES_BY_NOTHING;
}

bool rawsites_cache_fits(struct rawsites *sites, uint32_t cache)
{
	enum { NOT_ASKED, NO, YES };
	const char *wanted = sites->opts->filter[FILTER_CACHE];

	if (!wanted || !*wanted)
		return true;
	while (sites->cap_cache_fits <= cache) {
		size_t nr = sites->cap_cache_fits;

		vec_room(sites->cache_fits, nr, sites->cap_cache_fits);
		memset(sites->cache_fits + nr, NOT_ASKED, sites->cap_cache_fits - nr);
	}
	if (sites->cache_fits[cache] == NOT_ASKED) {
		const char *name = strings_text(&sites->strings, cache);

		sites->cache_fits[cache] = conditions_text(wanted, name) ? YES : NO;
	}
	return sites->cache_fits[cache] == YES;
}

static bool is_given(const char *condition)
{
	return condition && *condition;
}

static uint32_t text_id(struct rawsites *sites, const struct cell *cell)
{
	return cell->type == CELL_NULL ? 0 : strings_id(&sites->strings, cell->text, cell->len);
}

static bool kind_fits(struct loader *loader, uint32_t kind)
{
	for (size_t i = 0; i < loader->nr_kinds; i++)
		if (loader->kind[i].kind == kind)
			return loader->kind[i].fits;
	const char *name = strings_text(&loader->sites->strings, kind);
	bool fits = conditions_kind(loader->sites->opts->kinds, name ? name : "");

	if (loader->nr_kinds < MAX_KINDS)
		loader->kind[loader->nr_kinds++] = (struct known_kind){ kind, fits };
	return fits;
}

/* A member of an array of structures that begin with their id, and ascend by it. */
static const void *find(const void *base, size_t nr, size_t size, int64_t id)
{
	const char *array = base;
	size_t low = 0, high = nr;

	if (!nr)
		return NULL;
	/* Ids mostly count up by one. */
	uint64_t guess = (uint64_t)id - (uint64_t) * (const int64_t *)array;

	if (guess < nr && *(const int64_t *)(array + guess * size) == id)
		return array + guess * size;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int64_t at = *(const int64_t *)(array + middle * size);

		if (at == id)
			return array + middle * size;
		if (at < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct raw_place *rawsites_find(const struct rawsites *sites, int64_t id)
{
	return find(sites->raw, sites->nr_raw, sizeof(*sites->raw), id);
}

int64_t rawsites_recording(const struct rawsites *sites, size_t index)
{
	return sites->recording[index].id;
}

static struct err *load_recordings(struct rawsites *sites, struct query_db *db)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct rawsites_opts *opts = sites->opts;
	const struct cell *row;

	TRY(query_prepare(db, "SELECT id, hostname FROM _recording ORDER BY id", NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		const char *host = row[1].type == CELL_NULL ? NULL : row[1].text;
		char number[24];
		int len = snprintf(number, sizeof(number), "%" PRId64, row[0].i);

		vec_room(sites->recording, sites->nr_recordings, sites->cap_recordings);
		struct place_recording *to = &sites->recording[sites->nr_recordings++];

		*to = (struct place_recording){
			.id = row[0].i,
			.host = text_id(sites, &row[1]),
			.wanted = conditions_number(opts->filter[FILTER_RECORDING], true,
						    row[0].i) &&
				  conditions_exact(opts->filter[FILTER_HOST], host),
		};
		if (opts->by == RAWSITES_BY_RECORDING)
			to->name = strings_id(&sites->strings, number, (size_t)len);
		else if (opts->by == RAWSITES_BY_HOST)
			to->name = to->host;
	}
}

/* The folder of a file, 0 where it has none. */
static uint32_t subsystem(struct rawsites *sites, const struct cell *file)
{
	size_t len = file->type == CELL_NULL ? 0 : file->len;

	while (len && file->text[len - 1] != '/')
		len--;
	while (len && file->text[len - 1] == '/')
		len--;
	return len ? strings_id(&sites->strings, file->text, len) : 0;
}

/* Columns of _callsite below. */
enum { ID, KIND, FILE_NAME, LINE, FUNC, MODULE };

static uint32_t function_name(struct strings *strings, uint32_t func, const char *module)
{
	if (!func || !module)
		return func;
	auto_free char *name = xasprintf("%s [%s]", strings_text(strings, func), module);

	return strings_id(strings, name, strlen(name));
}

static uint32_t place_name(struct rawsites *sites, const struct place *place)
{
	struct strings *strings = &sites->strings;
	const char *module = strings_text(strings, place->module);

	switch (sites->opts->by) {
	case RAWSITES_BY_KIND:
		return place->kind;
	case RAWSITES_BY_FILE:
		return place->file;
	case RAWSITES_BY_DIRECTORY:
		return place->subsystem;
	case RAWSITES_BY_MODULE:
		return module ? place->module : strings_id(strings, "vmlinux", 7);
	case RAWSITES_BY_FUNCTION:
		return function_name(strings, place->func, module);
	case RAWSITES_BY_SITE:
	case RAWSITES_BY_CACHE:
	case RAWSITES_BY_RECORDING:
	case RAWSITES_BY_HOST:
	case RAWSITES_BY_CALLER:
	case RAWSITES_BY_PID:
	case RAWSITES_BY_TGID:
	case RAWSITES_BY_COMM:
	case RAWSITES_BY_CGROUP:
	case RAWSITES_BY_CPU:
	case RAWSITES_BY_NODE:
	case RAWSITES_BY_CONTEXT:
	case RAWSITES_BY_GFP:
	case RAWSITES_BY_ORDER:
	case RAWSITES_BY_MIGRATETYPE:
	case RAWSITES_BY_BLOCKS:
	case RAWSITES_BY_NOTHING:
		return 0;
	}
	return 0;
}

static struct err *add_place(void *arg, const struct cell *row)
{
	struct loader *loader = arg;
	struct rawsites *sites = loader->sites;
	const struct rawsites_opts *opts = sites->opts;

	vec_room(loader->place, loader->nr, loader->cap);
	struct place *place = &loader->place[loader->nr++];

	*place = (struct place){
		.id = row[ID].i,
		.kind = text_id(sites, &row[KIND]),
		.file = text_id(sites, &row[FILE_NAME]),
		.func = text_id(sites, &row[FUNC]),
		.module = text_id(sites, &row[MODULE]),
		.subsystem = subsystem(sites, &row[FILE_NAME]),
	};
	if (row[LINE].type != CELL_NULL)
		place->line = (int64_t)((uint64_t)row[LINE].i + 1);
	const char *file = strings_text(&sites->strings, place->file);
	const char *func = strings_text(&sites->strings, place->func);
	const char *module = strings_text(&sites->strings, place->module);

	place->wanted = kind_fits(loader, place->kind) &&
			conditions_path(opts->filter[FILTER_FILE], file) &&
			conditions_text(opts->filter[FILTER_FUNC], func) &&
			conditions_module(opts->filter[FILTER_MODULE], module);
	place->name = place_name(sites, place);
	return NULL;
}

static uint32_t raw_name(struct rawsites *sites, const struct place *place,
			 const struct raw_place *raw)
{
	char number[24];
	int len;

	switch (sites->opts->by) {
	case RAWSITES_BY_SITE:
		len = snprintf(number, sizeof(number), "%" PRId64,
			       sites->call_site[raw->call_site]);
		return strings_id(&sites->strings, number, (size_t)len);
	case RAWSITES_BY_CACHE:
		return raw->cache;
	case RAWSITES_BY_RECORDING:
	case RAWSITES_BY_HOST:
		return sites->recording[raw->recording].name;
	case RAWSITES_BY_KIND:
	case RAWSITES_BY_FUNCTION:
	case RAWSITES_BY_FILE:
	case RAWSITES_BY_DIRECTORY:
	case RAWSITES_BY_MODULE:
	case RAWSITES_BY_CALLER:
	case RAWSITES_BY_PID:
	case RAWSITES_BY_TGID:
	case RAWSITES_BY_COMM:
	case RAWSITES_BY_CGROUP:
	case RAWSITES_BY_CPU:
	case RAWSITES_BY_NODE:
	case RAWSITES_BY_CONTEXT:
	case RAWSITES_BY_GFP:
	case RAWSITES_BY_ORDER:
	case RAWSITES_BY_MIGRATETYPE:
	case RAWSITES_BY_BLOCKS:
	case RAWSITES_BY_NOTHING:
		return place->name;
	}
	return 0;
}

static uint32_t call_site_index(struct loader *loader, int64_t id)
{
	struct rawsites *sites = loader->sites;
	bool is_new;
	uint32_t index = pairs_id(&loader->call_sites, 0, id, &is_new) - 1;

	if (is_new) {
		vec_room(sites->call_site, sites->nr_call_sites, sites->cap_call_sites);
		sites->call_site[sites->nr_call_sites++] = id;
	}
	return index;
}

/* Columns of _raw_site below, behind ID. */
enum { CALLSITE = 1, RECORDING, SELF, CACHE, CALLER_DEPTH };

static struct err *add_raw(void *arg, const struct cell *row)
{
	struct loader *loader = arg;
	struct rawsites *sites = loader->sites;
	const struct place *place =
		find(loader->place, loader->nr, sizeof(*loader->place), row[CALLSITE].i);
	const struct place_recording *recording =
		find(sites->recording, sites->nr_recordings, sizeof(*sites->recording),
		     row[RECORDING].i);

	if (!place || !recording)
		return NULL;
	vec_room(sites->raw, sites->nr_raw, sites->cap_raw);
	struct raw_place *raw = &sites->raw[sites->nr_raw++];
	uint64_t call_site = 2 * (uint64_t)place->id + (uint64_t)row[SELF].i;

	*raw = (struct raw_place){
		.id = row[ID].i,
		.kind = place->kind,
		.call_site = call_site_index(loader, (int64_t)call_site),
		.recording = (uint32_t)(recording - sites->recording),
		.cache = text_id(sites, &row[CACHE]),
		.wanted =
			place->wanted && recording->wanted && row[SELF].i <= sites->opts->self,
		.self = row[SELF].i,
		.caller_depth =
			row[CALLER_DEPTH].type == CELL_INT ? row[CALLER_DEPTH].i : INT64_MIN,
	};
	raw->name = raw_name(sites, place, raw);
	memcpy(raw->same,
	       (int64_t[NR_SAMES]){
		       [SUMS_FILE] = place->file,
		       [SUMS_FUNC] = place->func,
		       [SUMS_MODULE] = place->module,
		       [SUMS_CACHE] = raw->cache,
		       [SUMS_SUBSYSTEM] = place->subsystem,
		       [SUMS_HOST] = recording->host,
		       [SUMS_LINE] = place->line,
		       [SUMS_RECORDING] = (int64_t)raw->recording + 1,
		       [SUMS_CALL_SITE] = (int64_t)raw->call_site + 1,
	       },
	       sizeof(raw->same));
	return NULL;
}

/* Texts that nobody asks for are not read. */
static char *place_columns(const struct rawsites_opts *opts)
{
	const char *const *filter = opts->filter;
	enum rawsites_by by = opts->by;
	bool same[NR_SAMES], function = by == RAWSITES_BY_FUNCTION;

	for (int i = 0; i < NR_SAMES; i++)
		same[i] = opts->same >> i & 1;
	bool file = same[SUMS_FILE] || same[SUMS_SUBSYSTEM] || by == RAWSITES_BY_FILE ||
		    by == RAWSITES_BY_DIRECTORY || is_given(filter[FILTER_FILE]);
	bool func = same[SUMS_FUNC] || function || is_given(filter[FILTER_FUNC]);
	bool module = same[SUMS_MODULE] || function || by == RAWSITES_BY_MODULE ||
		      is_given(filter[FILTER_MODULE]);

	return xasprintf("id, kind, %s, %s, %s, %s", file ? "file" : "NULL",
			 same[SUMS_LINE] ? "line" : "NULL", func ? "func" : "NULL",
			 module ? "module" : "NULL");
}

bool rawsites_needs_cache(const struct rawsites_opts *opts)
{
	return opts->same >> SUMS_CACHE & 1 || opts->by == RAWSITES_BY_CACHE ||
	       is_given(opts->filter[FILTER_CACHE]);
}

struct err *rawsites_load(struct rawsites *sites, struct query_db *db,
			  const struct rawsites_opts *opts)
{
	CLEANUP(loader_deinit) struct loader loader = { .sites = sites };
	auto_free char *of_place = place_columns(opts);
	auto_free char *of_raw =
		xasprintf("id, callsite, recording, self, %s, %s",
			  rawsites_needs_cache(opts) ? "cache" : "NULL",
			  opts->by == RAWSITES_BY_CALLER ? "caller_depth" : "NULL");

	sites->opts = opts;
	TRY(load_recordings(sites, db));
	TRY(rows_each(db, &(struct rows_query){ "_callsite", of_place, "id", add_place, &loader,
						NULL }));
	return rows_each(db, &(struct rows_query){ "_raw_site", of_raw, "id", add_raw, &loader,
						   NULL });
}

void rawsites_deinit(struct rawsites *sites)
{
	strings_deinit(&sites->strings);
	free(sites->raw);
	free(sites->call_site);
	free(sites->recording);
	free(sites->cache_fits);
	*sites = (struct rawsites){};
}
