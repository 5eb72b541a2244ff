// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of /proc, and the views that compare the recording with them. */
#include "snapshots.h"

#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/query.h"
#include "store/schema.h"
#include "tests/lib/test.h"

static struct writer *writer;
static char *path;

static void begin(void)
{
	path = xasprintf("%s/a.db", test_dir());
	CHECK_OK(writer_open(path, &writer));
	CHECK_OK(writer_quality(writer,
				&(struct match_totals){ .unknown_free_bytes[SITE_PAGE] = 4096 },
				&(struct merge_stats){}, 0, false, 0));
}

static void snapshot(const char *name, const char *at, const char *text)
{
	struct span span = { (const uint8_t *)text, strlen(text) };

	CHECK_OK(writer_snapshot(writer, name, at, span));
	CHECK_OK(snapshots_write(writer, name, at, span));
}

static void site(enum site_kind kind, const char *file, unsigned int line, const char *func,
		 const char *cache, uint64_t bytes, uint64_t calls)
{
	struct frame frame = {
		.addr = 0xffffffff81000000 + line, .file = file, .line = line, .func = func
	};
	struct callsite callsite = { .frame = &frame,
				     .nr_frames = 1,
				     .primary = frame,
				     .resolved_by = RESOLVED_DWARF,
				     .attributed_by = ATTRIBUTED_CHAIN };
	struct site s = { .kind = kind,
			  .allocs = calls,
			  .alloc_bytes = bytes,
			  .live = calls,
			  .live_bytes = bytes };

	CHECK_OK(writer_site(writer, &s, &callsite, cache));
}

/* All cells of the query's rows, with spaces between, lines between rows. */
static const char *rows(const char *sql)
{
	static char text[1024];
	CLEANUP(query_db_cleanup) struct query_db *db = NULL;
	CLEANUP(query_cleanup) struct query *query = NULL;
	const struct cell *row;
	size_t len = 0;

	if (writer) {
		CHECK_OK(writer_commit(writer));
		writer_close(writer);
		writer = NULL;
	}
	CHECK_OK(query_db_open(path, &db));
	CHECK_OK(query_prepare(db, sql, NULL, &query));
	text[0] = '\0';
	for (;;) {
		CHECK_OK(query_next(query, &row));
		if (!row)
			break;
		for (size_t i = 0; i < query_nr_columns(query); i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						i     ? " "
						: len ? "|"
						      : "",
						row[i].type == CELL_NULL ? "-" : row[i].text);
	}
	free(path);
	path = NULL;
	return text;
}

TEST(a_site_is_marked_as_inaccurate_where_the_kernel_marks_what_changed)
{
	begin();
	snapshot("allocinfo", "start",
		 "10 1 mm/a.c:1 func:f accurate:no\n20 2 mm/a.c:2 func:g \n"
		 "0 0 mm/a.c:3 func:h\n0 0 mm/a.c:3 func:h accurate:no");
	snapshot("allocinfo", "end",
		 "12 2 mm/a.c:1 func:f accurate:no\n20 2 mm/a.c:2 func:g \n"
		 "9 9 mm/a.c:3 func:h\n1 1 mm/a.c:3 func:h accurate:no");
	site(SITE_SLAB, "mm/a.c", 1, "f", NULL, 2, 1);
	site(SITE_SLAB, "mm/a.c", 2, "g", NULL, 3, 1);
	site(SITE_SLAB, "mm/a.c", 3, "h", NULL, 10, 10);
	auto_free char *sql = xasprintf("SELECT line || '', inaccurate || '' FROM (%s)"
					" ORDER BY line",
					schema_query("allocinfo"));

	memcpy(strstr(sql, ":kinds, kind"), "'slab'", 6);
	CHECK_STR(rows(sql), "1 1|2 0|3 0");
}

TEST(meminfo_lines_that_are_bytes_have_values)
{
	begin();
	snapshot("meminfo", "start",
		 "MemFree:  10 kB\nHugePages_Total:  3\nSlab: x kB\n\nShort:\n"
		 "Big: 99999999999999999999 kB\nnothing 1 kB");
	snapshot("meminfo", "end", "MemFree:  4 kB\nNew: 1 kB\n");
	CHECK_STR(rows("SELECT CAST(key AS TEXT), '' || at_start, '' || at_end, '' || change "
		       "FROM snapshot_values ORDER BY key"),
		  "MemFree 10240 4096 -6144|New 0 1024 1024");
}

