// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/schema.h"
#include "view/functions.h"
#include "view/place.h"
#include "view/text.h"

enum report_column {
	NET,
	ERROR,
	CALLS,
	ALLOCATED,
	ALLOCS,
	FREES,
	OLDER,
	PEAK,
	KIND,
	CONFIDENCE,
	SITES,
	SITE,
	NR_COLUMNS
};

static const struct view_column columns[NR_COLUMNS] = {
	[NET] = { "NET", VIEW_BYTES },	     [ERROR] = { "±", VIEW_BYTES },
	[CALLS] = { "CALLS", VIEW_PLAIN },   [ALLOCATED] = { "ALLOCATED", VIEW_BYTES },
	[ALLOCS] = { "ALLOCS", VIEW_PLAIN }, [FREES] = { "FREES", VIEW_PLAIN },
	[OLDER] = { "OLDER", VIEW_BYTES },   [PEAK] = { "PEAK", VIEW_BYTES },
	[KIND] = { "KIND", VIEW_PLAIN },     [CONFIDENCE] = { "CONFIDENCE", VIEW_PLAIN },
	[SITES] = { "SITES", VIEW_PLAIN },   [SITE] = { "SITE", VIEW_SITE },
};

/* Below this width a site has more use for the columns than the counts have. */
enum { WIDE = 110 };

struct body {
	struct view *view;
	struct view_column shown[NR_COLUMNS];
	enum report_column from[NR_COLUMNS];
	size_t nr;
	bool overlap; /* there are kinds that lie in each other */
	bool any;     /* row of a call site or a group */
};

/* @group: what a row is, for the head of its column; NULL for a call site. @accounts: rows
 * are of accounts. */
static void body_init(struct body *body, FILE *out, const struct view_layout *layout,
		      const char *group, bool accounts, bool sampled)
{
	bool narrow = layout->width && layout->width < WIDE;

	body->nr = 0;
	for (enum report_column i = 0; i < NR_COLUMNS; i++) {
		if (narrow && (i == ALLOCS || i == FREES || i == OLDER || i == CONFIDENCE))
			continue;
		if ((group ? i == CONFIDENCE : i == SITES) || (i == ERROR && !sampled))
			continue;
		if (accounts && (i == PEAK || i == OLDER || i == ERROR))
			continue;
		body->from[body->nr] = i;
		body->shown[body->nr++] = columns[i];
	}
	if (group)
		body->shown[body->nr - 1].title = group;
	body->view = view_new(VIEW_TABLE, out, layout, body->shown, body->nr);
}

static void body_deinit(struct body *body)
{
	view_free(body->view);
}

/* A row of all the columns. */
static void body_row(struct body *body, const struct cell *cells)
{
	struct cell shown[NR_COLUMNS];

	for (size_t i = 0; i < body->nr; i++)
		shown[i] = cells[body->from[i]];
	view_row(body->view, shown);
}

static const struct cell *get(struct query *query, const struct cell *row, const char *column)
{
	return &row[query_find_column(query, column)];
}

/* A text of the row for the terminal; "" for NULL. */
static char *get_text(struct query *query, const struct cell *row, const char *column)
{
	const struct cell *cell = get(query, row, column);

	return text_printable(cell->text, cell->len);
}

struct sums {
	double alloc, exact, inferred, uncertain;
	uint64_t sites;
	bool sampled;
};

static struct err *query_totals(struct query_db *db, const struct sites_opts *opts,
				struct query **ret)
{
	TRY(query_prepare(db, schema_query("totals"), NULL, ret));
	query_bind_text(*ret, ":kinds", opts->kinds);
	query_bind_int(*ret, ":self", opts->self);
	return NULL;
}

static struct err *sum_up(struct query_db *db, const struct sites_opts *opts, struct sums *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_totals(db, opts, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		ret->alloc += (double)get(query, row, "alloc_bytes")->i;
		ret->exact += (double)get(query, row, "exact_bytes")->i;
		ret->inferred += (double)get(query, row, "inferred_bytes")->i;
		ret->uncertain += (double)get(query, row, "uncertain_bytes")->i;
		ret->sites += (uint64_t)get(query, row, "call_sites")->i;
	}
}

static void print_lost(FILE *out, int64_t lost, int64_t gaps, int64_t events)
{
	char n[TEXT_MAX], share[TEXT_MAX];

	if (lost) {
		text_grouped(n, lost);
		text_share(share, (double)lost, (double)(lost + events));
		fprintf(out, "%s lost (%s)", n, share);
	} else if (!gaps) {
		fputs("none lost", out);
	} else {
		fputs("an unknown number lost", out);
	}
	if (gaps)
		fprintf(out, " in %" PRId64 " gap%s", gaps, gaps == 1 ? "" : "s");
	putc('\n', out);
}

