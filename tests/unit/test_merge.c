// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/merge.h"

#include <stdio.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/pages.h"
#include "tests/lib/test.h"

static const char *path(void)
{
	static char buf[200];

	snprintf(buf, sizeof(buf), "%s/t.dat", test_dir());
	return buf;
}

static struct mkdat *dat_new(const struct mkdat_opts *opts)
{
	struct mkdat *dat = mkdat_new(opts);

	for (int i = 0; i < NR_PAGES_TYPES; i++)
		mkdat_format(dat, pages_formats[i].system, pages_formats[i].text);
	return dat;
}

/* Kfrees at the given times (0 ends) on one page. */
static void add_frees(struct mkdat *dat, const char *buffer, unsigned int cpu,
		      const uint64_t *ts, bool big)
{
	CLEANUP(pages_free) struct pages p;

	pages_begin(&p, &(struct pages_opts){ .big = big }, *ts);
	for (; *ts; ts++)
		CHECK(pages_record(&p, &(struct pages_record){ .type = PAGES_KFREE,
							       .ts = *ts,
							       .addr = *ts * 100 + cpu }));
	struct span page = pages_end(&p);

	mkdat_page(dat, buffer, cpu, page.data, page.len);
}

static void add_one(struct mkdat *dat, const char *buffer, unsigned int cpu,
		    const struct pages_record *r)
{
	CLEANUP(pages_free) struct pages p;

	pages_begin(&p, &(struct pages_opts){ 0 }, r->ts);
	CHECK(pages_record(&p, r));
	struct span page = pages_end(&p);

	mkdat_page(dat, buffer, cpu, page.data, page.len);
}

struct rig {
	struct tracefile *file;
	struct names *names;
	struct merge *merge;
};

static struct err *rig_open(struct rig *rig, struct mkdat *dat)
{
	mkdat_write(dat, path());
	rig->names = names_new();
	TRY(tracefile_open(path(), &rig->file));
	return merge_open(rig->file, rig->names, &rig->merge);
}

static void rig_close(struct rig *rig)
{
	merge_close(rig->merge);
	tracefile_close(rig->file);
	names_free(rig->names);
}

static const struct event *next(struct rig *rig)
{
	const struct event *ev;

	CHECK_OK(merge_next(rig->merge, &ev));
	return ev;
}

static void expect(struct rig *rig, uint64_t ts, unsigned int cpu)
{
	const struct event *ev = next(rig);

	CHECK(ev);
	CHECK_EQ(ev->ts_ns, ts);
	CHECK_EQ(ev->cpu, cpu);
}

#define TIMES(...) ((const uint64_t[]){ __VA_ARGS__, 0 })
#define DAT(dat)   CLEANUP(mkdat_cleanup) struct mkdat *dat = dat_new(&(struct mkdat_opts){ 0 })
#define RIG(rig)   CLEANUP(rig_close) struct rig rig = { 0 }

TEST(cpus_are_merged_by_time)
{
	DAT(dat);
	RIG(rig);

	add_frees(dat, "", 0, TIMES(10, 20, 30, 31, 32, 60), false);
	add_frees(dat, "", 1, TIMES(11, 12, 33), false);
	add_frees(dat, "", 5, TIMES(5, 70), false);
	CHECK_OK(rig_open(&rig, dat));
	expect(&rig, 5, 5);
	expect(&rig, 10, 0);
	expect(&rig, 11, 1);
	expect(&rig, 12, 1);
	expect(&rig, 20, 0);
	expect(&rig, 30, 0);
	expect(&rig, 31, 0);
	expect(&rig, 32, 0);
	expect(&rig, 33, 1);
	expect(&rig, 60, 0);
	expect(&rig, 70, 5);
	CHECK(!next(&rig));
	CHECK(!next(&rig));
	CHECK_EQ(merge_stats(rig.merge)->events, 11);
	CHECK_EQ(merge_stats(rig.merge)->pages, 3);
	CHECK_EQ(merge_bytes(rig.merge), tracefile_data_bytes(rig.file));
}

enum { MOST_CPUS = 9, PER_PAGE = 40, PAGES_OF_CPU = 30, PER_CPU = PER_PAGE * PAGES_OF_CPU };

struct planned {
	uint64_t ts;
	bool alloc;
};

/* What each CPU does: turns of so many events, many of them at the same time. */
struct plan {
	struct planned event[MOST_CPUS][PER_CPU];
	size_t nr[MOST_CPUS], pos[MOST_CPUS];
};