TEST(lines_of_vmstat_and_zoneinfo_are_counts)
{
	static const char zones[] =
		"Node 0, zone      DMA\n  per-node stats\n      nr_anon_pages 7\n"
		"  pages free     123\n        min      4\n"
		"        protection: (0, 2, 3)\n      nr_free_pages 123\n  pagesets\n"
		"    cpu: 0\n              count: 55\n  start_pfn:           1\n"
		"Node 0, zone    DMA32\n  pages free     9\n";

	begin();
	snapshot("vmstat", "start", "nr_free_pages 10\npgfree 5\nbad\nx y\n");
	snapshot("vmstat", "end", "nr_free_pages 8\npgfree 9\n");
	snapshot("zoneinfo", "start", zones);
	snapshot("zoneinfo", "end", zones);
	CHECK_STR(rows("SELECT key, unit, at_start || '' FROM snapshot_values "
		       "ORDER BY name DESC, key"),
		  "Node 0, zone DMA free count 123|Node 0, zone DMA min count 4|"
		  "Node 0, zone DMA nr_anon_pages count 7|"
		  "Node 0, zone DMA nr_free_pages count 123|Node 0, zone DMA32 free count 9|"
		  "nr_free_pages count 10|pgfree count 5");
}

TEST(free_blocks_tell_what_no_large_one_can_be_taken_from)
{
	begin();
	snapshot("buddyinfo", "start", "Node 0, zone  DMA  4 2 1\nNode 1, zone Normal 0 0 0\n");
	snapshot("buddyinfo", "end",
		 "Node 0, zone  DMA  12 0 0\nNode 1, zone Normal 0 0 2\nNode\n");
	auto_free char *sql = xstrdup(schema_query("fragmentation"));

	for (char *p; (p = strstr(sql, ":order")) || (p = strstr(sql, ":rows"));)
		memcpy(p, p[1] == 'o' ? "0     " : "-1   ", p[1] == 'o' ? 6 : 5);
	for (char *p; (p = strstr(sql, ":recording")) || (p = strstr(sql, ":host"));)
		memcpy(p, p[1] == 'r' ? "''        " : "''   ", p[1] == 'r' ? 10 : 5);
	auto_free char *cells =
		xasprintf("SELECT node || ' ' || zone || ' ' || page_order || ' ' || "
			  "free_blocks_start || ' ' || free_blocks_end || ' ' || "
			  "coalesce(unusable_start, '-') || ' ' || unusable_end "
			  "FROM (%s)",
			  sql);

	CHECK_STR(rows(cells), "0 DMA 0 4 12 0.0 0.0|0 DMA 1 2 0 0.333 1.0|"
			       "0 DMA 2 1 0 0.667 1.0|1 Normal 0 0 0 - 0.0|"
			       "1 Normal 1 0 0 - 0.0|1 Normal 2 0 2 - 0.0");
}

TEST(areas_are_compared_by_the_function_that_asked_for_them)
{
	begin();
	snapshot("vmallocinfo", "start", "0x1-0x2   20480 f+0x1/0x2 pages=4 vmalloc N0=4\n");
	snapshot("vmallocinfo", "end",
		 "0x1-0x2   20480 f+0x1/0x2 pages=4 vmalloc N0=4\n"
		 "0x3-0x4   20480 f+0x1/0x2 [m] pages=4 vmalloc N0=4\n"
		 "0x5-0x6   20480 unpurged vm_area\n0x7-0x8    8192 g+0x0/0x8 ioremap\n");
	site(SITE_VMALLOC, "m.c", 1, "f", NULL, 16384, 1);
	site(SITE_VMALLOC, "m.c", 2, "h", NULL, 4096, 1);
	CHECK_STR(rows("SELECT caller, kernel_bytes || '', kernel_areas || '', "
		       "recorded_bytes || '', recorded_areas || '' FROM reconcile_vmalloc "
		       "ORDER BY caller"),
		  "f 16384 1 16384 1|g 4096 1 0 0|h 0 0 4096 1");
}

TEST(pages_are_compared_with_what_vmstat_counts)
{
	begin();
	snapshot("vmstat", "start", "pgalloc_dma 10\npgalloc_normal 100\npgfree 5\n");
	snapshot("vmstat", "end", "pgalloc_dma 11\npgalloc_normal 103\npgfree 6\n");
	CHECK_OK(writer_recording_int(writer, "page_size", 4096));
	site(SITE_PAGE, "m.c", 1, "f", NULL, 12288, 3);
	CHECK_STR(rows("SELECT item, kernel || '', recorded || '' FROM reconcile_vmstat "
		       "ORDER BY item"),
		  "pgalloc 4 3|pgfree 1 1");
}

