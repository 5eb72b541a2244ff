// SPDX-License-Identifier: GPL-2.0-or-later
/* Slab pages as the recorder finds them, in a file that stands for /proc/kpageflags. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "capture/pagescan.h"
#include "tests/lib/test.h"

enum { LRU = 1 << 5, S = 1 << 7, FREE = 1 << 10, TABLE = 1 << 26, PAGES = 512 * 6 + 100 };

struct memory {
	char path[32];
	uint64_t flags[PAGES];
};

static void fill(struct memory *m, size_t from, size_t nr, uint64_t flags)
{
	for (size_t i = from; i < from + nr; i++)
		m->flags[i] = flags;
}

static struct pagescan *scan_of(struct memory *m)
{
	snprintf(m->path, sizeof(m->path), "/tmp/pagescan.XXXXXX");
	int fd = mkstemp(m->path);

	CHECK_EQ(write(fd, m->flags, sizeof(m->flags)), (ssize_t)sizeof(m->flags));
	close(fd);
	struct pagescan *ret = pagescan_open(m->path);

	unlink(m->path);
	return ret;
}

TEST(all_slabs_are_found_where_there_is_time)
{
	struct memory m = {};
	auto_text text = {};

	fill(&m, 0, PAGES, FREE);
	fill(&m, 3, 2, S); /* in a block that seems free */
	fill(&m, 512, 512, TABLE);
	fill(&m, 700, 1, S);
	fill(&m, 2048, 512, LRU);
	fill(&m, 2500, 3, S);
	fill(&m, PAGES - 1, 1, S);
	struct pagescan *scan = scan_of(&m);

	pagescan_some(scan, INT64_MAX);
	pagescan_end(scan, &text);
	CHECK_STR(text.data, "3 2 s\n2bc 1 s\n9c4 3 s\nc63 1 s\n");
}

TEST(blocks_of_the_kernel_come_first_until_there_are_too_many)
{
	enum { MORE = 1 << 19 };
	auto_free uint64_t *flags = xcalloc(512 + MORE, sizeof(*flags));
	char path[] = "/tmp/pagescan.XXXXXX";
	auto_fd int fd = mkstemp(path);
	auto_text text = {};
	size_t lines = 0;

	for (size_t i = 0; i < 512; i++)
		flags[i] = LRU;
	flags[1] = S;
	for (size_t i = 512; i < 512 + MORE; i++)
		flags[i] = i % 2 ? S : TABLE;
	CHECK_EQ(write(fd, flags, (512 + MORE) * sizeof(*flags)),
		 (ssize_t)((512 + MORE) * sizeof(*flags)));
	struct pagescan *scan = pagescan_open(path);

	unlink(path);
	pagescan_some(scan, INT64_MAX);
	pagescan_end(scan, &text);
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	CHECK_EQ(lines, MORE / 2);
	CHECK(!strncmp(text.data, "201 1 s\n", 8));
}

TEST(without_time_or_a_file_nothing_is_told)
{
	struct memory m = {};
	auto_text text = {};

	fill(&m, 0, PAGES, S);
	struct pagescan *scan = scan_of(&m);

	pagescan_some(scan, 0);
	pagescan_end(scan, &text);
	CHECK_EQ(text.len, 0);
	CHECK(pagescan_open("/nonexistent") == NULL);
	pagescan_some(NULL, INT64_MAX);
	pagescan_end(NULL, &text);
	CHECK_EQ(text.len, 0);
}
