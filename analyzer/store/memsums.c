// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/memsums.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/pairs.h"
#include "store/quickview.h"
#include "store/rows.h"
#include "store/rowtab.h"
#include "store/side.h"

static const struct quickview_words meminfo_words[] = {
	{ "WITH named AS MATERIALIZED (\n"
	  "\t-- Few frames are of these functions.\n"
	  "\tSELECT f.id AS frame, x.item AS item, x.kind AS kind\n"
	  "\tFROM _frame f\n"
	  "\tCROSS JOIN reconcile_functions x ON x.func = f.func\n"
	  "\tWHERE f.func IN (SELECT func FROM reconcile_functions)\n"
	  "\t\tAND EXISTS (SELECT 1 FROM _compared WHERE name = 'meminfo')\n"
	  "), site AS MATERIALIZED (\n"
	  "\tSELECT DISTINCT n.item AS item, s.raw_site AS raw_site\n"
	  "\tFROM (SELECT 1 FROM named LIMIT 1)\n"
	  "\tCROSS JOIN _raw_frame s\n"
	  "\tCROSS JOIN named n ON n.frame = s.frame\n"
	  "\tCROSS JOIN _raw_site t ON t.id = s.raw_site\n"
	  "\tCROSS JOIN _callsite c ON c.id = t.callsite AND c.kind = n.kind\n"
	  "\tWHERE s.frame IN (SELECT frame FROM named)\n"
	  "), recorded AS (\n"
	  "\tSELECT m.item AS item, r.recording AS recording,\n"
	  "\t\tsum(r.net_bytes - r.preexisting_bytes) AS bytes\n"
	  "\tFROM site m\n"
	  "\tCROSS JOIN _raw_site r ON r.id = m.raw_site\n"
	  "\tGROUP BY m.item, r.recording\n"
	  "\tUNION ALL\n"
	  "\t-- Slabs of caches that can be reclaimed are asked for as such.\n"
	  "\tSELECT iif(a.migratetype = 2, 'SReclaimable', 'SUnreclaim'), r.recording,\n"
	  "\t\tsum(a.alloc_bytes - a.free_bytes - a.inferred_bytes)\n"
	  "\tFROM (SELECT 1 FROM site WHERE item = 'Slab' LIMIT 1)\n"
	  "\tCROSS JOIN _account a\n"
	  "\tCROSS JOIN _raw_site r ON r.id = a.raw_site\n"
	  "\tWHERE a.raw_site IN (SELECT raw_site FROM site WHERE item = 'Slab')\n"
	  "\tGROUP BY 1, r.recording\n",
	  "WITH recorded AS (\n"
	  "\tSELECT item, recording, bytes FROM _memory_sums\n" },
};

static const struct quickview_words vmalloc_words[] = {
	{ "WITH known AS MATERIALIZED (\n"
	  "\tSELECT f.id AS frame\n"
	  "\tFROM _frame f\n"
	  "\tWHERE f.func IN (SELECT v.key FROM _snapshot_value v WHERE v.name = 'vmallocinfo')\n"
	  "),\n"
	  "caller AS (\n"
	  "\tSELECT s.raw_site AS raw_site, s.frame AS frame, min(s.depth)\n"
	  "\t-- Few raw sites are of the kind; their frames lie together.\n"
	  "\tFROM (SELECT 1 FROM known LIMIT 1)\n"
	  "\tCROSS JOIN _raw_site r\n"
	  "\tCROSS JOIN _callsite c ON c.id = r.callsite AND c.kind = 'vmalloc'\n"
	  "\tCROSS JOIN _raw_frame s ON s.raw_site = r.id\n"
	  "\tWHERE s.frame IN (SELECT frame FROM known)\n"
	  "\tGROUP BY s.raw_site\n"
	  ")\n",
	  "" },
	{ "SELECT coalesce((SELECT f.func FROM _frame f WHERE f.id = k.frame), r.func, "
	  "'[unknown]'), 0, 0,\n"
	  "\t\tr.net_bytes - r.preexisting_freed_bytes, r.net_calls - r.preexisting_frees, "
	  "r.recording\n"
	  "\tFROM raw_sites r\n"
	  "\tLEFT JOIN caller k ON k.raw_site = r.id\n"
	  "\tWHERE r.kind = 'vmalloc' AND\n"
	  "\t\tr.recording IN (SELECT recording FROM _compared WHERE name = 'vmallocinfo')\n",
	  "SELECT caller, 0, 0, bytes, areas, recording\n"
	  "\tFROM _area_sums\n"
	  "\tWHERE recording IN (SELECT recording FROM _snapshot_sums WHERE name = "
	  "'vmallocinfo')\n" },
};

