// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/snapsums.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/memsums.h"
#include "store/pairs.h"
#include "store/quickview.h"
#include "store/rows.h"
#include "store/rowtab.h"
#include "store/side.h"

#define SUM(column)                                  \
	{                                            \
		"sum(" column ") AS ", column " AS " \
	}

static const struct quickview_words value_words[] = {
	{ "sum(iif(at = 'start', value, 0)) AS ", "at_start AS " },
	{ "sum(iif(at = 'end', value, 0)) AS ", "at_end AS " },
	{ "sum(iif(at = 'end', value, -value)) AS ", "change AS " },
	{ "FROM _snapshot_value\nWHERE (recording, name) IN\n\t(SELECT recording, name "
	  "FROM _snapshot GROUP BY recording, name HAVING count(*) = 2)\n"
	  "GROUP BY recording, name, key, unit",
	  "FROM _snapshot_sums" },
};

/* Kept for a statement: what joins with a view may look rows up in an index then. */
static const struct quickview_words site_words[] = {
	{ "SELECT\n\tsite, ", "WITH sums AS MATERIALIZED (SELECT * FROM _site_sums)\n"
			      "SELECT\n\tsite, " },
	{ "sum(recorded_bytes) - sum(kernel_bytes) AS ", "recorded_bytes - kernel_bytes AS " },
	SUM("kernel_bytes"),
	SUM("kernel_calls"),
	SUM("recorded_bytes"),
	SUM("recorded_calls"),
	{ "FROM (\n\tSELECT key AS site …", "FROM sums" },
};

static const struct quickview_words score_words[] = {
	{ "SELECT\n\tsum(kernel_bytes <> 0 OR kernel_calls <> 0) AS ",
	  "WITH scores AS MATERIALIZED (SELECT * FROM _score_sums)\nSELECT\n\tsum(changed) AS " },
	{ "sum((kernel_bytes <> 0 OR kernel_calls <> 0) AND difference_bytes = 0 AND\n"
	  "\t\trecorded_calls = kernel_calls) * 1.0 / "
	  "sum(kernel_bytes <> 0 OR kernel_calls <> 0)\n",
	  "sum(exact) * 1.0 / sum(changed)\n" },
	{ "avg(abs(difference_bytes) * 100 <= abs(kernel_bytes) OR "
	  "abs(recorded_calls - kernel_calls) <= 1)\n",
	  "sum(near) * 1.0 / sum(sites)\n" },
	{ "sum(iif(difference_bytes = 0 AND recorded_calls = kernel_calls, abs(kernel_bytes), 0))",
	  "sum(exact_bytes)" },
	{ "sum(abs(difference_bytes))", "sum(off_bytes)" },
	{ "sum(abs(kernel_bytes))", "sum(kernel_bytes)" },
	{ "LEFT JOIN reconcile_sites s ", "LEFT JOIN scores s " },
};

/* Views that ask those. */
static const char *const askers[] = { "reconcile_vmstat" };

/* Of a name, key and unit in a recording. */
struct value {
	int64_t recording;
	uint32_t name, key, unit;
	int64_t at_start, at_end, change;
};

enum { KERNEL_BYTES, KERNEL_CALLS, RECORDED_BYTES, RECORDED_CALLS, NR_SUMS };

/* Of a call site in a recording, as /proc/allocinfo calls it. */
struct site {
	int64_t recording;
	uint32_t text;
	int64_t sum[NR_SUMS];
};

struct snapsums {
	struct query_db *db;
	struct memsums *memory;
	struct strings strings;
	bool read;	     /* values are */
	struct value *value; /* by recording, name, key and unit */
	size_t nr_values, cap_values;
	bool read_sites;   /* call sites are */
	struct site *site; /* by recording and text; those with a sum that is not 0 */
	size_t nr_sites;
	bool overflow;
};

/* While values are read. */
struct value_scan {
	struct snapsums *sums;
	struct pairs compared;		/* recording and name: of both times */
	struct pairs files, keys, both; /* recording and name, key and unit, all of it */
};

