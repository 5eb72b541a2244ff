// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/diff.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/place.h"
#include "view/text.h"

static struct cell text_cell(const char *text)
{
	if (!text)
		return (struct cell){ .type = CELL_NULL };
	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

static struct cell int_cell(int64_t v)
{
	return (struct cell){ .type = CELL_INT, .i = v };
}

/* Whole numbers as such: all figures are, unless they were divided or averaged. */
static struct cell number_cell(double v)
{
	if (v == rint(v) && fabs(v) < 9e15)
		return int_cell((int64_t)v);
	return (struct cell){ .type = CELL_REAL, .real = v };
}

/* For people: whole bytes, and three decimals of the rest. */
static struct cell rounded_cell(double v, bool bytes)
{
	return number_cell(bytes ? rint(v) : rint(v * 1000) / 1000);
}

static const char *status_of(const struct change *change)
{
	return !change->old ? "new" : !change->new ? "gone" : change->moved ? "moved" : "";
}

/* For programs there is always a word. */
static const char *status_word(const struct change *change)
{
	const char *status = status_of(change);

	return *status ? status : change->change != 0 ? "changed" : "same";
}

static struct place place_of(const struct strings *strings, const struct side_site *site)
{
	return (struct place){
		.file = strings_text(strings, site->file),
		.func = strings_text(strings, site->func),
		.module = strings_text(strings, site->module),
		.line = site->line,
		.sym_off = site->sym_off,
		.sym_size = site->sym_size,
	};
}

/* In per cent of what was there before; NULL where nothing was. */
static struct cell percent_cell(const struct change *change)
{
	if (!(change->old_value > 0))
		return (struct cell){ .type = CELL_NULL };
	return number_cell(rint(1000 * change->change / change->old_value) / 10);
}

/* Where it is, and where it was when that is another line or file. */
static char *site_text(const struct strings *strings, const struct change *change)
{
	struct place place = place_of(strings, change->new ? change->new : change->old);
	auto_free char *text = place_format(&place);

	if (!change->moved)
		return take_ptr(text);
	struct place before = place_of(strings, change->old);

	if (change->old->file != change->new->file ||
	    change->old->module != change->new->module) {
		auto_free char *was = place_format(&before);

		return xasprintf("%s (was %s)", text, was);
	}
	return xasprintf("%s (was line %" PRId64 ")", text, before.line);
}

static bool shown(const struct change *change, const struct diff_opts *opts)
{
	return opts->all || change->significant;
}

enum { CHANGE, PERCENT, OLD, NEW, CALLS, NOISE, KIND, STATUS, SITE, NR_COLUMNS };

static void print_row(struct view *view, const struct change *change, const char *kind,
		      const char *status, const char *site, bool bytes)
{
	view_row(view,
		 (struct cell[]){
			 [CHANGE] = rounded_cell(change->change, bytes),
			 [PERCENT] = percent_cell(change),
			 [OLD] = rounded_cell(change->old_value, bytes),
			 [NEW] = rounded_cell(change->new_value, bytes),
			 [CALLS] = rounded_cell(change->new_calls - change->old_calls, false),
			 [NOISE] = rounded_cell(change->noise, bytes),
			 [KIND] = text_cell(kind),
			 [STATUS] = text_cell(status),
			 [SITE] = text_cell(site),
		 });
}

static void print_sites(struct view *view, const struct changes *changes,
			const struct strings *strings, const struct diff_opts *opts)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < changes->nr; i++) {
		const struct change *change = &changes->change[i];

		if (!shown(change, opts))
			continue;
		if (opts->limit && nr++ == opts->limit)
			break;
		auto_free char *site = site_text(strings, change);
		const struct side_site *one = change->new ? change->new : change->old;

		print_row(view, change, strings_text(strings, one->kind), status_of(change),
			  site, opts->bytes);
	}
}

