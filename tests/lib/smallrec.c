// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/smallrec.h"

#include <stdlib.h>

#include "capture/blobs.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/pages.h"

static const char kallsyms[] = "ffffffff81000000 T _text\n"
			       "ffffffff81000000 T _stext\n"
			       "ffffffff81001000 T do_thing\n"
			       "ffffffff81002000 T do_other\n"
			       "ffffffff81003000 T __alloc_pages_noprof\n"
			       "ffffffff81003800 T alloc_vmap_area\n"
			       "ffffffff81004000 T shmem_alloc_folio\n"
			       "ffffffff81006000 T _etext\n"
			       "ffffffffc0001000 t mod_alloc\t[thing]\n"
			       "ffffffffc0002000 t mod_free\t[thing]\n";

static const char cpustat[] = "entries: 0\noverrun: 5\ncommit overrun: 1\nbytes: 0\n"
			      "oldest event ts:     1.000000\nnow ts:     2.000000\n"
			      "dropped events: 2\nread events: 21\n";

#define A 0xffff888000100000
static const uint64_t page_stack[] = { 0xffffffff81003030, 0xffffffff81004040,
				       0xffffffff81001100 };
static const uint64_t vmap_stack[] = { 0xffffffff81003830, 0xffffffff81002050 };

static const struct pages_record records[] = {
	{ .type = PAGES_KMALLOC,
	  .call_site = 0xffffffff81001010,
	  .addr = A,
	  .bytes_req = 100,
	  .bytes_alloc = 128 },
	{ .type = PAGES_KMALLOC,
	  .call_site = 0xffffffff81001010,
	  .addr = A + 128,
	  .bytes_req = 100,
	  .bytes_alloc = 128 },
	{ .type = PAGES_KMALLOC,
	  .call_site = 0xffffffff81001010,
	  .addr = A + 256,
	  .bytes_req = 128,
	  .bytes_alloc = 128 },
	{ .type = PAGES_KFREE, .call_site = 0xffffffff81002090, .addr = A + 128 },
	{ .type = PAGES_CACHE_ALLOC,
	  .call_site = 0xffffffff81002020,
	  .addr = A + 4096,
	  .bytes_req = 192,
	  .bytes_alloc = 192 },
	{ .type = PAGES_CACHE_ALLOC,
	  .call_site = 0xffffffff81002020,
	  .addr = A + 4096,
	  .bytes_req = 192,
	  .bytes_alloc = 192 },
	{ .type = PAGES_KMALLOC,
	  .call_site = 0xffffffffc0001008,
	  .addr = 0,
	  .bytes_req = 64,
	  .bytes_alloc = 64 },
	{ .type = PAGES_KFREE, .call_site = 0xffffffff81002080, .addr = A + 65536 },
	{ .type = PAGES_PAGE_ALLOC, .addr = 0x5000, .order = 2 },
	{ .type = PAGES_STACK, .stack = page_stack, .nr_stack = 3 },
	{ .type = PAGES_PERCPU_ALLOC,
	  .call_site = 0xffffffff81001030,
	  .addr = 0x60795baff178,
	  .bytes_req = 16,
	  .bytes_alloc = 64 },
	{ .type = PAGES_VMAP_ALLOC,
	  .addr = 0xffffc90000000000,
	  .bytes_req = 16384 + 4096,
	  .bytes_alloc = 16384 + 4096 },
	{ .type = PAGES_STACK, .stack = vmap_stack, .nr_stack = 2 },
};

void smallrec_write(const char *path, const struct smallrec_opts *opts)
{
	CLEANUP(mkdat_cleanup)
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .zstd = !opts->plain });
	const struct pages_opts page_opts = {};
	struct pages page;
	uint64_t ts = 1000000000;

	for (int i = 0; i < NR_PAGES_TYPES; i++)
		mkdat_format(m, pages_formats[i].system, pages_formats[i].text);
	mkdat_text(m, "kallsyms", kallsyms);
	mkdat_text(m, "uname", "Linux box 6.12.0-small x86_64");
	mkdat_text(m, "version", "3.1.6");
	mkdat_text(m, "trace_clock", "local [mono]");
	mkdat_text(m, "cpustat",
		   "CPU: 0\nentries: 0\noverrun: 0\ncommit overrun: 0\nbytes: 0\n"
		   "dropped events: 0\nread events: 13\n");
	if (!opts->foreign) {
		static const char version[] = "version 0.1.0\nevents slab,page\n";
		static const char times[] = "start_mono_ns 999000000\nend_mono_ns 3500000000\n"
					    "start_unix_ns 1700000000000000000\n"
					    "end_unix_ns 1700000002501000000\n";
		static const char events[] = "kmem:kmalloc on\nkmem:kmalloc_node missing\n";
		static const char build_ids[] = "vmlinux 0123456789abcdef\n";

		mkdat_blob(m, BLOB_RECORDER, version, sizeof(version) - 1);
		if (opts->self)
			mkdat_blob(m, BLOB_SELF, "x\n0\n41\n42\n", 10);
		mkdat_blob(m, BLOB_TIMES, times, sizeof(times) - 1);
		mkdat_blob(m, BLOB_EVENTS, events, sizeof(events) - 1);
		mkdat_blob(m, BLOB_BUILD_IDS, build_ids, sizeof(build_ids) - 1);
		mkdat_blob(m, BLOB_CPUSTAT "0", cpustat, sizeof(cpustat) - 1);
		mkdat_blob(m, BLOB_SNAPSHOT "start/meminfo", "MemFree: 1\n", 11);
		mkdat_blob(m, BLOB_SNAPSHOT "end/meminfo", "MemFree: 2\n", 11);
	}
	pages_begin(&page, &page_opts, ts);
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		struct pages_record r = records[i];

		if (opts->lossy && i == sizeof(records) / sizeof(*records) - 3) {
			struct span data = pages_end(&page);

			mkdat_page(m, "", 0, data.data, data.len);
			pages_free(&page);
			pages_begin(&page, &page_opts, ts + 500);
			pages_missed(&page, 7);
		}
		r.ts = ts += 1000;
		r.pid = 42;
		if (!pages_record(&page, &r))
			abort();
	}
	struct span data = pages_end(&page);

	mkdat_page(m, "", 0, data.data, data.len);
	pages_free(&page);
	mkdat_write(m, path);
}
