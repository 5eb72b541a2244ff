// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The merged stream against what trace-cmd makes of the same file: time, CPU,
 * pid, kind, address, sizes and name of every event, on random recordings.
 */
#include "decode/merge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/pages.h"
#include "tests/lib/test.h"

enum { CPUS = 3, EVENTS = 1500, MAX_LINE = 16384 };

static bool have_trace_cmd(void)
{
	return system("command -v trace-cmd >/dev/null 2>&1") == 0;
}

static void random_record(struct pages_record *r)
{
	static const char *const names[] = { "dentry", "filp", "kmalloc-64", "x",
					     "task_struct" };

	*r = (struct pages_record){
		.type = (enum pages_type)(random() % PAGES_MODULE_LOAD),
		.ts = r->ts + 1 + (uint64_t)(random() % 3000),
		.pid = (int32_t)(1 + random() % 500),
		.flags = (uint8_t)(random() % 4 ? 0 : 0x10),
		.addr = UINT64_C(0xffff888000000000) + (uint64_t)random() * 8,
		.call_site = UINT64_C(0xffffffff81000000) + (uint64_t)random() % 4096,
		.bytes_req = (uint64_t)random() % 8192 + 4097,
		.bytes_alloc = (uint64_t)random() % 8192,
		.gfp_flags = (uint32_t)random() % 0x1000 + 1,
		.order = (uint32_t)random() % 11,
		.migratetype = (uint32_t)random() % 4,
		.name = names[random() % 5]
	};
}

/* One CPU's events, with a stack behind some. */
static void add_cpu(struct mkdat *dat, unsigned int cpu)
{
	static const uint64_t frames[] = { 0xffffffff81000010, 0xffffffff81000020 };
	/* Times of a CPU of their own: trace-cmd orders equal ones its own way. */
	struct pages_record r = { .ts = 1000000 + cpu };
	CLEANUP(pages_free) struct pages p;
	struct span page;

	pages_begin(&p, &(struct pages_opts){ 0 }, r.ts);
	for (int i = 0; i < EVENTS; i++) {
		random_record(&r);
		r.ts = r.ts - r.ts % CPUS + cpu + CPUS;
		struct pages_record stack = { .type = PAGES_STACK,
					      .ts = r.ts,
					      .pid = r.pid,
					      .flags = r.flags,
					      .stack = frames,
					      .nr_stack = 2 };
		bool has_stack = random() % 8 == 0;

		for (int k = 0; k <= has_stack; k++) {
			const struct pages_record *one = k ? &stack : &r;

			if (pages_record(&p, one))
				continue;
			page = pages_end(&p);
			mkdat_page(dat, "", cpu, page.data, page.len);
			pages_free(&p);
			pages_begin(&p, &(struct pages_opts){ 0 }, r.ts);
			CHECK(pages_record(&p, one));
		}
	}
	page = pages_end(&p);
	mkdat_page(dat, "", cpu, page.data, page.len);
}

/* The value of " @key=" in a line of trace-cmd report -R; "" where there is none. */
static const char *value(const char *line, const char *key, char *buf, size_t size)
{
	char want[40];

	snprintf(want, sizeof(want), " %s=", key);
	const char *at = strstr(line, want);

	*buf = '\0';
	if (at) {
		at += strlen(want);
		size_t len = strcspn(at, " \n");

		snprintf(buf, size, "%.*s", (int)len, at);
	}
	return buf;
}

static void check_number(const char *line, const char *key, uint64_t ours)
{
	char buf[80];
	uint64_t theirs = strtoull(value(line, key, buf, sizeof(buf)), NULL, 0);

	if (theirs != ours)
		test_fail(__FILE__, __LINE__, "%s: ours %#" PRIx64 ", trace-cmd: %s", key, ours,
			  line);
}

static void check_sizes(const char *line, const struct event *ev)
{
	check_number(line, "bytes_req", ev->bytes_req);
	check_number(line, "bytes_alloc", ev->bytes_alloc);
	check_number(line, "gfp_flags", ev->gfp_flags);
}

static void check_name(const char *line, const struct event *ev, const struct names *names)
{
	char buf[80];

	CHECK_STR(value(line, "name", buf, sizeof(buf)), names_text(names, ev->cache));
}