static void print_table(const struct changes *changes, const struct side *old,
			const struct diff_opts *opts, enum view_format format, FILE *out,
			const struct view_layout *layout)
{
	enum view_style bytes = opts->bytes ? VIEW_BYTES : VIEW_PLAIN;
	enum view_style change = opts->bytes ? VIEW_BYTES_CHANGE : VIEW_CHANGE;
	const struct view_column columns[NR_COLUMNS] = {
		[CHANGE] = { "CHANGE", change },    [PERCENT] = { "%", VIEW_CHANGE },
		[OLD] = { "OLD", bytes },	    [NEW] = { "NEW", bytes },
		[CALLS] = { "CALLS", VIEW_CHANGE }, [NOISE] = { "NOISE", bytes },
		[KIND] = { "KIND", VIEW_PLAIN },    [STATUS] = { "STATUS", VIEW_PLAIN },
		[SITE] = { "SITE", VIEW_SITE },
	};
	CLEANUP(view_cleanup)
	struct view *view = view_new(format, out, layout, columns, NR_COLUMNS);

	print_sites(view, changes, old->strings, opts);
	view_gap(view);
	for (size_t i = 0; i < changes->nr_totals; i++) {
		const struct change_total *total = &changes->total[i];

		print_row(view, &total->sum, strings_text(old->strings, total->kind), "",
			  "total of all call sites", opts->bytes);
	}
	view_finish(view);
}

/* Each figure as it was compared, and both places. */
static void print_rows(const struct changes *changes, const struct side *old,
		       const struct diff_opts *opts, enum view_format format, FILE *out,
		       const struct view_layout *layout)
{
	static const struct view_column columns[] = {
		{ "kind", VIEW_PLAIN },	      { "status", VIEW_PLAIN },
		{ "file", VIEW_PLAIN },	      { "line", VIEW_PLAIN },
		{ "func", VIEW_PLAIN },	      { "module", VIEW_PLAIN },
		{ "sym_off", VIEW_PLAIN },    { "old_file", VIEW_PLAIN },
		{ "old_line", VIEW_PLAIN },   { "old_func", VIEW_PLAIN },
		{ "old_module", VIEW_PLAIN }, { "old_sym_off", VIEW_PLAIN },
		{ "old_value", VIEW_PLAIN },  { "new_value", VIEW_PLAIN },
		{ "change", VIEW_PLAIN },     { "percent", VIEW_PLAIN },
		{ "old_calls", VIEW_PLAIN },  { "new_calls", VIEW_PLAIN },
		{ "noise", VIEW_PLAIN },      { "significant", VIEW_PLAIN },
	};
	const struct cell null = { .type = CELL_NULL };
	CLEANUP(view_cleanup)
	struct view *view =
		view_new(format, out, layout, columns, sizeof(columns) / sizeof(*columns));
	uint64_t nr = 0;

	for (size_t i = 0; i < changes->nr; i++) {
		const struct change *change = &changes->change[i];
		const struct side_site *a = change->old, *b = change->new;
		struct place was = a ? place_of(old->strings, a) : (struct place){};
		struct place is = b ? place_of(old->strings, b) : (struct place){};

		if (!shown(change, opts))
			continue;
		if (opts->limit && nr++ == opts->limit)
			break;
		view_row(view, (struct cell[]){
				       text_cell(strings_text(old->strings, (b ? b : a)->kind)),
				       text_cell(status_word(change)),
				       text_cell(is.file),
				       is.line ? int_cell(is.line) : null,
				       text_cell(is.func),
				       text_cell(is.module),
				       is.sym_size ? int_cell(is.sym_off) : null,
				       text_cell(was.file),
				       was.line ? int_cell(was.line) : null,
				       text_cell(was.func),
				       text_cell(was.module),
				       was.sym_size ? int_cell(was.sym_off) : null,
				       number_cell(change->old_value),
				       number_cell(change->new_value),
				       number_cell(change->change),
				       percent_cell(change),
				       number_cell(change->old_calls),
				       number_cell(change->new_calls),
				       number_cell(change->noise),
				       int_cell(change->significant),
			       });
	}
	view_finish(view);
}

