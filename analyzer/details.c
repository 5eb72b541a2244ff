// SPDX-License-Identifier: GPL-2.0-or-later
#include "details.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "decode/gfp.h"
#include "store/overtime.h"

enum { MAX_NODES = 256 };

static struct cell integer(uint64_t value)
{
	return (struct cell){ .type = CELL_INT, .i = (int64_t)value };
}

/* NULL unless @known. */
static struct cell integer_if(bool known, uint64_t value)
{
	return known ? integer(value) : (struct cell){ .type = CELL_NULL };
}

static struct cell text_cell(const char *text)
{
	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

/* ---- accounts */

static int by_flags(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/*
 * The distinct combinations, ascending: the number of one's row is its place from 1. There
 * are some dozens of them in thousands of accounts, most of which need not be sorted.
 */
static uint32_t *list_flags(const struct account *account, size_t nr, size_t *ret_nr)
{
	uint32_t *flags = NULL;
	size_t nr_flags = 0, cap = 0, kept = 0;
	uint64_t seen[256];

	memset(seen, 0xff, sizeof(seen));
	for (size_t i = 0; i < nr; i++) {
		uint32_t flag = account_gfp(&account[i]);
		uint64_t *slot = &seen[flag * UINT32_C(0x9e3779b1) >> 24];

		if (*slot == flag)
			continue;
		*slot = flag;
		vec_room(flags, nr_flags, cap);
		flags[nr_flags++] = flag;
	}
	if (nr_flags)
		qsort(flags, nr_flags, sizeof(*flags), by_flags);
	for (size_t i = 0; i < nr_flags; i++)
		if (!kept || flags[kept - 1] != flags[i])
			flags[kept++] = flags[i];
	*ret_nr = kept;
	return flags;
}

static struct err *write_flags(struct writer *writer, const struct tracefile *file,
			       const uint32_t *flags, size_t nr)
{
	CLEANUP(gfp_cleanup) struct gfp *gfp = gfp_new(file);
	uint64_t mask;
	const char *name;

	for (size_t i = 0; gfp_name(gfp, i, &mask, &name); i++) {
		const struct cell row[] = { integer(i + 1), integer(mask), text_cell(name) };

		TRY(writer_row(writer, WRITER_GFP_NAME, row));
	}
	for (size_t i = 0; i < nr; i++) {
		auto_free char *text = gfp_text(gfp, flags[i]);
		const struct cell row[] = { integer(i + 1), integer(flags[i]),
					    text_cell(text) };

		TRY(writer_row(writer, WRITER_GFP, row));
	}
	return NULL;
}

/*
 * Numbers the caches by their first account, into @number: their ids depend on which
 * thread met a name first, and on how a recording came that was read as it grew.
 */
static struct err *write_caches(struct writer *writer, const struct names *names,
				const struct account *account, size_t nr, uint32_t *number)
{
	uint32_t last = 0;

	for (size_t i = 0; i < nr; i++) {
		uint16_t id = account_cache(&account[i]);

		if (!id || number[id])
			continue;
		number[id] = ++last;

		const struct cell row[] = { integer(last), text_cell(names_text(names, id)) };

		TRY(writer_row(writer, WRITER_CACHE, row));
	}
	return NULL;
}

static struct err *write_account(struct writer *writer, const struct account *a,
				 const struct account_doubt *d, enum site_kind kind, size_t gfp,
				 uint32_t cache)
{
	enum account_merged merged = account_merged(a);
	bool told = merged != ACCOUNT_ALL, page = told && kind == SITE_PAGE;
	const struct cell row[] = {
		integer(account_site(a) + UINT64_C(1)),
		merged == ACCOUNT_WHOLE ? (struct cell){ .type = CELL_INT, .i = account_pid(a) }
					: (struct cell){ .type = CELL_NULL },
		integer_if(told, account_cpu(a)),
		integer_if(told, account_context(a)),
		/* The events of areas carry none. */
		integer_if(told && kind != SITE_VMALLOC, gfp + 1),
		integer_if(page, account_order(a)),
		integer_if(page, account_migratetype(a)),
		integer_if(cache, cache),
		integer(a->allocs),
		integer(a->alloc_bytes),
		integer(a->bytes_req),
		integer(a->failures),
		integer(a->ends - d->inferred),
		integer(a->end_bytes - d->inferred_bytes),
		integer(d->inferred),
		integer(d->inferred_bytes),
		integer(d->uncertain),
		integer(d->uncertain_bytes),
		integer(d->pieces),
	};

	return writer_row(writer, WRITER_ACCOUNT, row);
}

static struct err *write_accounts(struct writer *writer, const struct tracefile *file,
				  const struct match *match, const struct names *names)
{
	size_t nr, nr_flags, nr_sites;
	const struct account *account = match_accounts(match, &nr);
	const struct account_doubt *doubt = match_account_doubts(match);
	const struct site *site = match_sites(match, &nr_sites);
	auto_free uint32_t *flags = list_flags(account, nr, &nr_flags);

	TRY(write_flags(writer, file, flags, nr_flags));
	auto_free uint32_t *number = xcalloc(UINT16_MAX + 1, sizeof(*number));

	TRY(write_caches(writer, names, account, nr, number));
	for (size_t i = 0; i < nr; i++) {
		uint32_t gfp = account_gfp(&account[i]);
		const uint32_t *at = bsearch(&gfp, flags, nr_flags, sizeof(gfp), by_flags);

		TRY(write_account(
			writer, &account[i], &doubt[i], site[account_site(&account[i])].kind,
			at ? (size_t)(at - flags) : 0, number[account_cache(&account[i])]));
	}
	return NULL;
}

/* ---- over time */

/* A raw site, by the call site that it is of. */
struct place {
	uint32_t callsite, site;
	bool self;
};

static int by_call_site(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->callsite != y->callsite)
		return x->callsite < y->callsite ? -1 : 1;
	if (x->self != y->self)
		return x->self - y->self;
	return (x->site > y->site) - (x->site < y->site);
}

static struct place *order_sites(const struct writer *writer, const struct site *site,
				 size_t nr)
{
	struct place *place = xcalloc(nr + 1, sizeof(*place));

	for (uint32_t i = 0; i < nr; i++)
		place[i] = (struct place){ writer_call_site(writer, i + 1), i, site[i].self };
	qsort(place, nr, sizeof(*place), by_call_site);
	return place;
}

/* The entries of a series by site, in their order: indices, plus 1; 0: no more. */
struct courses {
	const struct series *series;
	uint32_t *first; /* of each site */
	uint32_t *next;	 /* of each entry */
};

static void courses_init(struct courses *courses, const struct series *series, size_t nr_sites)
{
	courses->series = series;
	courses->first = xcalloc(nr_sites + 1, sizeof(*courses->first));
	courses->next = xcalloc(series->nr + 1, sizeof(*courses->next));
	for (uint32_t i = (uint32_t)series->nr; i-- > 0;) {
		uint32_t *first = &courses->first[series->entry[i].site];

		courses->next[i] = *first;
		*first = i + 1;
	}
}

static void courses_deinit(struct courses *courses)
{
	free(courses->first);
	free(courses->next);
}

static void add_changes(struct overtime *overtime, const struct courses *courses, uint32_t site)
{
	static const struct series_entry nothing;
	const struct series_entry *before = &nothing;

	for (uint32_t at = courses->first[site]; at; at = courses->next[at - 1]) {
		const struct series_entry *e = &courses->series->entry[at - 1];

		overtime_add_change(overtime, e->bucket,
				    (int64_t)(e->live_bytes - before->live_bytes),
				    (int64_t)(e->live - before->live),
				    (int64_t)(e->alloc_bytes - before->alloc_bytes),
				    (int64_t)(e->allocs - before->allocs));
		before = e;
	}
}

static void add_lives(struct overtime *overtime, const struct match *match, uint32_t site)
{
	for (uint32_t bin = 0; bin < LIFE_BINS; bin++) {
		if (match_has_lives(match, site, bin))
			overtime_add_lives(overtime, bin, match_lived(match, site, bin),
					   match_aged(match, site, bin));
		else
			bin |= LIFE_ROW - 1;
	}
}

static struct err *write_overtime(struct writer *writer, const struct match *match)
{
	const struct series *series = match_series(match);
	size_t nr;
	const struct site *site = match_sites(match, &nr);
	CLEANUP(courses_deinit) struct courses courses = {};
	auto_free struct place *place = order_sites(writer, site, nr);
	auto_free struct overtime *overtime = xcalloc(1, sizeof(*overtime));