static void check_kind(const char *line, const char *kind, const struct event *ev,
		       const struct names *names)
{
	static const char *const kinds[NR_EVENT_KINDS] = {
		[EVENT_KMALLOC] = "kmalloc",
		[EVENT_CACHE_ALLOC] = "kmem_cache_alloc",
		[EVENT_KFREE] = "kfree",
		[EVENT_CACHE_FREE] = "kmem_cache_free",
		[EVENT_PAGE_ALLOC] = "mm_page_alloc",
		[EVENT_PAGE_FREE] = "mm_page_free",
		[EVENT_PERCPU_ALLOC] = "percpu_alloc_percpu",
		[EVENT_PERCPU_FREE] = "percpu_free_percpu",
		[EVENT_VMAP_ALLOC] = "alloc_vmap_area",
		[EVENT_VMAP_FREE] = "free_vmap_area_noflush",
	};
	const char *key = "ptr";

	CHECK_STR(kind, kinds[ev->kind] ? kinds[ev->kind] : "?");
	if (ev->kind == EVENT_KMALLOC || ev->kind == EVENT_CACHE_ALLOC)
		check_sizes(line, ev);
	if (ev->kind == EVENT_CACHE_ALLOC || ev->kind == EVENT_CACHE_FREE)
		check_name(line, ev, names);
	if (ev->kind == EVENT_PERCPU_ALLOC) {
		check_number(line, "size", ev->bytes_req);
		check_number(line, "bytes_alloc", ev->bytes_alloc);
	}
	if (ev->kind == EVENT_VMAP_ALLOC) {
		check_number(line, "size", ev->bytes_req);
		key = "addr";
	}
	if (ev->kind == EVENT_VMAP_FREE)
		key = "va_start";
	if (ev->kind == EVENT_PAGE_ALLOC || ev->kind == EVENT_PAGE_FREE) {
		check_number(line, "order", ev->order);
		key = "pfn";
	}
	if (ev->kind == EVENT_PAGE_ALLOC)
		check_number(line, "migratetype", ev->migratetype);
	check_number(line, key, ev->addr);
}

static void check_line(const char *line, const struct event *ev, const struct names *names)
{
	unsigned int cpu;
	uint64_t s, ns;
	char task[80], kind[80];

	if (sscanf(line, " %79s [%u] %" SCNu64 ".%" SCNu64 ": %79[^:]:", task, &cpu, &s, &ns,
		   kind) != 5)
		test_fail(__FILE__, __LINE__, "not understood: %s", line);
	const char *pid = strrchr(task, '-');

	CHECK(pid);
	CHECK_EQ(atoi(pid + 1), ev->pid);
	CHECK_EQ(cpu, ev->cpu);
	CHECK_EQ(s * 1000000000 + ns, ev->ts_ns);
	check_kind(line, kind, ev, names);
}

static void compare(unsigned int seed, bool v6)
{
	CLEANUP(mkdat_cleanup)
	struct mkdat *dat = mkdat_new(
		&(struct mkdat_opts){ .version = v6 ? 6 : 7, .zstd = !v6 && seed % 2 });
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	auto_free char *line = xmalloc(MAX_LINE);
	char path[200], command[300];
	struct names *names = names_new();
	size_t nr = 0, stacks = 0;

	srandom(seed);
	for (int i = 0; i < NR_PAGES_TYPES; i++)
		mkdat_format(dat, pages_formats[i].system, pages_formats[i].text);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		add_cpu(dat, cpu);
	snprintf(path, sizeof(path), "%s/t.dat", test_dir());
	mkdat_write(dat, path);
	CHECK_OK(tracefile_open(path, &file));
	CHECK_OK(merge_open(file, names, &merge));
	snprintf(command, sizeof(command), "trace-cmd report -R -t %s 2>/dev/null", path);
	FILE *report = popen(command, "r");

	CHECK(report);
	while (fgets(line, MAX_LINE, report)) {
		const struct event *ev;

		if (!strstr(line, " ["))
			continue; /* the number of CPUs */
		if (strstr(line, ": kernel_stack:")) {
			stacks++;
			continue;
		}
		CHECK_OK(merge_next(merge, &ev));
		CHECK(ev);
		check_line(line, ev, names);
		nr++;
	}
	pclose(report);

	const struct event *ev;

	CHECK_OK(merge_next(merge, &ev));
	CHECK(!ev);
	CHECK_EQ(nr, CPUS * EVENTS);
	CHECK_EQ(merge_stats(merge)->stacks, stacks);
	CHECK_EQ(merge_stats(merge)->orphan_stacks, 0);
	names_free(names);
}

TEST(merged_stream_is_what_trace_cmd_reports_of_v7)
{
	if (!have_trace_cmd())
		test_skip("no trace-cmd");
	for (unsigned int seed = 1; seed <= 4; seed++)
		compare(seed, false);
}

TEST(merged_stream_is_what_trace_cmd_reports_of_v6)
{
	if (!have_trace_cmd())
		test_skip("no trace-cmd");
	for (unsigned int seed = 5; seed <= 6; seed++)
		compare(seed, true);
}