static const struct quickview_words cache_words[] = {
	{ "SELECT cache, 0, net_calls - preexisting_frees, NULL, recording\n"
	  "\tFROM _raw_site\n"
	  "\tWHERE cache IS NOT NULL AND\n"
	  "\t\trecording IN (SELECT recording FROM _compared WHERE name = 'slabinfo')\n",
	  "SELECT cache, 0, objects, NULL, recording\n"
	  "\tFROM _cache_sums\n"
	  "\tWHERE recording IN (SELECT recording FROM _snapshot_sums WHERE name = "
	  "'slabinfo')\n" },
};

/* What is summed, of a text in a recording. */
enum { BYTES, AREAS, NR_SUMS };

struct sum {
	int64_t recording;
	uint32_t text;
	int64_t sum[NR_SUMS];
};

struct table {
	struct pairs keys; /* recording and text */
	struct sum *sum;   /* of each */
	size_t nr, cap;
};

struct memsums {
	struct query_db *db;
	struct strings strings;
	struct table memory; /* by field of /proc/meminfo */
	struct table areas;  /* by function that /proc/vmallocinfo names */
	struct table caches; /* by name: objects */
	bool read;
	bool overflow;
};

/* An item and kind that functions stand for; one bit for each. */
struct want {
	uint32_t item, kind;
};
enum { MAX_WANTS = 64 };

/* A function that is looked for. */
struct function {
	uint64_t wants;
	bool area; /* /proc/vmallocinfo names it */
};

/* A raw site with a frame of one. */
struct place {
	uint64_t wants;
	int64_t depth;	 /* of its nearest frame of an area */
	uint32_t caller; /* the function of that; 0: none */
};

struct callsite {
	uint32_t kind, func;
};

struct scan {
	struct memsums *sums;
	struct want want[MAX_WANTS];
	size_t nr_wants;
	struct function *function; /* by text, less 1 */
	size_t nr_functions, cap_functions;
	struct pairs frames; /* ids, of such functions */
	uint32_t *func;	     /* of each */
	size_t nr_frames, cap_frames;
	struct pairs places; /* ids of raw sites */
	struct place *place; /* of each */
	size_t nr_places, cap_places;
	struct pairs callsites;	   /* ids */
	struct callsite *callsite; /* of each */
	size_t nr_callsites, cap_callsites;
	struct pairs slabs;	 /* ids of raw sites that /proc/meminfo counts as Slab */
	int64_t *slab_recording; /* of each */
	size_t nr_slabs, cap_slabs;
	uint32_t vmalloc, unknown, slab, reclaimable, unreclaimable; /* texts */
	bool memory, areas, caches; /* meminfo, vmallocinfo, slabinfo are compared */
};

struct memsums *memsums_new(struct query_db *db)
{
	struct memsums *sums = xcalloc(1, sizeof(*sums));

	sums->db = db;
	return sums;
}

static void table_deinit(struct table *table)
{
	pairs_deinit(&table->keys);
	free(table->sum);
	*table = (struct table){};
}

void memsums_free(struct memsums *sums)
{
	if (!sums)
		return;
	table_deinit(&sums->memory);
	table_deinit(&sums->areas);
	table_deinit(&sums->caches);
	strings_deinit(&sums->strings);
	free(sums);
}

static void scan_deinit(struct scan *scan)
{
	pairs_deinit(&scan->frames);
	pairs_deinit(&scan->places);
	pairs_deinit(&scan->callsites);
	pairs_deinit(&scan->slabs);
	free(scan->function);
	free(scan->func);
	free(scan->place);
	free(scan->callsite);
	free(scan->slab_recording);
}

static uint32_t text_id(struct scan *scan, const struct cell *cell)
{
	return strings_id(&scan->sums->strings, cell->text, cell->len);
}

static uint32_t word_id(struct scan *scan, const char *word)
{
	return strings_id(&scan->sums->strings, word, strlen(word));
}

static struct sum *find_sum(struct table *table, int64_t recording, uint32_t text)
{
	bool is_new;
	uint32_t id = pairs_id(&table->keys, recording, text, &is_new);

	if (is_new) {
		vec_room(table->sum, table->nr, table->cap);
		table->sum[table->nr++] = (struct sum){ .recording = recording, .text = text };
	}
	return &table->sum[id - 1];
}