/* What of all allocations was recorded, a condition a line. */
static void print_filters(struct query *query, const struct cell *row, FILE *out)
{
	const struct cell *cell = get(query, row, "filters");
	const char *head = "Only      ";

	if (cell->type != CELL_TEXT)
		return;
	for (const char *pos = cell->text; *pos;) {
		size_t len = strcspn(pos, "\n");
		auto_free char *line = text_printable(pos, len);

		fprintf(out, "%s%s\n", head, line);
		head = "          ";
		pos += len + (pos[len] == '\n');
	}
}

static void print_window(const struct cell *from, const struct cell *to, FILE *out)
{
	if (from->type == CELL_NULL && to->type == CELL_NULL)
		return;
	fputs("Window   ", out);
	if (from->type != CELL_NULL)
		fprintf(out, " from %.3f s", from->real);
	if (to->type != CELL_NULL)
		fprintf(out, " to %.3f s", to->real);
	putc('\n', out);
}

/* Of snapshots no more is known than when they were taken, and perhaps where. */
static void print_snapshots(struct query *query, const struct cell *row, const char *host,
			    const char *started, FILE *out)
{
	auto_free char *format = get_text(query, row, "input_format");
	double s = get(query, row, "duration_s")->real;

	fprintf(out, "Imported  %s%s%s\n", format, *host ? ", host " : "", host);
	fprintf(out, "Taken     %s", *started ? started : "at times not known");
	if (s > 0)
		fprintf(out, ", the last %.3f s later", s);
	putc('\n', out);
}

/* @several: of how many recordings the report is, 0 when it is of one. */
static void print_recording(struct query *query, const struct cell *row, size_t several,
			    FILE *out)
{
	char events[TEXT_MAX];
	auto_free char *release = get_text(query, row, "release");
	auto_free char *machine = get_text(query, row, "machine");
	auto_free char *host = get_text(query, row, "hostname");
	auto_free char *started = get_text(query, row, "started");
	int64_t cpus = get(query, row, "cpus")->i, nr_events = get(query, row, "events")->i;

	if (several)
		fprintf(out, "Recording %" PRId64 " of %zu\n", get(query, row, "recording")->i,
			several);
	if (get(query, row, "snapshots")->i) {
		print_snapshots(query, row, host, started, out);
		return;
	}
	fprintf(out, "Kernel    %s%s%s", *release ? release : "not recorded",
		*machine ? " " : "", machine);
	if (cpus)
		fprintf(out, ", %" PRId64 " CPU%s", cpus, cpus == 1 ? "" : "s");
	fprintf(out, "%s%s\n", *host ? ", host " : "", host);
	fprintf(out, "Recorded  %s%s%.3f s\n", started, *started ? ", " : "",
		get(query, row, "duration_s")->real);
	text_grouped(events, nr_events);
	fprintf(out, "Events    %s, ", events);
	print_lost(out, get(query, row, "lost_events")->i, get(query, row, "lost_gaps")->i,
		   nr_events);
	if (get(query, row, "sample")->type == CELL_INT)
		fprintf(out,
			"Sampled   one in %" PRId64
			" chunks of memory: figures are estimates, ± one "
			"standard error\n",
			get(query, row, "sample")->i);
	print_filters(query, row, out);
	print_window(get(query, row, "from_s"), get(query, row, "to_s"), out);
}

static void print_symbols(struct query *query, const struct cell *row, FILE *out)
{
	auto_free char *vmlinux = get_text(query, row, "vmlinux");

	fprintf(out, "Symbols   %s\n",
		*vmlinux ? vmlinux : "no debug information of the kernel");
}

static struct err *count_recordings(struct query_db *db, size_t *ret)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("recording"), NULL, &query));
	for (*ret = 0;; ++*ret) {
		TRY(query_next(query, &row));
		if (!row)
			break;
	}
	return *ret ? NULL : err_new(ERR_FORMAT, "the database does not say what was recorded");
}

static struct err *print_head(struct query_db *db, struct sums *sums, FILE *out)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	char a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX], bytes[TEXT_MAX];
	bool snapshots = true;
	size_t nr;

	TRY(count_recordings(db, &nr));
	TRY(query_prepare(db, schema_query("recording"), NULL, &query));
	for (size_t i = 0; i < nr; i++) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		print_recording(query, row, nr > 1 ? nr : 0, out);
		sums->sampled |= get(query, row, "sample")->type == CELL_INT;
		snapshots &= get(query, row, "snapshots")->i != 0;
		if (nr > 1) {
			if (!get(query, row, "snapshots")->i)
				print_symbols(query, row, out);
			putc('\n', out);
		}
	}
	if (snapshots) {
		putc('\n', out);
		return NULL;
	}
	text_iec(bytes, (int64_t)sums->alloc);
	text_share(a, sums->exact, sums->alloc);
	text_share(b, sums->inferred, sums->alloc);
	text_share(c, sums->uncertain, sums->alloc);
	fprintf(out,
		"Exact     %s of %s allocated; end inferred: %s, uncertain after loss: %s\n", a,
		bytes, b, c);
	if (nr == 1)
		print_symbols(query, row, out);
	putc('\n', out);
	return NULL;
}