	TRY(writer_recording_int(writer, "bucket_start_ns", (int64_t)series->start_ns));
	TRY(writer_recording_int(writer, "bucket_ns", (int64_t)series->width_ns));
	TRY(writer_recording_int(writer, "buckets", series->bucket + INT64_C(1)));
	courses_init(&courses, series, nr);
	for (size_t i = 0; i < nr; i++) {
		uint32_t at = place[i].site;

		add_changes(overtime, &courses, at);
		if (site[at].lived || site[at].aged)
			add_lives(overtime, match, at);
		if (i + 1 < nr && place[i + 1].callsite == place[i].callsite &&
		    place[i + 1].self == place[i].self)
			continue;
		TRY(overtime_write(overtime, writer, place[i].callsite, place[i].self));
	}
	return NULL;
}

static struct err *write_peaks(struct writer *writer, const struct match *match)
{
	static const char *const names[NR_SITE_KINDS] = {
		[SITE_SLAB] = "slab",
		[SITE_PAGE] = "page",
		[SITE_PERCPU] = "percpu",
		[SITE_VMALLOC] = "vmalloc",
	};

	for (enum site_kind kind = 0; kind < NR_SITE_KINDS; kind++) {
		const struct site_peak *peak = match_peak(match, kind);
		const struct cell row[] = { text_cell(names[kind]), integer(peak->bytes),
					    integer(peak->objects), integer(peak->ns) };

		if (peak->bytes)
			TRY(writer_row(writer, WRITER_PEAK, row));
	}
	return NULL;
}

/* ---- freed from where */

static int by_site_and_address(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a,
			  *y = *(const struct flow *const *)b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return (x->call_site > y->call_site) - (x->call_site < y->call_site);
}

static struct err *write_pairs(struct writer *writer, const struct match *match,
			       struct resolver *resolver)
{
	const struct flow_table *flows = match_flows(match);
	auto_free const struct flow **flow = xcalloc(flows->nr + 1, sizeof(*flow));
	struct callsite callsite;
	size_t nr = 0, nr_sites;
	const struct site *site = match_sites(match, &nr_sites);