/* While call sites are. */
struct site_scan {
	struct snapsums *sums;
	struct pairs compared;	/* recordings with allocinfo */
	struct pairs callsites; /* but of vmalloc */
	uint32_t *text;		/* of each */
	size_t nr_texts, cap_texts;
	struct pairs keys; /* recording and text */
	struct site *site;
	size_t nr, cap;
};

struct snapsums *snapsums_new(struct query_db *db)
{
	struct snapsums *sums = xcalloc(1, sizeof(*sums));

	sums->db = db;
	sums->memory = memsums_new(db);
	return sums;
}

void snapsums_free(struct snapsums *sums)
{
	if (!sums)
		return;
	memsums_free(sums->memory);
	strings_deinit(&sums->strings);
	free(sums->value);
	free(sums->site);
	free(sums);
}

static uint32_t text_id(struct snapsums *sums, const struct cell *cell)
{
	return strings_id(&sums->strings, cell->text, cell->len);
}

static int compare_texts(const struct snapsums *sums, uint32_t a, uint32_t b)
{
	return a == b ? 0
		      : strcmp(strings_text(&sums->strings, a),
			       strings_text(&sums->strings, b));
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static struct cell number_cell(int64_t i)
{
	return (struct cell){ .type = CELL_INT, .i = i, .text = "" };
}

static struct cell text_cell(const struct snapsums *sums, uint32_t id)
{
	const char *text = strings_text(&sums->strings, id);

	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

static struct err *overflow(void)
{
	return err_new(ERR_DB, "integer overflow");
}

/* ---- values */

static void value_scan_deinit(struct value_scan *scan)
{
	pairs_deinit(&scan->compared);
	pairs_deinit(&scan->files);
	pairs_deinit(&scan->keys);
	pairs_deinit(&scan->both);
}

static struct err *load_compared(struct value_scan *scan)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	bool is_new;

	TRY(query_prepare(scan->sums->db,
			  "SELECT recording, name FROM _snapshot GROUP BY recording, name "
			  "HAVING count(*) = 2",
			  NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		pairs_id(&scan->compared, row[0].i, text_id(scan->sums, &row[1]), &is_new);
	}
}

static struct value *find_value(struct value_scan *scan, int64_t recording, uint32_t name,
				uint32_t key, uint32_t unit)
{
	struct snapsums *sums = scan->sums;
	bool is_new;
	uint32_t file = pairs_id(&scan->files, recording, name, &is_new);
	uint32_t of = pairs_id(&scan->keys, key, unit, &is_new);
	uint32_t id = pairs_id(&scan->both, file, of, &is_new);

	if (is_new) {
		vec_room(sums->value, sums->nr_values, sums->cap_values);
		sums->value[sums->nr_values++] = (struct value){
			.recording = recording, .name = name, .key = key, .unit = unit
		};
	}
	return &sums->value[id - 1];
}

static struct err *add_value(void *arg, const struct cell *row)
{
	enum { NAME, AT, KEY, UNIT, VALUE, RECORDING };
	struct value_scan *scan = arg;
	struct snapsums *sums = scan->sums;
	uint32_t name = text_id(sums, &row[NAME]);
	int64_t n = row[VALUE].i;

	if (!pairs_find(&scan->compared, row[RECORDING].i, name))
		return NULL;
	struct value *value = find_value(scan, row[RECORDING].i, name, text_id(sums, &row[KEY]),
					 text_id(sums, &row[UNIT]));

	if (!strcmp(row[AT].text, "end")) {
		sums->overflow |= __builtin_add_overflow(value->at_end, n, &value->at_end);
		sums->overflow |= __builtin_add_overflow(value->change, n, &value->change);
	} else {
		sums->overflow |= __builtin_add_overflow(value->at_start, n, &value->at_start);
		sums->overflow |= __builtin_sub_overflow(value->change, n, &value->change);
	}
	return NULL;
}

static int compare_values(const void *va, const void *vb, void *arg)
{
	const struct value *a = va, *b = vb;
	int order = compare_numbers(a->recording, b->recording);

	order = order ? order : compare_texts(arg, a->name, b->name);
	order = order ? order : compare_texts(arg, a->key, b->key);
	return order ? order : compare_texts(arg, a->unit, b->unit);
}

static struct err *read_values(struct snapsums *sums)
{
	CLEANUP(value_scan_deinit) struct value_scan scan = { .sums = sums };

	if (sums->read)
		return NULL;
	sums->nr_values = 0;
	sums->overflow = false;
	TRY(load_compared(&scan));
	TRY(rows_each(sums->db, &(struct rows_query){ "_snapshot_value",
						      "name, at, key, unit, value, recording",
						      .fn = add_value, .arg = &scan }));
	if (sums->overflow)
		return overflow();
	if (sums->nr_values)
		qsort_r(sums->value, sums->nr_values, sizeof(*sums->value), compare_values,
			sums);
	sums->read = true;
	return NULL;
}

static struct err *make_values(void *arg, struct rowtab_rows *rows)
{
	struct snapsums *sums = arg;

	TRY(read_values(sums));
	for (size_t i = 0; i < sums->nr_values; i++) {
		const struct value *value = &sums->value[i];
		const struct cell cells[] = {
			text_cell(sums, value->name),  text_cell(sums, value->key),
			text_cell(sums, value->unit),  number_cell(value->at_start),
			number_cell(value->at_end),    number_cell(value->change),
			number_cell(value->recording),
		};

		memcpy(rowtab_row(rows, sizeof(cells) / sizeof(*cells)), cells, sizeof(cells));
	}
	return NULL;
}

/* ---- call sites */

static void site_scan_deinit(struct site_scan *scan)
{
	pairs_deinit(&scan->compared);
	pairs_deinit(&scan->callsites);
	pairs_deinit(&scan->keys);
	free(scan->text);
	free(scan->site);
}

static void add(struct site_scan *scan, int64_t recording, uint32_t text, int sum, int64_t n)
{
	bool is_new;
	uint32_t id = pairs_id(&scan->keys, recording, text, &is_new);

	if (is_new) {
		vec_room(scan->site, scan->nr, scan->cap);
		scan->site[scan->nr++] = (struct site){ .recording = recording, .text = text };
	}
	int64_t *to = &scan->site[id - 1].sum[sum];

	scan->sums->overflow |= __builtin_add_overflow(*to, n, to);
}

static void add_kernel(struct site_scan *scan)
{
	struct snapsums *sums = scan->sums;
	uint32_t allocinfo = strings_id(&sums->strings, "allocinfo", strlen("allocinfo"));
	bool is_new;

	for (size_t i = 0; i < sums->nr_values; i++) {
		const struct value *value = &sums->value[i];

		if (value->name != allocinfo)
			continue;
		pairs_id(&scan->compared, 0, value->recording, &is_new);
		const char *unit = strings_text(&sums->strings, value->unit);

		if (!strcmp(unit, "bytes"))
			add(scan, value->recording, value->key, KERNEL_BYTES, value->change);
		else if (!strcmp(unit, "calls"))
			add(scan, value->recording, value->key, KERNEL_CALLS, value->change);
	}
}

/* FILE:LINE [MODULE] func:NAME */
static struct err *add_callsite(void *arg, const struct cell *row)
{
	enum { ID, KIND, FILE_NAME, LINE, FUNC, MODULE };
	struct site_scan *scan = arg;
	bool has_module = row[MODULE].type == CELL_TEXT, is_new;

	if (!strcmp(row[KIND].text, "vmalloc"))
		return NULL;
	auto_free char *text =
		xasprintf("%s:%" PRId64 " %s%s%sfunc:%s",
			  row[FILE_NAME].type == CELL_TEXT ? row[FILE_NAME].text : "[unknown]",
			  row[LINE].type == CELL_INT ? row[LINE].i : 0, has_module ? "[" : "",
			  has_module ? row[MODULE].text : "", has_module ? "] " : "",
			  row[FUNC].type == CELL_TEXT ? row[FUNC].text : "[unknown]");

	pairs_id(&scan->callsites, 0, row[ID].i, &is_new);
	vec_room(scan->text, scan->nr_texts, scan->cap_texts);
	scan->text[scan->nr_texts++] = strings_id(&scan->sums->strings, text, strlen(text));
	return NULL;
}

static struct err *add_raw_site(void *arg, const struct cell *row)
{
	enum { CALLSITE, RECORDING, NET_BYTES, OLDER_BYTES, NET_CALLS, OLDER_CALLS };
	struct site_scan *scan = arg;
	int64_t recording = row[RECORDING].i, bytes, calls;
	uint32_t callsite = pairs_find(&scan->callsites, 0, row[CALLSITE].i);

	if (!callsite || !pairs_find(&scan->compared, 0, recording))
		return NULL;
	scan->sums->overflow |=
		__builtin_sub_overflow(row[NET_BYTES].i, row[OLDER_BYTES].i, &bytes);
	scan->sums->overflow |=
		__builtin_sub_overflow(row[NET_CALLS].i, row[OLDER_CALLS].i, &calls);
	add(scan, recording, scan->text[callsite - 1], RECORDED_BYTES, bytes);
	add(scan, recording, scan->text[callsite - 1], RECORDED_CALLS, calls);
	return NULL;
}

static int compare_sites(const void *va, const void *vb, void *arg)
{
	const struct site *a = va, *b = vb;
	int order = compare_numbers(a->recording, b->recording);

	return order ? order : compare_texts(arg, a->text, b->text);
}

static bool is_any(const struct site *site)
{
	bool any = false;

	for (int n = 0; n < NR_SUMS; n++)
		any |= site->sum[n] != 0;
	return any;
}

static struct err *read_sites(struct snapsums *sums)
{
	CLEANUP(site_scan_deinit) struct site_scan scan = { .sums = sums };

	TRY(read_values(sums));
	if (sums->read_sites)
		return NULL;
	add_kernel(&scan);
	if (scan.compared.nr) {
		TRY(rows_each(sums->db,
			      &(struct rows_query){ "_callsite",
						    "id, kind, file, line, func, module",
						    .fn = add_callsite, .arg = &scan }));
		TRY(rows_each(sums->db,
			      &(struct rows_query){
				      "_raw_site",
				      "callsite, recording, net_bytes, preexisting_bytes, "
				      "net_calls, preexisting_frees",
				      .fn = add_raw_site, .arg = &scan }));
	}
	if (sums->overflow)
		return overflow();
	size_t nr = 0;

	for (size_t i = 0; i < scan.nr; i++)
		if (is_any(&scan.site[i]))
			scan.site[nr++] = scan.site[i];
	if (nr)
		qsort_r(scan.site, nr, sizeof(*scan.site), compare_sites, sums);
	sums->site = take_ptr(scan.site);
	sums->nr_sites = nr;
	sums->read_sites = true;
	return NULL;
}

static struct err *make_sites(void *arg, struct rowtab_rows *rows)
{
	struct snapsums *sums = arg;

	TRY(read_sites(sums));
	for (size_t i = 0; i < sums->nr_sites; i++) {
		const struct site *site = &sums->site[i];
		struct cell *row = rowtab_row(rows, NR_SUMS + 2);

		row[0] = text_cell(sums, site->text);
		for (int n = 0; n < NR_SUMS; n++)
			row[1 + n] = number_cell(site->sum[n]);
		row[1 + NR_SUMS] = number_cell(site->recording);
	}
	return NULL;
}

/* ---- how well they agree */

enum { SITES, CHANGED, EXACT, NEAR, ABS_BYTES, OFF_BYTES, EXACT_BYTES, NR_SCORES };

/* What fits into no whole number is an error of abs() as well. */
static int64_t size_of(struct snapsums *sums, int64_t n)
{
	sums->overflow |= n == INT64_MIN;
	return n < 0 && n != INT64_MIN ? -n : n;
}

static void add_score(struct snapsums *sums, const struct site *site, int64_t score[NR_SCORES])
{
	int64_t off, off_calls;

	sums->overflow |= __builtin_sub_overflow(site->sum[RECORDED_BYTES],
						 site->sum[KERNEL_BYTES], &off);
	sums->overflow |= __builtin_sub_overflow(site->sum[RECORDED_CALLS],
						 site->sum[KERNEL_CALLS], &off_calls);
	bool changed = site->sum[KERNEL_BYTES] || site->sum[KERNEL_CALLS];
	bool exact = !off && !off_calls;
	int64_t bytes = size_of(sums, site->sum[KERNEL_BYTES]);

	off = size_of(sums, off);
	score[SITES]++;
	score[CHANGED] += changed;
	score[EXACT] += changed && exact;
	score[NEAR] += off <= bytes / 100 || size_of(sums, off_calls) <= 1;
	sums->overflow |= __builtin_add_overflow(score[ABS_BYTES], bytes, &score[ABS_BYTES]);
	sums->overflow |= __builtin_add_overflow(score[OFF_BYTES], off, &score[OFF_BYTES]);
	if (exact)
		score[EXACT_BYTES] += bytes;
}

static struct err *make_scores(void *arg, struct rowtab_rows *rows)
{
	struct snapsums *sums = arg;

	TRY(read_sites(sums));
	for (size_t i = 0; i < sums->nr_sites;) {
		int64_t recording = sums->site[i].recording, score[NR_SCORES] = {};
		struct cell *row = rowtab_row(rows, NR_SCORES + 1);

		for (; i < sums->nr_sites && sums->site[i].recording == recording; i++)
			add_score(sums, &sums->site[i], score);
		if (sums->overflow)
			return overflow();
		for (int n = 0; n < NR_SCORES; n++)
			row[n] = number_cell(score[n]);
		row[NR_SCORES] = number_cell(recording);
	}
	return NULL;
}

int snapsums_use(struct snapsums *sums)
{
	static const struct rowtab values = {
		"_snapshot_sums",
		"CREATE TABLE x(name TEXT, key TEXT, unit TEXT, at_start, at_end, change, "
		"recording INTEGER)",
		7,
		make_values,
	};
	static const struct rowtab sites = {
		"_site_sums",
		"CREATE TABLE x(site TEXT, kernel_bytes, kernel_calls, recorded_bytes, "
		"recorded_calls, recording INTEGER)",
		NR_SUMS + 2,
		make_sites,
	};
	static const struct rowtab scores = {
		"_score_sums",
		"CREATE TABLE x(sites, changed, exact, near, kernel_bytes, off_bytes, "
		"exact_bytes, recording INTEGER)",
		NR_SCORES + 1,
		make_scores,
	};
	sqlite3 *db = query_db_handle(sums->db);
	int rc = rowtab_register(sums->db, &values, sums);

	if (rc == SQLITE_OK)
		rc = rowtab_register(sums->db, &sites, sums);
	if (rc == SQLITE_OK)
		rc = rowtab_register(sums->db, &scores, sums);
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "snapshot_values", value_words,
				      sizeof(value_words) / sizeof(*value_words));
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "reconcile_sites", site_words,
				      sizeof(site_words) / sizeof(*site_words));
	if (rc == SQLITE_OK)
		rc = quickview_define(db, "reconcile_score", score_words,
				      sizeof(score_words) / sizeof(*score_words));
	/* To a view of the file these are hidden. */
	for (size_t i = 0; rc == SQLITE_OK && i < sizeof(askers) / sizeof(*askers); i++)
		rc = quickview_define(db, askers[i], NULL, 0);
	return rc == SQLITE_OK ? memsums_use(sums->memory) : rc;
}