struct err *report_head(struct query_db *db, const struct sites_opts *opts, FILE *out)
{
	struct sums sums = {};

	TRY(sum_up(db, opts, &sums));
	return print_head(db, &sums, out);
}

/* The name of a group; what has none says why. */
static char *group_text(struct query *query, const struct cell *row, const char *by)
{
	static const char *const without[][2] = {
		{ "cache", "(no cache, or several)" }, { "caller", "(caller not recorded)" },
		{ "comm", "(name not recorded)" },     { "tgid", "(process not recorded)" },
		{ "cgroup", "(cgroup not recorded)" }, { "node", "(node not recorded)" },
		{ "gfp", "(no flags recorded)" },      { "order", "(not pages)" },
		{ "migratetype", "(not pages)" },
	};

	if (get(query, row, "name")->type != CELL_NULL)
		return get_text(query, row, "name");
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		if (!strcmp(by, without[i][0]))
			return xstrdup(without[i][1]);
	return xstrdup("(not known)");
}

/* Behind what the recorder itself did. */
#define RECORDER " (recorder)"

/* The name of a call site. In whatever width: what seems to live there may be no leak. */
static char *site_text(struct query *query, const struct cell *row)
{
	bool self = get(query, row, "self")->i != 0;
	bool unseen = !strcmp(get(query, row, "confidence")->text, "invisible");
	char *place = place_text(query, row);

	if (!self && !unseen)
		return place;
	auto_free char *bare = place;

	return xasprintf("%s%s%s", bare, self ? RECORDER : "", unseen ? " (frees unseen)" : "");
}

#define SHOWN_COLUMNS                                                                        \
	"kind, net_bytes, net_calls, alloc_bytes, allocs, frees, net_se_bytes, peak_bytes, " \
	"preexisting_freed_bytes"
#define SITE_COLUMNS \
	SHOWN_COLUMNS ", confidence, self, file, line, func, module, sym_off, sym_size"
#define GROUP_COLUMNS SHOWN_COLUMNS ", name, call_sites"

static struct err *print_sites(struct query_db *db, const struct sites_opts *opts,
			       struct body *body)
{
	static const char *const from[NR_COLUMNS] = {
		[NET] = "net_bytes",
		[ERROR] = "net_se_bytes",
		[CALLS] = "net_calls",
		[ALLOCATED] = "alloc_bytes",
		[ALLOCS] = "allocs",
		[FREES] = "frees",
		[PEAK] = "peak_bytes",
		[OLDER] = "preexisting_freed_bytes",
		[KIND] = "kind",
		[SITES] = "call_sites",
		[CONFIDENCE] = "confidence",
	};
	bool grouped = sites_grouped(opts);
	CLEANUP(query_cleanup) struct query *query = NULL;
	size_t column[SITE];
	const struct cell *row;
	struct sites_opts shown = *opts;

	shown.columns = grouped ? GROUP_COLUMNS : SITE_COLUMNS;
	TRY(sites_query(db, &shown, &query));
	for (int i = 0; i < SITE; i++)
		if (i != (grouped ? CONFIDENCE : SITES))
			column[i] = query_find_column(query, from[i]);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		struct cell cells[NR_COLUMNS];
		auto_free char *site =
			grouped ? group_text(query, row, opts->by) : site_text(query, row);

		for (int i = 0; i < SITE; i++)
			if (i != (grouped ? CONFIDENCE : SITES))
				cells[i] = row[column[i]];
		cells[SITE] =
			(struct cell){ .type = CELL_TEXT, .text = site, .len = strlen(site) };
		body_row(body, cells);
		body->any = true;
	}
}

/* The totals of what a filter lets through. */
static struct err *query_filtered(struct query_db *db, const struct sites_opts *opts,
				  struct query **ret)
{
	struct sites_opts all = *opts;

	all.by = "kind";
	all.sort = "bytes";
	all.limit = 0;
	/* No more than the rows showed, so that the sums are those that were made with them. */
	all.columns = GROUP_COLUMNS;
	return sites_query(db, &all, ret);
}

static struct err *print_totals(struct query_db *db, const struct sites_opts *opts,
				struct body *body)
{
	bool filtered = !filter_is_empty(opts->filter);
	static const struct cell none = { .type = CELL_TEXT, .text = "" };
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(filtered ? query_filtered(db, opts, &query) : query_totals(db, opts, &query));
	view_gap(body->view);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		int64_t nr = get(query, row, "call_sites")->i;

