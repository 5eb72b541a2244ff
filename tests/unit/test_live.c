// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording that is read while it grows gives the events that the whole one gives. */
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/recording.h"
#include "capture/squeeze.h"
#include "decode/merge.h"
#include "tests/lib/test.h"

#define FIXTURE "fixtures/debian-6.12.dat"
enum { MAX_CPUS = 8 };

struct page {
	uint8_t *data;
	uint64_t base_ns;
};

struct grown {
	struct recording rec;
	struct part part;
	struct squeeze *files;
	uint32_t subbuf_size;
	struct page *page[MAX_CPUS];
	size_t nr[MAX_CPUS], cap[MAX_CPUS], written[MAX_CPUS];
};

static void copy_text(struct texts *texts, const char *name, struct span text)
{
	text_add(texts_new(texts, name), text.data, text.len);
}

static void load_pages(struct grown *g, const struct tracefile *file, size_t i)
{
	struct page_reader *reader;
	struct span span;
	uint64_t damaged;

	CHECK_OK(page_reader_open(file, 0, i, &reader));
	for (;;) {
		CHECK_OK(page_reader_next(reader, &span, &damaged));
		if (!span.data)
			break;
		vec_room(g->page[i], g->nr[i], g->cap[i]);
		struct page *page = &g->page[i][g->nr[i]++];

		page->data = xmalloc(span.len);
		memcpy(page->data, span.data, span.len);
		memcpy(&page->base_ns, span.data, sizeof(page->base_ns));
	}
	page_reader_close(reader);
}

/* FILE.part/ of a recorder that has not moved anything yet. */
static void begin(struct grown *g, const struct tracefile *file)
{
	auto_free char *output = xasprintf("%s/live.dat", test_dir());
	const char *system;
	struct span text;

	*g = (struct grown){};
	g->subbuf_size = tracefile_subbuf_size(file, 0);
	g->rec = (struct recording){ .clock = "mono",
				     .subbuf_size = g->subbuf_size,
				     .nr_cpus = (uint32_t)tracefile_nr_cpus(file, 0) };
	CHECK(g->rec.nr_cpus > 1 && g->rec.nr_cpus <= MAX_CPUS);
	CHECK(tracefile_text(file, "header_page", &text));
	copy_text(&g->rec.standard, "header_page", text);
	CHECK(tracefile_text(file, "uname", &text));
	copy_text(&g->rec.standard, "uname", text);
	copy_text(&g->rec.standard, "trace_clock",
		  (struct span){ (const uint8_t *)"[mono]", 6 });
	for (size_t i = 0; tracefile_format(file, i, &system, &text); i++) {
		auto_free char *name = xasprintf("%s/%zu", system, i);

		copy_text(strcmp(system, "ftrace") ? &g->rec.formats : &g->rec.ftrace_formats,
			  name, text);
	}
	auto_free char *cpus = xasprintf("0-%u", g->rec.nr_cpus - 1);

	CHECK_OK(cpulist_parse(cpus, &g->rec.cpus));
	CHECK_OK(part_open(output, &g->part));
	CHECK_OK(squeeze_open(&(struct squeeze_opts){ .dir_fd = g->part.dir_fd,
						      .cpus = &g->rec.cpus,
						      .subbuf_size = g->subbuf_size,
						      .early = true },
			      &g->files));
	CHECK_OK(recording_write_meta(&g->rec, &g->part, 1));
	for (size_t i = 0; i < g->rec.nr_cpus; i++)
		load_pages(g, file, i);
}

static void end(struct grown *g)
{
	for (size_t i = 0; i < MAX_CPUS; i++) {
		for (size_t k = 0; k < g->nr[i]; k++)
			free(g->page[i][k].data);
		free(g->page[i]);
	}
	squeeze_close(g->files);
	part_remove(&g->part);
	recording_deinit(&g->rec);
}

