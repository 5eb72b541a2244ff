// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/library.h"
#include "view/place.h"
#include "view/report.h"
#include "view/text.h"

enum { MAX_COLUMNS = 16 };

struct listing {
	const char *query;
	const char *none; /* what having no row means */
	struct listing_column {
		const char *name; /* of the query; NULL: the call site */
		const char *title;
		enum view_style style;
		bool wide; /* only where there is room */
	} column[MAX_COLUMNS];
	const char *notes[3];
};

/* Below this width a site has more use for the columns. */
enum { WIDE = 120 };

static const struct listing listings[] = {
	[ANSWER_GROWTH] = {
		"growth",
		"Nothing grows.",
		{ { "net_bytes", "NET", VIEW_BYTES, false },
		  { "net_calls", "CALLS", VIEW_PLAIN, false },
		  { "bytes_per_s", "PER SECOND", VIEW_BYTES, false },
		  { "late_bytes_per_s", "LATELY", VIEW_BYTES, false },
		  { "monotonicity", "STEADY", VIEW_SHARE, false },
		  { "rises", "RISES", VIEW_PLAIN, true },
		  { "falls", "FALLS", VIEW_PLAIN, true },
		  { "kind", "KIND", VIEW_PLAIN, false },
		  { "confidence", "CONFIDENCE", VIEW_PLAIN, true },
		  { NULL, "SITE", VIEW_SITE, false } },
		{ "PER SECOND is the slope of a line through all of the recording, LATELY that of its "
		  "second half",
		  "STEADY is what was gained as a share of all ups and downs: 100 % never fell" },
	},
	[ANSWER_LIFETIMES] = {
		"lifetimes",
		"No life is known.",
		{ { "ended", "ENDED", VIEW_PLAIN, false },
		  { "allocs_per_s", "ALLOCS/S", VIEW_ROUND, true },
		  { "mean_s", "MEAN", VIEW_TIME, false },
		  { "p50_s", "HALF", VIEW_TIME, false },
		  { "p90_s", "90 %", VIEW_TIME, true },
		  { "p99_s", "99 %", VIEW_TIME, false },
		  { "max_s", "LONGEST", VIEW_TIME, false },
		  { "temporary", "TEMPORARY", VIEW_PLAIN, true },
		  { "live", "LIVE", VIEW_PLAIN, false },
		  { "age_max_s", "OLDEST", VIEW_TIME, true },
		  { "live_over_p999", "OVERDUE", VIEW_PLAIN, false },
		  { "kind", "KIND", VIEW_PLAIN, false },
		  { NULL, "SITE", VIEW_SITE, false } },
		{ "HALF, 90 % and 99 % of those that ended lived at most so long (within 6.25 %)",
		  "TEMPORARY: freed within 1 us, by the same task, before its next 4 allocations",
		  "OVERDUE: live, and older than 99.9 % of those that ended were" },
	},
	[ANSWER_WASTE] = {
		"waste",
		"Nothing is wasted at a call site, freed from elsewhere or refused.",
		{ { "waste_bytes", "WASTE", VIEW_BYTES, false },
		  { "waste_share", "SHARE", VIEW_SHARE, false },
		  { "net_waste_bytes", "OF NET", VIEW_BYTES, true },
		  { "dedicated_saves_bytes", "CACHE SAVES", VIEW_BYTES, true },
		  { "alloc_bytes", "ALLOCATED", VIEW_BYTES, false },
		  { "frees", "FREES", VIEW_PLAIN, true },
		  { "remote_cpu_frees", "OTHER CPU", VIEW_PLAIN, false },
		  { "remote_node_frees", "OTHER NODE", VIEW_PLAIN, true },
		  { "failures", "FAILED", VIEW_PLAIN, false },
		  { "cache", "CACHE", VIEW_PLAIN, true },
		  { "kind", "KIND", VIEW_PLAIN, false },
		  { NULL, "SITE", VIEW_SITE, false } },
		{ "WASTE is what slab objects and large kmallocs take beyond what was asked for, of all "
		  "that was allocated",
		  "CACHE SAVES: what a cache for objects of this size would have saved at the peak" },
	},
	[ANSWER_AT] = {
		"at",
		"Nothing was live then.",
		{ { "net_bytes", "LIVE", VIEW_BYTES, false },
		  { "net_calls", "CALLS", VIEW_PLAIN, false },
		  { "end_bytes", "AT THE END", VIEW_BYTES, false },
		  { "at_s", "TIME", VIEW_TIME, false },
		  { "kind", "KIND", VIEW_PLAIN, false },
		  { "confidence", "CONFIDENCE", VIEW_PLAIN, true },
		  { NULL, "SITE", VIEW_SITE, false } },
		{ "TIME is the moment that is shown: the peak of the kind, or the end of a bucket of "
		  "time" },
	},
	[ANSWER_FREED] = {
		"freed",
		"No free of a slab object is known.",
		{ { "free_bytes", "FREED", VIEW_BYTES, false },
		  { "frees", "FREES", VIEW_PLAIN, false },
		  { "freed_from", "FREED FROM", VIEW_PLAIN, false },
		  { NULL, "SITE", VIEW_SITE, false } },
		{ "slab objects only: frees of other kinds do not tell where they were made" },
	},
};