		body->overlap |= strcmp(get(query, row, "kind")->text, "any") != 0;
		auto_free char *text =
			xasprintf("total of %" PRId64 " call site%s%s", nr, nr == 1 ? "" : "s",
				  filtered		       ? " (filtered)"
				  : get(query, row, "self")->i ? RECORDER
							       : "");
		struct cell cells[NR_COLUMNS] = {
			[NET] = *get(query, row, "net_bytes"),
			[ERROR] = none,
			[CALLS] = *get(query, row, "net_calls"),
			[ALLOCATED] = *get(query, row, "alloc_bytes"),
			[ALLOCS] = *get(query, row, "allocs"),
			[FREES] = *get(query, row, "frees"),
			[OLDER] = *get(query, row, "preexisting_freed_bytes"),
			[PEAK] = none,
			[KIND] = *get(query, row, "kind"),
			[SITES] = { .type = CELL_INT, .i = nr },
			[CONFIDENCE] = none,
			[SITE] = { .type = CELL_TEXT, .text = text, .len = strlen(text) },
		};

		body_row(body, cells);
	}
}

static struct err *print_notes(struct query_db *db, FILE *out)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("notes"), NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		auto_free char *text = text_printable(row[0].text, row[0].len);

		if (get(query, row, "several")->i)
			fprintf(out, "Note: recording %" PRId64 ": %s\n",
				get(query, row, "recording")->i, text);
		else
			fprintf(out, "Note: %s\n", text);
	}
}

/* Three lines for who reads nothing else. */
static struct err *print_summary(struct query_db *db, const struct sites_opts *opts, FILE *out)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;

	if (functions_register_all(query_db_handle(db)))
		return err_new(ERR_OS, "no memory for SQL functions");
	TRY(query_prepare(db, schema_query("summary"), NULL, &query));
	query_bind_text(query, ":kinds", opts->kinds);
	query_bind_int(query, ":self", opts->self);
	putc('\n', out);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		auto_free char *text = text_printable(row[0].text, row[0].len);

		fprintf(out, "%s\n", text);
	}
}

static char *upper(const char *text)
{
	char *ret = xstrdup(text);

	for (char *p = ret; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return ret;
}

/* What :self leaves out. */
static struct err *print_self(struct query_db *db, const struct sites_opts *opts, FILE *out)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	char net[TEXT_MAX], alloc[TEXT_MAX];
	bool any = false;

	if (opts->self)
		return NULL;
	TRY(query_prepare(db, schema_query("self"), NULL, &query));
	query_bind_text(query, ":kinds", opts->kinds);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		auto_free char *kind = get_text(query, row, "kind");

		text_iec(net, get(query, row, "net_bytes")->i);
		text_iec(alloc, get(query, row, "alloc_bytes")->i);
		fprintf(out, "%s %s %s net (%s allocated)",
			any ? ","
			    : "Note: without what the recorder itself allocated, which --self shows:",
			kind, net, alloc);
		any = true;
	}
	if (any)
		putc('\n', out);
	return NULL;
}

struct err *report_print(struct query_db *db, const struct sites_opts *opts, FILE *out,
			 const struct view_layout *layout)
{
	bool accounts = sites_by_account(opts);
	struct sums sums = {};

	TRY(sites_check(opts));
	TRY(sum_up(db, opts, &sums));
	TRY(print_head(db, &sums, out));
	CLEANUP(body_deinit) struct body body = {};

	bool grouped = sites_grouped(opts), filtered = !filter_is_empty(opts->filter);
	auto_free char *group = grouped ? upper(opts->by) : NULL;

	body_init(&body, out, layout, group, accounts, sums.sampled);
	TRY(print_sites(db, opts, &body));
	TRY(print_totals(db, opts, &body));
	view_finish(body.view);
	putc('\n', out);
	if (filtered && !body.any)
		fputs("Note: nothing was allocated so as --for says\n", out);
	if (grouped && sums.sampled && !accounts)
		fputs("Note: the error of a group is the sum of its call sites' errors: an upper "
		      "bound\n",
		      out);
	if (accounts)
		fputs("Note: accounts of who allocated have no peaks, and older objects no account\n",
		      out);
	else if (grouped)
		fputs("Note: a group's peak is the sum of its call sites' peaks: an upper bound\n",
		      out);
	else if (opts->limit && opts->limit < sums.sites)
		fprintf(out, "Note: call sites not shown: %" PRIu64 "; -n 0 shows all\n",
			sums.sites - opts->limit);
	if (strchr(opts->kinds, ',') && body.overlap)
		fputs("Note: kinds overlap: slab objects and percpu areas lie in pages that kind page "
		      "counts again; vmalloc is address space\n",
		      out);
	TRY(print_self(db, opts, out));
	TRY(print_notes(db, out));
	/* It is of all that was recorded. */
	return filtered ? NULL : print_summary(db, opts, out);
}
