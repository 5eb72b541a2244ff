// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_db.c - a database as large as one wants, for what reads them
 *
 *	bench_db PATH SITES [LINES]
 *
 * Writes SITES call sites of all kinds, with half as many raw sites more, whose
 * stacks share their outer frames as those of a kernel do; of each raw site four
 * accounts, by 300 tasks, eight buckets of time and six bins of lives. With LINES it has
 * snapshots of /proc, whose allocinfo has so many lines. The same every time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "resolve/pool.h"
#include "store/overtime.h"
#include "store/writer.h"

enum { STACK = 12, FILES = 800, TASKS = 300, ACCOUNTS = 4, BUCKETS = 8, BINS = 6, FLAGS = 12 };

struct made {
	struct pool *pool;
	uint64_t seed;
};

/* Below @n; the low bits of such a generator are not for use. */
static uint64_t pick(struct made *m, uint64_t n)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (m->seed >> 33) % n;
}

static struct frame make_frame(struct made *m, uint64_t n)
{
	static const char *const dirs[] = { "mm",	"fs/ext4",
					    "net/core", "drivers/net/ethernet",
					    "fs/",	"kernel/bpf",
					    "block",	"lib" };

	return (struct frame){
		.func = pool_printf(m->pool, "function_%u", (unsigned int)n),
		.file = pool_printf(m->pool, "%s/file%u.c", dirs[n % 8],
				    (unsigned int)(n % FILES)),
		.module = n % 7 ? NULL : "ext4",
		.addr = UINT64_C(0xffffffff81000000) + n * 64,
		.line = (uint32_t)(n % 4000 + 1),
		.sym_off = 32,
		.sym_size = 64,
	};
}

static struct cell integer(uint64_t value)
{
	return (struct cell){ .type = CELL_INT, .i = (int64_t)value };
}

static struct cell name(struct made *m, const char *word, unsigned int n)
{
	const char *text = pool_printf(m->pool, "%s%u", word, n);

	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

/* What accounts refer to. */
static struct err *write_names(struct made *m, struct writer *w)
{
	for (unsigned int i = 1; i <= TASKS; i++) {
		struct cell comm = name(m, "task-", i % 40), group = name(m, "/group/", i % 9);

		TRY(writer_task(w, (int32_t)i, (int32_t)(i / 4 * 4 + 1),
				(struct span){ (const unsigned char *)comm.text, comm.len },
				(struct span){ (const unsigned char *)group.text, group.len }));
	}
	for (unsigned int i = 1; i <= FLAGS; i++) {
		const struct cell gfp[] = { integer(i), integer(i << 4),
					    name(m, "GFP_KERNEL|__GFP_", i) };
		const struct cell cache[] = { integer(i), name(m, "cache-", i) };
		const struct cell node[] = { integer(i), integer(i % 2) };

		TRY(writer_row(w, WRITER_GFP, gfp));
		TRY(writer_row(w, WRITER_CACHE, cache));
		TRY(writer_row(w, WRITER_CPU_NODE, node));
	}
	TRY(writer_recording_int(w, "bucket_start_ns", 1));
	TRY(writer_recording_int(w, "bucket_ns", (2 << 20) * 4));
	return writer_recording_int(w, "buckets", 256);
}

/* What details.h writes of the last raw site. */
static struct err *write_details(struct made *m, struct writer *w, enum site_kind kind,
				 struct overtime *overtime)
{
	struct cell site = integer(writer_nr_raw_sites(w)), none = { .type = CELL_NULL };

	for (uint64_t i = 0; i < ACCOUNTS; i++) {
		const struct cell row[] = {
			site,
			integer(pick(m, TASKS) + 1),
			integer(pick(m, FLAGS)),
			integer(i ? 0 : 16),
			integer(pick(m, FLAGS) + 1),
			kind == SITE_PAGE ? integer(pick(m, 4)) : none,
			kind == SITE_PAGE ? integer(pick(m, 3)) : none,
			kind == SITE_SLAB ? integer(pick(m, FLAGS) + 1) : none,
			integer(pick(m, 1 << 20) + 1),
			integer(pick(m, 1 << 30)),
			integer(pick(m, 1 << 29)),
			integer(0),
			integer(pick(m, 1 << 19)),
			integer(pick(m, 1 << 29)),
			integer(0),
			integer(0),
			integer(0),
			integer(0),
			integer(0),
		};

		TRY(writer_row(w, WRITER_ACCOUNT, row));
	}
	for (uint32_t i = 0; i < BUCKETS; i++) {
		uint32_t bucket = i * 32 + (uint32_t)pick(m, 32);
		int64_t bytes = (int64_t)pick(m, 1 << 20) - (i % 2 ? 1 << 19 : 0);
		int64_t calls = (int64_t)pick(m, 1 << 10);
		int64_t alloc_bytes = (int64_t)pick(m, 1 << 22);

		overtime_add_change(overtime, bucket, bytes, calls, alloc_bytes,
				    (int64_t)pick(m, 1 << 12));
	}
	for (uint32_t i = 0; i < BINS; i++) {
		uint32_t bin = 80 + i * 30 + (uint32_t)pick(m, 30);
		uint64_t ended = pick(m, 1 << 12);

		overtime_add_lives(overtime, bin, ended, pick(m, 1 << 8));
	}
	return NULL;
}

static struct err *write_site(struct made *m, struct writer *w, uint64_t n,
			      struct overtime *overtime)
{
	struct frame frame[STACK] = { make_frame(m, n) };
	enum site_kind kind = (enum site_kind)(n % NR_SITE_KINDS);
	size_t nr = kind == SITE_PAGE || kind == SITE_VMALLOC ? STACK : 2;

