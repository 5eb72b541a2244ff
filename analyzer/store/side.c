// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/side.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/conditions.h"
#include "store/library.h"
#include "store/rows.h"
#include "store/wobble.h"

void strings_deinit(struct strings *strings)
{
	intern_deinit(&strings->ids);
}

uint32_t strings_id(struct strings *strings, const char *text, size_t len)
{
	bool is_new;

	return intern_id(&strings->ids, text, len, &is_new);
}

const char *strings_text(const struct strings *strings, uint32_t id)
{
	return id ? intern_bytes(&strings->ids, id) : NULL;
}

void side_init(struct side *side, struct strings *strings, size_t max_runs)
{
	*side = (struct side){
		.strings = strings,
		.run = xcalloc(max_runs + 1, sizeof(*side->run)),
		.max_runs = max_runs,
	};
}

void side_deinit(struct side *side)
{
	for (size_t i = 0; i < side->nr_runs; i++) {
		free(side->run[i].name);
		free(side->run[i].host);
		free(side->run[i].release);
		free(side->run[i].started);
	}
	intern_deinit(&side->keys);
	free(side->figure);
	free(side->id);
	free(side->site);
	free(side->run);
	*side = (struct side){};
}

struct err *side_look(struct query_db *db, size_t *ret_recordings, bool *ret_any)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db,
			  "SELECT (SELECT count(*) FROM recording), "
			  "EXISTS (SELECT 1 FROM totals WHERE kind = 'any')",
			  NULL, &query));
	TRY(query_next(query, &row));
	*ret_recordings = row ? (size_t)row[0].i : 0;
	*ret_any = row && row[1].i;
	return NULL;
}

static double number(const struct cell *cell)
{
	return cell->type == CELL_REAL	? cell->real
	       : cell->type == CELL_INT ? (double)cell->i
					: 0;
}

/* The first cell of a query that the user wrote. */
static struct err *ask(struct query_db *db, const char *sql, int64_t recording, bool several,
		       double *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row = NULL;

	TRY(query_prepare(db, sql, NULL, &query));
	if (!query)
		return err_new(ERR_USAGE, "no query");
	if (query_has_param(query, ":recording"))
		query_bind_int(query, ":recording", recording);
	else if (several)
		return err_new(
			ERR_USAGE,
			"of several recordings: use :recording, the one that is asked for");
	TRY(query_next(query, &row));
	*ret = row ? number(&row[0]) : 0;
	return NULL;
}

static char *text_cell(struct query *query, const struct cell *row, const char *column)
{
	const struct cell *cell = &row[query_find_column(query, column)];

	return xstrndup(cell->text, cell->len);
}

static struct err *add_runs(struct side *side, struct query_db *db, const char *name,
			    const struct side_opts *opts, bool several)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("recording"), NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row || side->nr_runs == side->max_runs)
			return NULL;
		struct run *run = &side->run[side->nr_runs];
		int64_t recording = row[query_find_column(query, "recording")].i;

		*run = (struct run){
			.name = several ? xasprintf("%s, recording %" PRId64, name, recording)
					: xstrdup(name),
			.host = text_cell(query, row, "hostname"),
			.release = text_cell(query, row, "release"),
			.started = text_cell(query, row, "started"),
			.duration_s = number(&row[query_find_column(query, "duration_s")]),
			.divisor = opts->per != PER_GB, /* else a sum over its sites */
			.recording = recording,
			.input = side->nr_inputs,
		};
		side->nr_runs++;
		if (opts->per == PER_SECOND)
			run->divisor = run->duration_s;
		if (opts->per == PER_SQL)
			TRY(err_wrap(ask(db, opts->per_sql, recording, several, &run->divisor),
				     "--per"));
	}
}

/* "name.isra.0" and "name.constprop.0.cold" are name to who compares builds. */
static size_t base_len(const char *func, size_t len)
{
	const char *dot = len > 1 ? memchr(func + 1, '.', len - 1) : NULL;

	return dot ? (size_t)(dot - func) : len;
}

static uint32_t id_of(struct side *side, const struct cell *cell)
{
	return cell->type == CELL_TEXT ? strings_id(side->strings, cell->text, cell->len) : 0;
}