static void plan_make(struct plan *plan, unsigned int nr_cpus, unsigned int turn)
{
	uint64_t random = nr_cpus * 100 + turn, now = 10;
	unsigned int cpu;

	*plan = (struct plan){};
	do {
		random = random * UINT64_C(6364136223846793005) + 1;
		cpu = (unsigned int)(random >> 40) % nr_cpus;
		now += random >> 50 & 1;
		for (unsigned int i = 0; i < turn && plan->nr[cpu] < PER_CPU; i++) {
			plan->event[cpu][plan->nr[cpu]++] =
				(struct planned){ now, random >> (20 + i % 9) & 1 };
			now += random >> (30 + i % 7) & 1;
		}
	} while (plan->nr[cpu] < PER_CPU);
}

static void plan_write(const struct plan *plan, unsigned int nr_cpus, struct mkdat *dat)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		for (size_t i = 0; i < plan->nr[cpu];) {
			CLEANUP(pages_free) struct pages p;

			pages_begin(&p, &(struct pages_opts){ 0 }, plan->event[cpu][i].ts);
			for (int k = 0; k < PER_PAGE && i < plan->nr[cpu]; k++, i++) {
				const struct planned *ev = &plan->event[cpu][i];

				CHECK(pages_record(&p, &(struct pages_record){
							       .type = ev->alloc ? PAGES_KMALLOC
										 : PAGES_KFREE,
							       .ts = ev->ts,
							       .addr = i + 1 }));
			}
			struct span page = pages_end(&p);

			mkdat_page(dat, "", cpu, page.data, page.len);
		}
}

/* Whose turn it is, by a plain search; @nr_cpus at the end. */
static unsigned int plan_next(const struct plan *plan, unsigned int nr_cpus)
{
	const struct planned *first = NULL;
	unsigned int ret = nr_cpus;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		const struct planned *ev = &plan->event[cpu][plan->pos[cpu]];

		if (plan->pos[cpu] < plan->nr[cpu] &&
		    (!first || ev->ts < first->ts ||
		     (ev->ts == first->ts && first->alloc && !ev->alloc))) {
			first = ev;
			ret = cpu;
		}
	}
	return ret;
}

/* What comes out, with so many threads, is what the plain search says. */
static void plan_check(unsigned int nr_cpus, unsigned int turn, size_t threads)
{
	static struct plan plan;
	DAT(dat);
	RIG(rig);

	plan_make(&plan, nr_cpus, turn);
	plan_write(&plan, nr_cpus, dat);
	CHECK_OK(rig_open(&rig, dat));
	merge_threads(rig.merge, threads);
	for (unsigned int cpu; (cpu = plan_next(&plan, nr_cpus)) != nr_cpus;) {
		const struct event *ev = next(&rig);

		CHECK(ev);
		CHECK_EQ(ev->cpu, cpu);
		CHECK_EQ(ev->addr, ++plan.pos[cpu]);
	}
	CHECK(!next(&rig));
	CHECK(!next(&rig));
}

TEST(however_many_cpus_there_are_and_however_they_alternate)
{
	for (unsigned int nr_cpus = 1; nr_cpus <= MOST_CPUS; nr_cpus++)
		for (unsigned int turn = 1; turn <= 64; turn *= 8)
			for (size_t threads = 0; threads < 4; threads++)
				plan_check(nr_cpus, turn, threads);
}

TEST(both_byte_orders_and_both_containers_give_the_same_stream)
{
	for (unsigned int i = 0; i < 8; i++) {
		const struct mkdat_opts opts = { .version = i & 1 ? 6 : 7,
						 .big_endian = i & 2,
						 .zstd = i & 4 && !(i & 1) };
		CLEANUP(mkdat_cleanup) struct mkdat *dat = dat_new(&opts);
		RIG(rig);

		add_frees(dat, "", 0, TIMES(10, 1000000000, 30000000000), opts.big_endian);
		add_frees(dat, "", 1, TIMES(11, 1000000001), opts.big_endian);
		CHECK_OK(rig_open(&rig, dat));
		expect(&rig, 10, 0);
		expect(&rig, 11, 1);
		expect(&rig, 1000000000, 0);
		expect(&rig, 1000000001, 1);
		const struct event *ev = next(&rig);

		CHECK_EQ(ev->ts_ns, 30000000000);
		CHECK_EQ(ev->addr, 3000000000000);
		CHECK(!next(&rig));
	}
}