static void add(struct memsums *sums, int64_t *to, int64_t more, int64_t less)
{
	int64_t n;

	sums->overflow |= __builtin_sub_overflow(more, less, &n);
	sums->overflow |= __builtin_add_overflow(*to, n, to);
}

/* ---- functions that are looked for */

/* Texts before have their functions; those that come later are none. */
static struct function *find_function(struct scan *scan, uint32_t text)
{
	while (scan->nr_functions < text) {
		vec_room(scan->function, scan->nr_functions, scan->cap_functions);
		scan->function[scan->nr_functions++] = (struct function){};
	}
	return &scan->function[text - 1];
}

static struct err *want(struct scan *scan, const struct want *want, uint32_t func)
{
	size_t i = 0;

	while (i < scan->nr_wants &&
	       (scan->want[i].item != want->item || scan->want[i].kind != want->kind))
		i++;
	if (i == MAX_WANTS)
		return err_new(ERR_DB, "too many fields of /proc/meminfo");
	if (i == scan->nr_wants)
		scan->want[scan->nr_wants++] = *want;
	find_function(scan, func)->wants |= UINT64_C(1) << i;
	return NULL;
}

static struct err *load_wants(struct scan *scan)
{
	enum { ITEM, KIND, FUNC };
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(scan->sums->db, "SELECT item, kind, func FROM reconcile_functions",
			  NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		struct want of = { text_id(scan, &row[ITEM]), text_id(scan, &row[KIND]) };

		TRY(want(scan, &of, text_id(scan, &row[FUNC])));
	}
}

static struct err *add_area(void *arg, const struct cell *row)
{
	enum { NAME, KEY };
	struct scan *scan = arg;

	if (!strcmp(row[NAME].text, "vmallocinfo"))
		find_function(scan, text_id(scan, &row[KEY]))->area = true;
	return NULL;
}

/* ---- raw sites */

static struct err *add_frame(void *arg, const struct cell *row)
{
	enum { ID, FUNC };
	struct scan *scan = arg;
	bool is_new;

	if (row[FUNC].type != CELL_TEXT)
		return NULL;
	uint32_t func = text_id(scan, &row[FUNC]);

	if (func > scan->nr_functions ||
	    (!scan->function[func - 1].wants && !scan->function[func - 1].area))
		return NULL;
	pairs_id(&scan->frames, 0, row[ID].i, &is_new);
	vec_room(scan->func, scan->nr_frames, scan->cap_frames);
	scan->func[scan->nr_frames++] = func;
	return NULL;
}

static bool is_of_these(const void *arg, int64_t frame)
{
	const struct scan *scan = arg;

	return pairs_find(&scan->frames, 0, frame) > 0;
}

static struct err *add_raw_frame(void *arg, const struct cell *row)
{
	enum { FRAME, RAW_SITE, DEPTH };
	struct scan *scan = arg;
	uint32_t func = scan->func[pairs_find(&scan->frames, 0, row[FRAME].i) - 1];
	const struct function *function = &scan->function[func - 1];
	bool is_new;
	uint32_t id = pairs_id(&scan->places, 0, row[RAW_SITE].i, &is_new);

	if (is_new) {
		vec_room(scan->place, scan->nr_places, scan->cap_places);
		scan->place[scan->nr_places++] = (struct place){};
	}
	struct place *place = &scan->place[id - 1];

	place->wants |= function->wants;
	if (function->area && (!place->caller || row[DEPTH].i < place->depth)) {
		place->caller = func;
		place->depth = row[DEPTH].i;
	}
	return NULL;
}

static struct err *add_callsite(void *arg, const struct cell *row)
{
	enum { ID, KIND, FUNC };
	struct scan *scan = arg;
	bool is_new;
	struct callsite callsite = { .kind = text_id(scan, &row[KIND]), .func = scan->unknown };

	if (callsite.kind == scan->vmalloc && row[FUNC].type == CELL_TEXT)
		callsite.func = text_id(scan, &row[FUNC]);
	pairs_id(&scan->callsites, 0, row[ID].i, &is_new);
	vec_room(scan->callsite, scan->nr_callsites, scan->cap_callsites);
	scan->callsite[scan->nr_callsites++] = callsite;
	return NULL;
}