/* All pages that have an event before @until_ns, and by chance some more. */
static void grow(struct grown *g, uint64_t until_ns, unsigned int *seed)
{
	struct sink sink = squeeze_sink(g->files);
	uint8_t *to;
	size_t room;

	for (size_t i = 0; i < g->rec.nr_cpus; i++) {
		size_t more = (size_t)rand_r(seed) % 3;

		while (g->written[i] < g->nr[i] &&
		       (g->page[i][g->written[i]].base_ns < until_ns || more-- > 0)) {
			const uint8_t *data = g->page[i][g->written[i]++].data;

			CHECK_OK(sink.room(sink.arg, i, &to, &room));
			CHECK(room >= g->subbuf_size);
			memcpy(to, data, g->subbuf_size);
			CHECK_OK(sink.filled(sink.arg, i, g->subbuf_size));
		}
	}
}

static bool same(const struct event *a, const struct names *x, const struct event *b,
		 const struct names *y)
{
	return a->ts_ns == b->ts_ns && a->addr == b->addr && a->kind == b->kind &&
	       a->cpu == b->cpu && a->pid == b->pid &&
	       !strcmp(names_text(x, a->cache), names_text(y, b->cache)) &&
	       a->call_site == b->call_site && a->nr_stack == b->nr_stack &&
	       (!a->nr_stack || !memcmp(a->stack, b->stack, a->nr_stack * sizeof(*a->stack)));
}

/* Takes what there is, event by event beside the whole recording's. */
static size_t follow(struct merge *live, const struct names *live_names, struct merge *whole,
		     const struct names *names, uint64_t until_ns)
{
	const struct event *a, *b;
	size_t nr = 0;

	for (;; nr++) {
		CHECK_OK(merge_next(live, &a));
		if (!a)
			return nr;
		CHECK_OK(merge_next(whole, &b));
		CHECK(b && same(a, live_names, b, names));
		CHECK(a->ts_ns < until_ns);
	}
}

static void follow_all(unsigned int seed, uint64_t step_ns)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL, *part = NULL;
	CLEANUP(merge_cleanup) struct merge *whole = NULL, *live = NULL;
	struct names *names[2] = { names_new(), names_new() };
	const struct event *ev;
	struct grown g;
	size_t nr = 0, last;

	CHECK_OK(tracefile_open(FIXTURE, &file));
	begin(&g, file);
	CHECK_OK(merge_open(file, names[0], &whole));
	CHECK_OK(tracefile_open(g.part.dir, &part));
	CHECK_OK(merge_open_live(part, names[1], &live));
	CHECK_OK(merge_next(live, &ev));
	CHECK(!ev);

	uint64_t until_ns = g.page[0][0].base_ns, end_ns = g.page[0][g.nr[0] - 1].base_ns;

	while (until_ns < end_ns) {
		until_ns += step_ns / 2 + (uint64_t)rand_r(&seed) % step_ns;
		grow(&g, until_ns, &seed);
		CHECK_OK(merge_extend(live, until_ns));
		nr += follow(live, names[1], whole, names[0], until_ns);
	}
	grow(&g, UINT64_MAX, &seed);
	CHECK_OK(merge_extend(live, UINT64_MAX));
	last = follow(live, names[1], whole, names[0], UINT64_MAX);
	CHECK_OK(merge_next(whole, &ev));
	CHECK(!ev);
	/* Most came while it grew. */
	CHECK(nr > last);
	CHECK_EQ(merge_stats(live)->events, merge_stats(whole)->events);
	CHECK_EQ(merge_stats(live)->orphan_stacks, merge_stats(whole)->orphan_stacks);
	merge_close(take_ptr(live));
	merge_close(take_ptr(whole));
	end(&g);
	names_free(names[0]);
	names_free(names[1]);
}

TEST(a_growing_recording_gives_the_events_of_the_whole_one)
{
	for (unsigned int seed = 1; seed <= 4; seed++)
		follow_all(seed, 300000000);
}

TEST(small_steps_give_the_same)
{
	follow_all(9, 20000000);
}
