// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/reconcile.h"

#include <inttypes.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/reconciled.h"
#include "store/schema.h"
#include "view/text.h"

enum column { KERNEL, RECORDED, DIFFERENCE, NAME, NR_COLUMNS };

static const struct {
	const char *file;  /* as the query's column section has it */
	const char *about; /* what comes before its table */
	struct view_column column[NR_COLUMNS];
} sections[] = {
	{ "meminfo",
	  "Change in /proc/meminfo, and what the recording explains of it (bytes)",
	  { { "KERNEL", VIEW_BYTES },
	    { "RECORDED", VIEW_BYTES },
	    { "DIFFERENCE", VIEW_BYTES },
	    { "FIELD", VIEW_SITE } } },
	{ "vmstat",
	  "Pages that /proc/vmstat counted in the recording",
	  { { "KERNEL", VIEW_PLAIN },
	    { "RECORDED", VIEW_PLAIN },
	    { "DIFFERENCE", VIEW_PLAIN },
	    { "LINE", VIEW_SITE } } },
	{ "vmallocinfo",
	  "Change in /proc/vmallocinfo, by who asked for the areas (bytes)",
	  { { "KERNEL", VIEW_BYTES },
	    { "RECORDED", VIEW_BYTES },
	    { "DIFFERENCE", VIEW_BYTES },
	    { "FUNCTION", VIEW_SITE } } },
	{ "slabinfo",
	  "Change in active objects of /proc/slabinfo, which counts what CPUs keep too",
	  { { "KERNEL", VIEW_PLAIN },
	    { "RECORDED", VIEW_PLAIN },
	    { "DIFFERENCE", VIEW_PLAIN },
	    { "CACHE", VIEW_SITE } } },
	{ "allocinfo",
	  "Change in /proc/allocinfo (bytes)",
	  { { "KERNEL", VIEW_BYTES },
	    { "RECORDED", VIEW_BYTES },
	    { "DIFFERENCE", VIEW_BYTES },
	    { "SITE", VIEW_SITE } } },
};
enum { NR_SECTIONS = sizeof(sections) / sizeof(*sections) };

static const struct cell *get(struct query *query, const struct cell *row, const char *column)
{
	return &row[query_find_column(query, column)];
}

static bool is_of(struct query *query, const struct cell *row, size_t section)
{
	return !strcmp(get(query, row, "section")->text, sections[section].file);
}

static void print_row(struct view *view, struct query *query, const struct cell *row)
{
	const struct cell *covers = get(query, row, "covers");
	auto_free char *name =
		text_printable(get(query, row, "name")->text, get(query, row, "name")->len);
	auto_free char *text = xasprintf("%s%s%s", name, covers->type == CELL_TEXT ? ": " : "",
					 covers->type == CELL_TEXT ? covers->text : "");

	view_row(view,
		 (struct cell[]){
			 [KERNEL] = *get(query, row, "kernel_change"),
			 [RECORDED] = *get(query, row, "recorded_change"),
			 [DIFFERENCE] = *get(query, row, "difference"),
			 [NAME] = { .type = CELL_TEXT, .text = text, .len = strlen(text) },
		 });
}

/* The rows of one file, which *row is at; moves it to the first of another. */
static struct err *print_section(struct query *query, const struct cell **row, size_t section,
				 uint64_t limit, FILE *out, const struct view_layout *layout)
{
	uint64_t nr = 0;

	fprintf(out, "%s\n\n", sections[section].about);
	CLEANUP(view_cleanup)
	struct view *view =
		view_new(VIEW_TABLE, out, layout, sections[section].column, NR_COLUMNS);

	for (; *row && is_of(query, *row, section); nr++) {
		if (!limit || nr < limit)
			print_row(view, query, *row);
		TRY(query_next(query, row));
	}
	view_finish(view);
	if (limit && nr > limit)
		fprintf(out, "Not shown: %" PRIu64 "; -n 0 shows all\n", nr - limit);
	putc('\n', out);
	return NULL;
}

static struct err *print_score(struct query_db *db, FILE *out)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("score"), NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		if (get(query, row, "byte_error")->type == CELL_NULL)
			continue;
		fprintf(out,
			"Agreement with /proc/allocinfo: %" PRId64
			" call sites changed, byte_error %.5f, "
			"site_exact %.4f, site_near %.4f, byte_exact %.4f\n",
			get(query, row, "sites")->i, get(query, row, "byte_error")->real,
			get(query, row, "site_exact")->real, get(query, row, "site_near")->real,
			get(query, row, "byte_exact")->real);
	}
}

static struct err *print_table(struct query_db *db, struct query *query, uint64_t limit,
			       FILE *out, const struct view_layout *layout)
{
	const struct cell *row;

	TRY(query_next(query, &row));
	if (!row)
		fputs("The recording carries no snapshots of /proc from its start and its end: only "
		      "allocprof record takes them.\n",
		      out);
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (row && is_of(query, row, i))
			TRY(print_section(query, &row, i, limit, out, layout));
	return print_score(db, out);
}

struct err *reconcile_print(struct query_db *db, uint64_t limit, enum view_format format,
			    FILE *out, const struct view_layout *layout)
{
	CLEANUP(query_cleanup) struct query *query = NULL;

	TRY(reconciled_query(db, &query));
	if (format == VIEW_TABLE)
		return print_table(db, query, limit, out, layout);
	return view_query(query, format, out, layout);
}