/* @columns: what is read of the rows; NULL: all. */
static struct err *prepare(struct query_db *db, const char *name, const char *columns,
			   const struct sites_opts *opts, const char *at, struct query **ret)
{
	auto_free char *kinds = xasprintf("kinds=%s", opts->kinds);
	auto_free char *self = xasprintf("self=%d", opts->self);
	auto_free char *rows = opts->limit ? xasprintf("rows=%" PRIu64, opts->limit) : NULL;
	auto_free char *when = at ? xasprintf("at=%s", at) : NULL;
	char *values[FILTER_KEYS + 5] = { kinds, self };
	size_t nr = 2, nr_words = filter_words(opts->filter, values + nr);
	char **end = values + nr + nr_words;

	if (when)
		*end++ = when;
	*end = rows;
	struct err *err = library_prepare_part(db, library_find(name), columns, !opts->limit,
					       values, ret);

	for (size_t i = 0; i < nr_words; i++)
		free(values[nr + i]);
	return err;
}

/* What of a listing there is room for. */
struct shown {
	struct view_column column[MAX_COLUMNS];
	const char *from[MAX_COLUMNS]; /* columns of the query; NULL: the call site */
	size_t nr;
};

static void choose(const struct listing *listing, const struct view_layout *layout,
		   struct shown *ret)
{
	bool narrow = layout->width && layout->width < WIDE;

	ret->nr = 0;
	for (size_t i = 0; i < MAX_COLUMNS && listing->column[i].title; i++) {
		if (narrow && listing->column[i].wide)
			continue;
		ret->column[ret->nr] = (struct view_column){ listing->column[i].title,
							     listing->column[i].style };
		ret->from[ret->nr++] = listing->column[i].name;
	}
}

/* Their names in the query, and those of a call site. */
static char *columns_of(const struct shown *shown)
{
	char *list = xstrdup("file, line, func, module, sym_off, sym_size, self");

	for (size_t i = 0; i < shown->nr; i++) {
		if (!shown->from[i])
			continue;
		auto_free char *before = list;

		list = xasprintf("%s, %s", before, shown->from[i]);
	}
	return list;
}

static struct err *print_rows(struct query *query, const struct listing *listing,
			      const struct shown *shown, FILE *out,
			      const struct view_layout *layout, uint64_t *ret_nr)
{
	const struct cell *row;

	*ret_nr = 0;
	TRY(query_next(query, &row));
	if (!row) {
		fprintf(out, "%s\n", listing->none);
		return NULL;
	}
	CLEANUP(view_cleanup)
	struct view *view = view_new(VIEW_TABLE, out, layout, shown->column, shown->nr);

	for (; row; ++*ret_nr) {
		auto_free char *place = place_text(query, row);
		auto_free char *of_recorder = row[query_find_column(query, "self")].i
						      ? xasprintf("%s (recorder)", place)
						      : NULL;
		const char *site = of_recorder ? of_recorder : place;
		struct cell cells[MAX_COLUMNS];

		for (size_t i = 0; i < shown->nr; i++)
			cells[i] = shown->from[i]
					   ? row[query_find_column(query, shown->from[i])]
					   : (struct cell){ .type = CELL_TEXT,
							    .text = site,
							    .len = strlen(site) };
		view_row(view, cells);
		TRY(query_next(query, &row));
	}
	view_finish(view);
	return NULL;
}