/* The figures of a site, which is made when there is none. */
static struct figure *find_site(struct side *side, const struct side_site *like)
{
	const int64_t key[] = { (int64_t)like->kind << 32 | like->file,
				(int64_t)like->func << 32 | like->module, like->line,
				like->sym_off, like->sym_size };
	bool is_new;
	uint32_t id = intern_id(&side->keys, key, sizeof(key), &is_new);

	if (is_new) {
		vec_room(side->site, side->nr_sites, side->cap_sites);
		side->site[side->nr_sites++] = *like;
		if (side->cap_figures < side->cap_sites) {
			side->figure = xreallocarray(side->figure, side->cap_sites,
						     side->max_runs * sizeof(struct figure));
			side->cap_figures = side->cap_sites;
		}
		memset(side_figures(side, id - 1), 0, side->max_runs * sizeof(struct figure));
	}
	return side_figures(side, id - 1);
}

static struct run *find_run(struct side *side, int64_t recording)
{
	for (size_t i = 0; i < side->nr_runs; i++)
		if (side->run[i].input == side->nr_inputs &&
		    side->run[i].recording == recording)
			return &side->run[i];
	return NULL;
}

/* Columns of call_sites, and of schema/queries/diff_several.sql. */
static const char columns[] =
	"id, recording, kind, self, file, line, func, module, sym_off, sym_size, cache, "
	"net_bytes, net_calls, alloc_bytes, allocs, frees, peak_bytes, waste_bytes, failures, "
	"preexisting_freed_bytes, preexisting_frees, net_lower_bytes, net_upper_bytes, "
	"net_lower_calls, net_upper_calls";
enum {
	SITE,
	RECORDING,
	KIND,
	SELF,
	FILE_NAME,
	LINE,
	FUNC,
	MODULE,
	SYM_OFF,
	SYM_SIZE,
	CACHE,
	NET_BYTES,
	NET_CALLS,
	ALLOC_BYTES,
	ALLOCS,
	FREES,
	PEAK_BYTES,
	WASTE_BYTES,
	FAILURES,
	OLDER_BYTES,
	OLDER_CALLS,
	LOWER_BYTES,
	UPPER_BYTES,
	LOWER_CALLS,
	UPPER_CALLS,
	NR_COLUMNS,
};

/* Of snapshots, bytes and calls are what changed, with what was freed of older memory. */
static int64_t net(const struct cell *row, int column, int older)
{
	bool any = !strcmp(row[KIND].text, "any");

	return (int64_t)((uint64_t)row[column].i - (any ? (uint64_t)row[older].i : 0));
}

static double less(const struct cell *row, int a, int b)
{
	return (double)(int64_t)((uint64_t)row[a].i - (uint64_t)row[b].i);
}

/* What metrics there are beside bytes and calls, whose figures are not in doubt. */
static const struct {
	const char *metric;
	int column;
} plain_metrics[] = {
	{ "alloc_bytes", ALLOC_BYTES }, { "allocs", ALLOCS },	  { "frees", FREES },
	{ "peak", PEAK_BYTES },		{ "waste", WASTE_BYTES }, { "failures", FAILURES },
};

static struct figure figure_of(const struct cell *row, const char *metric)
{
	struct figure figure = { .calls = (double)net(row, NET_CALLS, OLDER_CALLS) };

	if (!strcmp(metric, "bytes")) {
		figure.value = (double)net(row, NET_BYTES, OLDER_BYTES);
		figure.too_much = less(row, NET_BYTES, LOWER_BYTES);
		figure.too_little = less(row, UPPER_BYTES, NET_BYTES);
	} else if (!strcmp(metric, "calls")) {
		figure.value = figure.calls;
		figure.too_much = less(row, NET_CALLS, LOWER_CALLS);
		figure.too_little = less(row, UPPER_CALLS, NET_CALLS);
	}
	for (size_t i = 0; i < sizeof(plain_metrics) / sizeof(*plain_metrics); i++)
		if (!strcmp(metric, plain_metrics[i].metric))
			figure.value = (double)row[plain_metrics[i].column].i;
	return figure;
}