	for (size_t i = 0; i < flows->nr; i++)
		if (flows->flow[i].site < FLOW_SITES && flows->flow[i].call_site > FLOW_SLABS)
			flow[nr++] = &flows->flow[i];
	qsort(flow, nr, sizeof(*flow), by_site_and_address);
	for (size_t i = 0, end; i < nr; i = end) {
		uint64_t frees = 0, bytes = 0;
		uint32_t frame = 0;

		for (end = i; end < nr && !by_site_and_address(&flow[i], &flow[end]); end++) {
			frees += flow[end]->nr;
			bytes += flow[end]->nr * flow[end]->bytes;
		}
		frees *= site[flow[i]->site].weight;
		bytes *= site[flow[i]->site].weight;
		resolver_site(resolver, &flow[i]->call_site, 1, &callsite);
		if (callsite.nr_frames)
			TRY(writer_frame(writer, &callsite.frame[0], &frame));

		const struct cell row[] = { integer(flow[i]->site + UINT64_C(1)),
					    integer(flow[i]->call_site),
					    integer_if(frame, frame), integer(frees),
					    integer(bytes) };

		TRY(writer_row(writer, WRITER_FREE_PAIR, row));
	}
	return NULL;
}

/* ---- the machine */

/* "NODE CPULIST" in each line. */
uint8_t *details_cpu_nodes(const struct tracefile *file, size_t *ret_nr)
{
	struct span text, line;
	uint8_t *node = NULL;

	*ret_nr = 0;
	if (!tracefile_text(file, BLOB_NODES, &text))
		return NULL;
	node = xcalloc(UINT16_MAX + 1, 1);
	while (span_line(&text, &line)) {
		auto_free char *copy = xstrndup((const char *)line.data, line.len);
		char *list;
		unsigned long number = strtoul(copy, &list, 10);

		if (list == copy || *list != ' ' || number >= MAX_NODES)
			continue;
		for (char *p = list + 1; *p;) {
			char *end;
			unsigned long first = strtoul(p, &end, 10), last = first;

			if (end == p)
				break;
			if (*end == '-')
				last = strtoul(end + 1, &end, 10);
			for (; first <= last && first <= UINT16_MAX; first++) {
				node[first] = (uint8_t)number;
				if (first >= *ret_nr)
					*ret_nr = first + 1;
			}
			p = *end == ',' ? end + 1 : end + strlen(end);
		}
	}
	return node;
}

static struct err *write_nodes(struct writer *writer, const struct tracefile *file)
{
	size_t nr;
	auto_free uint8_t *node = details_cpu_nodes(file, &nr);

	for (size_t cpu = 0; cpu < nr; cpu++) {
		const struct cell row[] = { integer(cpu), integer(node[cpu]) };

		TRY(writer_row(writer, WRITER_CPU_NODE, row));
	}
	return NULL;
}

/* "Node 0, zone DMA, type Unmovable …": of the first zone, in the order of their numbers. */
static struct err *write_migratetypes(struct writer *writer, const struct tracefile *file)
{
	struct span text, line, zone = {};
	uint64_t nr = 0;

	if (!tracefile_text(file, BLOB_PAGETYPES, &text))
		return NULL;
	while (span_line(&text, &line)) {
		const uint8_t *type = memmem(line.data, line.len, ", type ", 7);

		if (!type) {
			if (nr)
				break;
			continue;
		}
		struct span before = { line.data, (size_t)(type - line.data) };

		if (!nr)
			zone = before;
		if (before.len != zone.len || memcmp(before.data, zone.data, zone.len) ||
		    nr > UINT8_MAX)
			break;
		const char *word = (const char *)type + 7;
		size_t left = line.len - (size_t)((const uint8_t *)word - line.data), space = 0;

		while (space < left && word[space] == ' ')
			space++;
		size_t len = 0;

		while (space + len < left && word[space + len] != ' ')
			len++;
		auto_free char *name = xstrndup(word + space, len);
		const struct cell row[] = { integer(nr++), text_cell(name) };

		TRY(writer_row(writer, WRITER_MIGRATETYPE, row));
	}
	return NULL;
}

struct err *details_write(struct writer *writer, const struct tracefile *file,
			  const struct match *match, const struct names *names,
			  struct resolver *resolver)
{
	TRY(write_nodes(writer, file));
	TRY(write_migratetypes(writer, file));
	TRY(write_accounts(writer, file, match, names));
	TRY(write_overtime(writer, match));
	TRY(write_peaks(writer, match));
	return write_pairs(writer, match, resolver);
}