TEST(frees_come_before_allocations_of_the_same_time)
{
	DAT(dat);
	RIG(rig);

	add_one(dat, "", 0,
		&(struct pages_record){ .type = PAGES_KMALLOC, .ts = 7, .addr = 1 });
	add_one(dat, "", 1, &(struct pages_record){ .type = PAGES_CACHE_ALLOC, .ts = 7 });
	add_one(dat, "", 2, &(struct pages_record){ .type = PAGES_KFREE, .ts = 7, .addr = 1 });
	add_one(dat, "", 3, &(struct pages_record){ .type = PAGES_PAGE_FREE, .ts = 7 });
	CHECK_OK(rig_open(&rig, dat));
	expect(&rig, 7, 2);
	expect(&rig, 7, 3);
	expect(&rig, 7, 0);
	expect(&rig, 7, 1);
	CHECK(!next(&rig));
}

TEST(one_cpu_keeps_its_order_whatever_its_times_say)
{
	DAT(dat);
	RIG(rig);

	add_frees(dat, "", 0, TIMES(50, 20, 60), false);
	add_frees(dat, "", 1, TIMES(30, 55), false);
	CHECK_OK(rig_open(&rig, dat));
	expect(&rig, 30, 1);
	expect(&rig, 50, 0);
	expect(&rig, 20, 0);
	expect(&rig, 55, 1);
	expect(&rig, 60, 0);
	CHECK(!next(&rig));
	CHECK_EQ(merge_stats(rig.merge)->backward_steps, 1);
}

TEST(allocation_in_front_of_a_free_of_its_own_cpu_and_time_stays_there)
{
	DAT(dat);
	RIG(rig);
	CLEANUP(pages_free) struct pages p;

	pages_begin(&p, &(struct pages_opts){ 0 }, 7);
	CHECK(pages_record(&p, &(struct pages_record){
				       .type = PAGES_KMALLOC, .ts = 7, .addr = 1 }));
	CHECK(pages_record(&p,
			   &(struct pages_record){ .type = PAGES_KFREE, .ts = 7, .addr = 1 }));
	struct span page = pages_end(&p);

	mkdat_page(dat, "", 0, page.data, page.len);
	CHECK_OK(rig_open(&rig, dat));
	CHECK_EQ(next(&rig)->kind, EVENT_KMALLOC);
	CHECK_EQ(next(&rig)->kind, EVENT_KFREE);
	CHECK(!next(&rig));
}

TEST(all_buffers_are_merged)
{
	DAT(dat);
	RIG(rig);

	mkdat_buffer(dat, "", "mono", 4096);
	mkdat_buffer(dat, "other", "mono", 4096);
	add_frees(dat, "other", 0, TIMES(20, 40), false);
	mkdat_buffer(dat, "third", "mono", 4096);
	add_frees(dat, "third", 1, TIMES(10, 40), false);
	CHECK_OK(rig_open(&rig, dat));
	expect(&rig, 10, 1);
	expect(&rig, 20, 0);
	expect(&rig, 40, 0);
	expect(&rig, 40, 1);
	CHECK(!next(&rig));
}

TEST(buffers_of_different_clocks_are_refused)
{
	DAT(dat);
	RIG(rig);

	mkdat_buffer(dat, "one", "mono", 4096);
	add_frees(dat, "one", 0, TIMES(20), false);
	mkdat_buffer(dat, "two", "x86-tsc", 4096);
	add_frees(dat, "two", 1, TIMES(10), false);
	CHECK_ERR(rig_open(&rig, dat), "different clocks, mono and x86-tsc");
}

TEST(gaps_are_in_the_stream_at_their_end_time)
{
	DAT(dat);
	RIG(rig);
	CLEANUP(pages_free) struct pages p;

	add_frees(dat, "", 0, TIMES(10, 50, 90), false);
	add_frees(dat, "", 1, TIMES(20), false);
	pages_begin(&p, &(struct pages_opts){ 0 }, 60);
	CHECK(pages_record(&p, &(struct pages_record){ .type = PAGES_KFREE, .ts = 70 }));
	pages_missed(&p, 5);
	struct span page = pages_end(&p);

	mkdat_page(dat, "", 1, page.data, page.len);
	CHECK_OK(rig_open(&rig, dat));
	expect(&rig, 10, 0);
	expect(&rig, 20, 1);
	expect(&rig, 50, 0);
	const struct event *ev = next(&rig);

	CHECK_EQ(ev->kind, EVENT_LOST);
	CHECK_EQ(ev->ts_ns, 60);
	CHECK_EQ(ev->addr, 20);
	CHECK_EQ(ev->bytes_req, 5);
	CHECK_EQ(ev->cpu, 1);
	expect(&rig, 70, 1);
	expect(&rig, 90, 0);
	CHECK(!next(&rig));
}