static void add_slab(struct scan *scan, int64_t raw_site, int64_t recording)
{
	bool is_new;

	pairs_id(&scan->slabs, 0, raw_site, &is_new);
	vec_room(scan->slab_recording, scan->nr_slabs, scan->cap_slabs);
	scan->slab_recording[scan->nr_slabs++] = recording;
}

static struct err *add_raw_site(void *arg, const struct cell *row)
{
	enum { ID, CALLSITE, RECORDING, NET_BYTES, OLDER_BYTES, NET_CALLS, OLDER_CALLS, CACHE };
	struct scan *scan = arg;
	struct memsums *sums = scan->sums;
	int64_t recording = row[RECORDING].i;
	uint32_t of = pairs_find(&scan->callsites, 0, row[CALLSITE].i);
	uint32_t at = pairs_find(&scan->places, 0, row[ID].i);

	if (scan->caches && row[CACHE].type == CELL_TEXT) {
		struct sum *sum =
			find_sum(&sums->caches, recording, text_id(scan, &row[CACHE]));

		add(sums, &sum->sum[0], row[NET_CALLS].i, row[OLDER_CALLS].i);
	}
	if (!of)
		return NULL;
	const struct callsite *callsite = &scan->callsite[of - 1];
	struct place place = at ? scan->place[at - 1] : (struct place){};

	for (size_t i = 0; i < scan->nr_wants; i++) {
		if (!(place.wants >> i & 1) || scan->want[i].kind != callsite->kind)
			continue;
		struct sum *sum = find_sum(&sums->memory, recording, scan->want[i].item);

		add(sums, &sum->sum[BYTES], row[NET_BYTES].i, row[OLDER_BYTES].i);
		if (scan->want[i].item == scan->slab)
			add_slab(scan, row[ID].i, recording);
	}
	if (!scan->areas || callsite->kind != scan->vmalloc)
		return NULL;
	struct sum *sum =
		find_sum(&sums->areas, recording, place.caller ? place.caller : callsite->func);

	add(sums, &sum->sum[BYTES], row[NET_BYTES].i, row[OLDER_BYTES].i);
	add(sums, &sum->sum[AREAS], row[NET_CALLS].i, row[OLDER_CALLS].i);
	return NULL;
}

static bool is_slab(const void *arg, int64_t raw_site)
{
	const struct scan *scan = arg;

	return pairs_find(&scan->slabs, 0, raw_site) > 0;
}

static struct err *add_account(void *arg, const struct cell *row)
{
	enum { RAW_SITE, MIGRATETYPE, ALLOC_BYTES, FREE_BYTES, INFERRED_BYTES };
	struct scan *scan = arg;
	struct memsums *sums = scan->sums;
	uint32_t slab = pairs_find(&scan->slabs, 0, row[RAW_SITE].i);
	bool reclaimable = row[MIGRATETYPE].type == CELL_INT && row[MIGRATETYPE].i == 2;
	struct sum *sum = find_sum(&sums->memory, scan->slab_recording[slab - 1],
				   reclaimable ? scan->reclaimable : scan->unreclaimable);
	int64_t n;

	sums->overflow |= __builtin_sub_overflow(row[ALLOC_BYTES].i, row[FREE_BYTES].i, &n);
	add(sums, &sum->sum[BYTES], n, row[INFERRED_BYTES].i);
	return NULL;
}

/* ---- */

static struct err *is_compared(struct query_db *db, const char *sql, bool *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	TRY(query_next(query, &row));
	*ret = row != NULL;
	return NULL;
}

static struct err *find_places(struct scan *scan)
{
	struct query_db *db = scan->sums->db;

	if (scan->memory)
		TRY(load_wants(scan));
	if (scan->areas)
		TRY(rows_each(db, &(struct rows_query){ "_snapshot_value", "name, key",
							.fn = add_area, .arg = scan }));
	if (!scan->nr_functions)
		return NULL;
	TRY(rows_each(db, &(struct rows_query){ "_frame", "id, func", .fn = add_frame,
						.arg = scan }));
	if (!scan->nr_frames)
		return NULL;
	return rows_each(db, &(struct rows_query){ "_raw_frame", "frame, raw_site, depth",
						   .fn = add_raw_frame, .arg = scan,
						   .wanted = is_of_these });
}

static struct err *read_sums(struct memsums *sums)
{
	CLEANUP(scan_deinit) struct scan scan = { .sums = sums };

