// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_db.c - a database as large as one wants, for what reads them
 *
 *	bench_db PATH SITES
 *
 * Writes SITES call sites of all kinds, with half as many raw sites more, whose
 * stacks share their outer frames as those of a kernel do. The same every time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "resolve/pool.h"
#include "store/writer.h"

enum { STACK = 12, FILES = 800 };

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

static struct err *write_site(struct made *m, struct writer *w, uint64_t n)
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
	};

	return writer_site(w, &site, &callsite, n % 3 ? "kmalloc-64" : NULL);
}

static struct err *run(const char *path, uint64_t sites)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(writer_cleanup) struct writer *w = NULL;
	struct made m = { pool, 1 };

	TRY(writer_open(path, &w));
	TRY(writer_recording_text(w, "release", "6.12.0", 6));
	TRY(writer_recording_int(w, "start_ns", 1));
	TRY(writer_recording_int(w, "end_ns", INT64_C(2) << 30));
	TRY(writer_quality(w, &(struct match_totals){}, &(struct merge_stats){}, 0, false, 0));
	for (uint64_t n = 0; n < sites; n++) {
		TRY(write_site(&m, w, n));
		if (n % 2)
			TRY(write_site(&m, w, n));
	}
	return writer_commit(w);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench_db PATH SITES\n");
		return 2;
	}
	auto_err struct err *err = run(argv[1], strtoull(argv[2], NULL, 10));

	if (err)
		fprintf(stderr, "bench_db: %s\n", err_text(err));
	return err != NULL;
}