TEST(a_file_that_was_taken_once_compares_with_nothing)
{
	begin();
	snapshot("meminfo", "end", "MemFree:  4 kB\n");
	CHECK_STR(rows("SELECT key FROM snapshot_values"), "");
}

TEST(memory_is_compared_by_the_functions_in_the_stacks)
{
	begin();
	snapshot("meminfo", "start", "MemFree: 1000 kB\nSlab: 100 kB\nPageTables: 7 kB\n");
	snapshot("meminfo", "end", "MemFree: 980 kB\nSlab: 108 kB\nPageTables: 7 kB\n");
	site(SITE_PAGE, "mm/slub.c", 10, "alloc_slab_page", NULL, 8192, 1);
	site(SITE_PAGE, "mm/shmem.c", 20, "shmem_alloc_folio", NULL, 4096, 1);
	/* Slab objects are not pages, whatever allocates them. */
	site(SITE_SLAB, "mm/slub.c", 30, "alloc_slab_page", NULL, 64, 1);
	CHECK_STR(
		rows("SELECT item, '' || kernel_bytes, '' || recorded_bytes, '' || difference_bytes "
		     "FROM reconcile_meminfo ORDER BY item"),
		"MemFree -20480 -8192 12288|PageTables 0 0 0|Slab 8192 8192 0");
}

TEST(caches_are_compared_by_their_names)
{
	begin();
	snapshot("slabinfo", "start",
		 "slabinfo - version: 2.1\n# name  <active_objs> <num_objs>\n"
		 "dentry 10 20 192 21 1 : tunables\nsame 1 1 64 1 1\n");
	snapshot("slabinfo", "end",
		 "slabinfo - version: 2.1\ndentry 13 20 192 21 1 : tunables\n"
		 "same 1 1 64 1 1\n");
	site(SITE_SLAB, "fs/dcache.c", 1, "d_alloc", "dentry", 384, 2);
	site(SITE_SLAB, "fs/inode.c", 2, "alloc_inode", "gone", 64, 1);
	CHECK_STR(
		rows("SELECT cache, '' || kernel_objects, '' || recorded_objects, "
		     "'' || difference_objects, '' || object_bytes FROM reconcile_caches ORDER BY cache"),
		"dentry 3 2 -1 192|gone 0 1 1 -");
}

TEST(call_sites_are_compared_and_scored_as_allocinfo_has_them)
{
	begin();
	snapshot("allocinfo", "start",
		 "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
		 "   100   1 a.c:1 func:one \n   0  0 b.c:2 [mod] func:two \n"
		 "   0  0 c.c:3 func:three \n  5 5 same.c:4 func:same\n");
	snapshot("allocinfo", "end",
		 "   200   2 a.c:1 func:one \n   50  5 b.c:2 [mod] func:two \n"
		 "  -50  -1 c.c:3 func:three accurate:no\n  5 5 same.c:4 func:same\n");
	site(SITE_SLAB, "a.c", 1, "one", NULL, 60, 0);
	site(SITE_PAGE, "a.c", 1, "one", NULL, 40, 1);
	site(SITE_VMALLOC, "a.c", 1, "one", NULL, 4096, 1);
	site(SITE_SLAB, "d.c", 9, "four", NULL, 10, 2);
	auto_free char *db = xstrdup(path);

	CHECK_STR(
		rows("SELECT site, '' || kernel_bytes, '' || recorded_bytes FROM reconcile_sites "
		     "ORDER BY site"),
		"a.c:1 func:one 100 100|b.c:2 [mod] func:two 50 0|c.c:3 func:three -50 0|"
		"d.c:9 func:four 0 10");
	path = take_ptr(db);
	/* 110 of 200 bytes differ; one of three; that and c.c, off by one call, of four. */
	CHECK_STR(
		rows("SELECT '' || sites, printf('%.2f', byte_error), printf('%.3f', site_exact), "
		     "'' || site_near, '' || byte_exact FROM reconcile_score"),
		"3 0.55 0.333 0.5 0.5");
}

TEST(without_snapshots_nothing_is_compared)
{
	begin();
	site(SITE_SLAB, "a.c", 1, "one", "dentry", 60, 1);
	CHECK_STR(
		rows("SELECT item FROM reconcile_meminfo UNION ALL SELECT cache FROM reconcile_caches "
		     "UNION ALL SELECT site FROM reconcile_sites"),
		"");
}