static void print_runs(const struct side *side, const char *title, FILE *out)
{
	for (size_t i = 0; i < side->nr_runs; i++) {
		const struct run *run = &side->run[i];
		auto_free char *name = text_printable(run->name, strlen(run->name));
		auto_free char *host = text_printable(run->host, strlen(run->host));
		auto_free char *release = text_printable(run->release, strlen(run->release));

		fprintf(out, "%-9s %s: %s%s%s%s%.3f s%s%s\n", i ? "" : title, name,
			*host ? host : "", *host ? ", " : "", release, *release ? ", " : "",
			run->duration_s, *run->started ? ", " : "", run->started);
	}
}

static bool has_files(const struct side *side)
{
	for (size_t i = 0; i < side->nr_sites; i++)
		if (side->site[i].file)
			return true;
	return !side->nr_sites;
}

static void print_notes(const struct changes *changes, const struct side *old,
			const struct side *new, const struct diff_opts *opts, FILE *out)
{
	char sum[TEXT_MAX], n[TEXT_MAX];

	if (!changes->nr_significant)
		fprintf(out, "Note: no call site changed%s\n",
			changes->nr_noise ? " by more than the noise" : "");
	if (opts->limit && !opts->all && changes->nr_significant > opts->limit)
		fprintf(out, "Note: changes not shown: %" PRIu64 "; -n 0 shows all\n",
			changes->nr_significant - opts->limit);
	if (changes->nr_noise && !opts->all) {
		text_grouped(n, (int64_t)changes->nr_noise);
		if (opts->bytes)
			text_iec(sum, (int64_t)rint(changes->noise_sum));
		else
			text_real(sum, rint(changes->noise_sum * 1000) / 1000);
		fprintf(out,
			"Note: within the noise: %s call site%s, %s%s in sum; --all shows %s\n",
			n, changes->nr_noise == 1 ? "" : "s", changes->noise_sum > 0 ? "+" : "",
			sum, changes->nr_noise == 1 ? "it" : "them");
	}
	if (old->nr_runs == 1 && new->nr_runs == 1 && (old->moves || new->moves))
		fputs("Note: one run on either side: noise is how far a figure moves within it; "
		      "several runs tell more (diff OLD... : NEW...)\n",
		      out);
	else if (old->nr_runs == 1 && new->nr_runs == 1)
		fputs("Note: one run on either side: what varies from run to run is not known; "
		      "several tell (diff OLD... : NEW...)\n",
		      out);
	if (opts->any_kind)
		fputs("Note: one side is from /proc/allocinfo: kinds are counted together, without "
		      "vmalloc, which is address space\n",
		      out);
	if (has_files(old) != has_files(new))
		fprintf(out,
			"Note: no debug information on the %s side: call sites are compared by "
			"function\n",
			has_files(old) ? "new" : "old");
}

void diff_print(const struct changes *changes, const struct side *old, const struct side *new,
		const struct diff_opts *opts, enum view_format format, FILE *out,
		const struct view_layout *layout)
{
	if (format == VIEW_CSV || format == VIEW_JSON) {
		print_rows(changes, old, opts, format, out, layout);
		return;
	}
	if (format == VIEW_TABLE) {
		print_runs(old, "Old", out);
		print_runs(new, "New", out);
		fprintf(out, "%-9s %s%s%s%s\n\n", "Compared", opts->metric,
			opts->per ? " per " : "", opts->per ? opts->per : "",
			old->nr_runs > 1 || new->nr_runs > 1 ? ", mean of the runs" : "");
	}
	print_table(changes, old, opts, format, out, layout);
	if (format == VIEW_TABLE) {
		putc('\n', out);
		print_notes(changes, old, new, opts, out);
	}
}