	for (size_t i = 1; i < nr; i++)
		frame[i] = make_frame(m, pick(m, 4000 / i));
	struct callsite callsite = {
		.frame = frame,
		.nr_frames = nr,
		.primary = frame[0],
		.caller = 1,
		.resolved_by = RESOLVED_DWARF,
		.attributed_by = ATTRIBUTED_CHAIN,
	};
	struct site site = {
		.kind = kind,
		.call_site = frame[0].addr,
		.allocs = pick(m, 1 << 20) + 1,
		.alloc_bytes = pick(m, 1 << 30),
		.bytes_req = pick(m, 1 << 29),
		.frees = pick(m, 1 << 19),
		.live = pick(m, 1 << 12),
		.live_bytes = pick(m, 1 << 24),
		.peak_bytes = pick(m, 1 << 25),
		.first_ns = 1 + pick(m, 1 << 30),
		.last_ns = 1 + pick(m, 1 << 30),
		.lived = pick(m, 1 << 19),
		.lived_sum_ns = 1e9,
		.lived_max_ns = 1 + pick(m, 1 << 30),
		.aged = pick(m, 1 << 12),
		.age_sum_ns = 1e9,
		.age_max_ns = 1 + pick(m, 1 << 30),
	};

	TRY(writer_site(w, &site, &callsite, n % 3 ? "kmalloc-64" : NULL));
	return write_details(m, w, kind, overtime);
}

static struct span span_of(const char *text)
{
	return (struct span){ (const unsigned char *)text, strlen(text) };
}

/* A number at both times. */
static struct err *write_number(struct made *m, struct writer *w, const char *file,
				const char *key, const char *unit)
{
	TRY(writer_snapshot_value(w, file, "start", span_of(key), unit,
				  (int64_t)pick(m, 1 << 20)));
	return writer_snapshot_value(w, file, "end", span_of(key), unit,
				     (int64_t)pick(m, 1 << 20));
}

/* Every second call site that is not of vmalloc, with its line, as the kernel prints it. */
static struct err *write_snapshots(struct made *m, struct writer *w, uint64_t lines)
{
	static const char *const files[] = { "meminfo", "vmallocinfo", "slabinfo",
					     "allocinfo" };
	static const char *const fields[] = { "Slab", "MemFree", "PageTables", "KernelStack" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		TRY(writer_snapshot(w, files[i], "start", span_of("")));
		TRY(writer_snapshot(w, files[i], "end", span_of("")));
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		TRY(write_number(m, w, "meminfo", fields[i], "bytes"));
	for (unsigned int i = 0; i < 200; i++) {
		TRY(write_number(m, w, "vmallocinfo",
				 pool_printf(m->pool, "function_%u", i * 17), "bytes"));
		TRY(write_number(m, w, "slabinfo", pool_printf(m->pool, "cache-%u", i),
				 "objects"));
	}
	for (uint64_t i = 0; i < lines; i++) {
		struct frame frame = make_frame(m, 2 * i);
		const char *key =
			pool_printf(m->pool, "%s:%u %s%s%sfunc:%s", frame.file, frame.line,
				    frame.module ? "[" : "", frame.module ? frame.module : "",
				    frame.module ? "] " : "", frame.func);

		TRY(write_number(m, w, "allocinfo", key, "bytes"));
		TRY(write_number(m, w, "allocinfo", key, "calls"));
	}
	return NULL;
}

static struct err *run(const char *path, uint64_t sites, uint64_t lines)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(writer_cleanup) struct writer *w = NULL;
	auto_free struct overtime *overtime = xcalloc(1, sizeof(*overtime));
	struct made m = { pool, 1 };

	TRY(writer_open(path, &w));
	TRY(writer_recording_text(w, "release", "6.12.0", 6));
	TRY(writer_recording_int(w, "start_ns", 1));
	TRY(writer_recording_int(w, "end_ns", INT64_C(2) << 30));
	TRY(writer_quality(w, &(struct match_totals){}, &(struct merge_stats){}, 0, false, 0));
	TRY(write_names(&m, w));
	for (uint64_t n = 0; n < sites; n++) {
		TRY(write_site(&m, w, n, overtime));
		if (n % 2)
			TRY(write_site(&m, w, n, overtime));
		TRY(overtime_write(overtime, w, writer_call_site(w, writer_nr_raw_sites(w)),
				   false));
	}
	if (lines)
		TRY(write_snapshots(&m, w, lines));
	return writer_commit(w);
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: bench_db PATH SITES [LINES]\n");
		return 2;
	}
	auto_err struct err *err = run(argv[1], strtoull(argv[2], NULL, 10),
				       argc > 3 ? strtoull(argv[3], NULL, 10) : 0);

	if (err)
		fprintf(stderr, "bench_db: %s\n", err_text(err));
	return err != NULL;
}