/* What else is wasted, by other things than call sites. */
static const struct {
	const char *query, *title;
	struct view_column column[MAX_COLUMNS];
} waste_sections[] = {
	{ "waste_caches",
	  "Slab caches",
	  { { "WASTE", VIEW_BYTES },
	    { "SHARE", VIEW_SHARE },
	    { "ALLOCATED", VIEW_BYTES },
	    { "NET", VIEW_BYTES },
	    { "SITES", VIEW_PLAIN },
	    { "FAILED", VIEW_PLAIN },
	    { "CACHE", VIEW_PLAIN } } },
	{ "waste_orders",
	  "Page blocks that need neighbours, by order and migrate type",
	  { { "NET", VIEW_BYTES },
	    { "BLOCKS", VIEW_PLAIN },
	    { "ALLOCATED", VIEW_BYTES },
	    { "ALLOCS", VIEW_PLAIN },
	    { "FAILED", VIEW_PLAIN },
	    { "ORDER", VIEW_PLAIN },
	    { "TYPE", VIEW_PLAIN } } },
	{ "waste_failures",
	  "Failed allocations",
	  { { "FAILED", VIEW_PLAIN },
	    { "KIND", VIEW_PLAIN },
	    { "ORDER", VIEW_PLAIN },
	    { "GFP", VIEW_PLAIN },
	    { "SITE", VIEW_SITE } } },
};

/* Its first columns, as many as it has titles; nothing when it has no row. */
static struct err *print_section(struct query_db *db, size_t section,
				 const struct sites_opts *opts, FILE *out,
				 const struct view_layout *layout)
{
	const struct view_column *column = waste_sections[section].column;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	size_t nr = 0;

	while (nr < MAX_COLUMNS && column[nr].title)
		nr++;
	TRY(prepare(db, waste_sections[section].query, NULL, opts, NULL, &query));
	TRY(query_next(query, &row));
	if (!row)
		return NULL;
	fprintf(out, "\n%s\n\n", waste_sections[section].title);
	CLEANUP(view_cleanup) struct view *view = view_new(VIEW_TABLE, out, layout, column, nr);

	while (row) {
		view_row(view, row);
		TRY(query_next(query, &row));
	}
	view_finish(view);
	return NULL;
}

struct err *answer_print(struct query_db *db, enum answer answer, const struct sites_opts *opts,
			 const char *at, enum view_format format, FILE *out,
			 const struct view_layout *layout)
{
	const struct listing *listing = &listings[answer];
	CLEANUP(query_cleanup) struct query *query = NULL;
	struct shown shown;
	uint64_t nr;

	choose(listing, layout, &shown);
	auto_free char *columns = format == VIEW_TABLE ? columns_of(&shown) : NULL;

	TRY(prepare(db, listing->query, columns, opts, at, &query));
	if (format != VIEW_TABLE)
		return view_query(query, format, out, layout);
	TRY(report_head(db, opts, out));
	TRY(print_rows(query, listing, &shown, out, layout, &nr));
	for (size_t i = 0;
	     answer == ANSWER_WASTE && i < sizeof(waste_sections) / sizeof(*waste_sections);
	     i++)
		TRY(print_section(db, i, opts, out, layout));
	putc('\n', out);
	for (size_t i = 0; nr && i < 3 && listing->notes[i]; i++)
		fprintf(out, "Note: %s\n", listing->notes[i]);
	if (opts->limit && nr == opts->limit)
		fprintf(out, "Note: the first %" PRIu64 " only; -n 0 shows all\n", nr);
	return NULL;
}