	if (sums->read)
		return NULL;
	table_deinit(&sums->memory);
	table_deinit(&sums->areas);
	table_deinit(&sums->caches);
	sums->overflow = false;
	scan.vmalloc = word_id(&scan, "vmalloc");
	scan.unknown = word_id(&scan, "[unknown]");
	scan.slab = word_id(&scan, "Slab");
	scan.reclaimable = word_id(&scan, "SReclaimable");
	scan.unreclaimable = word_id(&scan, "SUnreclaim");
	TRY(is_compared(sums->db, "SELECT 1 FROM _snapshot_sums WHERE name = 'meminfo'",
			&scan.memory));
	TRY(is_compared(sums->db, "SELECT 1 FROM _snapshot_sums WHERE name = 'vmallocinfo'",
			&scan.areas));
	TRY(is_compared(sums->db, "SELECT 1 FROM _snapshot_sums WHERE name = 'slabinfo'",
			&scan.caches));
	if (scan.memory || scan.areas || scan.caches) {
		TRY(find_places(&scan));
		TRY(rows_each(sums->db,
			      &(struct rows_query){ "_callsite", "id, kind, func",
						    .fn = add_callsite, .arg = &scan }));
		TRY(rows_each(sums->db,
			      &(struct rows_query){
				      "_raw_site",
				      "id, callsite, recording, net_bytes, preexisting_bytes, "
				      "net_calls, preexisting_frees, cache",
				      .fn = add_raw_site, .arg = &scan }));
	}
	if (scan.nr_slabs)
		TRY(rows_each(sums->db,
			      &(struct rows_query){ "_account",
						    "raw_site, migratetype, alloc_bytes, "
						    "free_bytes, inferred_bytes",
						    .fn = add_account, .arg = &scan,
						    .wanted = is_slab }));
	if (sums->overflow)
		return err_new(ERR_DB, "integer overflow");
	sums->read = true;
	return NULL;
}

static void give(const struct memsums *sums, const struct table *table, size_t nr_sums,
		 struct rowtab_rows *rows)
{
	for (size_t i = 0; i < table->nr; i++) {
		const struct sum *sum = &table->sum[i];
		const char *text = strings_text(&sums->strings, sum->text);
		struct cell *row = rowtab_row(rows, nr_sums + 2);

		row[0] = (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
		for (size_t n = 0; n < nr_sums; n++)
			row[1 + n] =
				(struct cell){ .type = CELL_INT, .i = sum->sum[n], .text = "" };
		row[1 + nr_sums] =
			(struct cell){ .type = CELL_INT, .i = sum->recording, .text = "" };
	}
}

static struct err *make_memory(void *arg, struct rowtab_rows *rows)
{
	struct memsums *sums = arg;

	TRY(read_sums(sums));
	give(sums, &sums->memory, 1, rows);
	return NULL;
}

static struct err *make_areas(void *arg, struct rowtab_rows *rows)
{
	struct memsums *sums = arg;

	TRY(read_sums(sums));
	give(sums, &sums->areas, NR_SUMS, rows);
	return NULL;
}

static struct err *make_caches(void *arg, struct rowtab_rows *rows)
{
	struct memsums *sums = arg;

	TRY(read_sums(sums));
	give(sums, &sums->caches, 1, rows);
	return NULL;
}

int memsums_use(struct memsums *sums)
{
	static const struct rowtab memory = {
		"_memory_sums",
		"CREATE TABLE x(item TEXT, bytes, recording INTEGER)",
		3,
		make_memory,
	};
	static const struct rowtab areas = {
		"_area_sums",
		"CREATE TABLE x(caller TEXT, bytes, areas, recording INTEGER)",
		NR_SUMS + 2,
		make_areas,
	};
	static const struct rowtab caches = {
		"_cache_sums",
		"CREATE TABLE x(cache TEXT, objects, recording INTEGER)",
		3,
		make_caches,
	};
	sqlite3 *db = query_db_handle(sums->db);
	int rc = rowtab_register(sums->db, &memory, sums);

	if (rc == SQLITE_OK)
		rc = rowtab_register(sums->db, &areas, sums);
	if (rc == SQLITE_OK)
		rc = rowtab_register(sums->db, &caches, sums);
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "reconcile_meminfo", meminfo_words,
				      sizeof(meminfo_words) / sizeof(*meminfo_words));
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "reconcile_vmalloc", vmalloc_words,
				      sizeof(vmalloc_words) / sizeof(*vmalloc_words));
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "reconcile_caches", cache_words,
				      sizeof(cache_words) / sizeof(*cache_words));
	return rc;
}