static struct side_site site_of(struct side *side, const struct cell *row,
				const struct side_opts *opts)
{
	struct side_site site = {
		.file = id_of(side, &row[FILE_NAME]),
		.func = id_of(side, &row[FUNC]),
		.module = id_of(side, &row[MODULE]),
		.cache = id_of(side, &row[CACHE]),
		.line = row[LINE].i,
		.sym_off = row[SYM_OFF].i,
		.sym_size = row[SYM_SIZE].i,
		.object_bytes = row[ALLOCS].i > 0
					? (double)row[ALLOC_BYTES].i / (double)row[ALLOCS].i
					: 0,
	};
	size_t base = base_len(row[FUNC].text, row[FUNC].len);

	site.kind = opts->any_kind ? strings_id(side->strings, "any", strlen("any"))
				   : id_of(side, &row[KIND]);
	site.base = base == row[FUNC].len || !site.func
			    ? site.func
			    : strings_id(side->strings, row[FUNC].text, base);
	return site;
}

struct adder {
	struct side *side;
	const struct side_opts *opts;
};

static struct err *add_site(void *arg, const struct cell *row)
{
	const struct adder *adder = arg;
	const struct side_opts *opts = adder->opts;
	struct side *side = adder->side;

	/* Of several recordings: schema/queries/diff_several.sql takes them apart. */
	if (row[RECORDING].type == CELL_NULL || row[SELF].i > opts->self ||
	    !conditions_kind(opts->kinds, row[KIND].text))
		return NULL;
	struct run *run = find_run(side, row[RECORDING].i);

	if (!run)
		return err_new(ERR_FORMAT, "damaged: a call site of no recording");
	if (opts->any_kind && !strcmp(row[KIND].text, "vmalloc"))
		return NULL;
	struct side_site like = site_of(side, row, opts);
	struct figure *figures = find_site(side, &like);
	struct figure *figure = &figures[run - side->run], more = figure_of(row, opts->metric);

	vec_room(side->id, side->nr_ids, side->cap_ids);
	side->id[side->nr_ids++] = (struct side_id){
		.id = row[SITE].i,
		.site = (size_t)(figures - side->figure) / side->max_runs,
	};

	figure->value += more.value;
	figure->too_much += fmax(more.too_much, 0);
	figure->too_little += fmax(more.too_little, 0);
	figure->calls += more.calls;
	if (opts->per == PER_GB)
		run->divisor += (double)row[ALLOC_BYTES].i;
	return NULL;
}

static struct err *add_several(struct adder *adder, struct query_db *db)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql =
		xasprintf("SELECT %s FROM (%s)", columns, schema_query("diff_several"));
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		TRY(add_site(adder, row));
	}
}

static struct err *add_sites(struct side *side, struct query_db *db,
			     const struct side_opts *opts, bool several)
{
	struct adder adder = { side, opts };

	TRY(rows_each(db, &(struct rows_query){ "call_sites", columns, .fn = add_site,
						.arg = &adder }));
	return several ? add_several(&adder, db) : NULL;
}

/* Divides the figures of the runs from @first on. */
static struct err *divide(struct side *side, size_t first, const struct side_opts *opts)
{
	for (size_t r = first; r < side->nr_runs; r++) {
		struct run *run = &side->run[r];

		if (!(run->divisor > 0))
			return err_new(ERR_USAGE, "--per: it is %g in %s: nothing to divide by",
				       run->divisor, run->name);
		double scale = opts->per == PER_GB ? 1e9 : 1;

		for (size_t i = 0; opts->per != PER_RUN && i < side->nr_sites; i++) {
			struct figure *figure = &side_figures(side, i)[r];

			figure->value = figure->value * scale / run->divisor;
			figure->too_much = figure->too_much * scale / run->divisor;
			figure->too_little = figure->too_little * scale / run->divisor;
			figure->calls = figure->calls * scale / run->divisor;
			figure->variance *= scale / run->divisor * (scale / run->divisor);
		}
	}
	return NULL;
}

struct err *side_add(struct side *side, struct query_db *db, const char *name,
		     const struct side_opts *opts)
{
	size_t first = side->nr_runs, nr;
	bool any;

	side->nr_ids = 0;
	TRY(side_look(db, &nr, &any));
	TRY(add_runs(side, db, name, opts, nr > 1));
	TRY(err_wrap(add_sites(side, db, opts, nr > 1), "%s", name));
	if (side->max_runs == 1)
		TRY(err_wrap(wobble_load(side, db, opts), "%s", name));
	TRY(divide(side, first, opts));
	side->nr_inputs++;
	return NULL;
}