/* Many CPUs with many pages each. */
static void check_many_cpus(size_t threads)
{
	enum { CPUS = 256, PAGES_EACH = 3, EACH = 120 };
	DAT(dat);
	RIG(rig);
	uint32_t rnd = 1;
	size_t all = 0;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		uint64_t ts = 1;

		for (unsigned int i = 0; i < PAGES_EACH; i++) {
			uint64_t times[EACH + 1];

			for (unsigned int k = 0; k < EACH; k++) {
				rnd = rnd * 1664525 + 1013904223;
				ts += rnd >> 28;
				times[k] = ts;
			}
			times[EACH] = 0;
			add_frees(dat, "", cpu, times, false);
		}
	}
	CHECK_OK(rig_open(&rig, dat));
	merge_threads(rig.merge, threads);

	uint64_t last_of[CPUS] = { 0 }, last = 0;
	unsigned int last_cpu = 0;

	for (;;) {
		const struct event *ev = next(&rig);

		if (!ev)
			break;
		CHECK(ev->ts_ns > last || (ev->ts_ns == last && ev->cpu >= last_cpu));
		CHECK(ev->ts_ns >= last_of[ev->cpu]);
		CHECK_EQ(ev->addr, ev->ts_ns * 100 + ev->cpu);
		last = last_of[ev->cpu] = ev->ts_ns;
		last_cpu = ev->cpu;
		all++;
	}
	CHECK_EQ(all, CPUS * PAGES_EACH * EACH);
	CHECK_EQ(merge_stats(rig.merge)->events, all);
}

TEST(many_cpus_come_out_in_order_and_complete)
{
	for (size_t threads = 0; threads < 4; threads++)
		check_many_cpus(threads);
}

TEST(recording_without_our_events_is_refused)
{
	CLEANUP(mkdat_cleanup) struct mkdat *dat = mkdat_new(&(struct mkdat_opts){ 0 });
	RIG(rig);

	mkdat_format(dat, "sched", pages_formats[PAGES_OTHER].text);
	CHECK_ERR(rig_open(&rig, dat), "none of the kmem, percpu and vmalloc events");
}

TEST(event_without_a_needed_field_is_refused)
{
	DAT(dat);
	RIG(rig);

	mkdat_format(dat, "kmem",
		     "name: kmalloc_node\nID: 999\nformat:\n"
		     "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		     "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		     "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
		     "\tfield:unsigned long call_site;\toffset:8;\tsize:8;\tsigned:0;\n\n"
		     "print fmt: \"\"\n");
	add_frees(dat, "", 0, TIMES(10), false);
	CHECK_ERR(rig_open(&rig, dat), "kmem:kmalloc_node: the format has no field ptr");
}

TEST(recording_without_events_ends_at_once)
{
	DAT(dat);
	RIG(rig);

	CHECK_OK(rig_open(&rig, dat));
	CHECK(!next(&rig));
	CHECK_EQ(merge_stats(rig.merge)->events, 0);
}

static uint64_t block_of_order_1(struct mkdat *dat)
{
	RIG(rig);

	add_one(dat, "", 0,
		&(struct pages_record){
			.type = PAGES_PAGE_ALLOC, .ts = 7, .addr = 1, .order = 1 });
	CHECK_OK(rig_open(&rig, dat));
	const struct event *ev = next(&rig);

	CHECK_EQ(ev->bytes_alloc, 2 * (uint64_t)merge_page_size(rig.merge));
	return ev->bytes_alloc;
}

TEST(page_size_is_told_by_the_blob_else_by_the_machine_else_by_the_sub_buffers)
{
	static const struct mkdat_opts large = { .page_size = 65536 };

	for (int i = 0; i < 4; i++) {
		CLEANUP(mkdat_cleanup) struct mkdat *dat = dat_new(&large);

		if (i == 0)
			mkdat_blob(dat, "page_size", "16384\n", 6);
		if (i == 1)
			mkdat_text(dat, "uname", "Linux x 6.12 #1 x86_64");
		if (i == 2)
			mkdat_text(dat, "uname", "Linux x 6.12 #1 aarch64");
		if (i == 3)
			mkdat_blob(dat, "page_size", "5000\n", 5);
		CHECK_EQ(block_of_order_1(dat), i == 0 ? 32768 : i == 1 ? 8192 : 131072);
	}
}
