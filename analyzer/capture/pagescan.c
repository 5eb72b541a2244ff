// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/pagescan.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

/* Bits of the file. */
enum { KPF_LRU = 5, KPF_SLAB = 7, KPF_BUDDY = 10, KPF_ANON = 12, KPF_NOPAGE = 20 };

/*
 * Memory is looked at in blocks of so many pages, in which the kernel keeps pages of
 * one kind together, and of each block at some pages first.
 */
enum { BLOCK = 512, PROBES = 4, MAX_RUNS = 1 << 18 };

struct run {
	uint64_t pfn;
	uint64_t nr;
};

struct pagescan {
	int fd;
	uint64_t block; /* the next */
	bool rest;	/* those that were put off are read */
	uint64_t *later;
	size_t nr_later, cap_later;
	size_t next_later;
	struct run *run;
	size_t nr, cap;
	bool done;
	uint64_t flags[BLOCK];
};

struct pagescan *pagescan_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	struct pagescan *scan = xcalloc(1, sizeof(*scan));

	scan->fd = fd;
	return scan;
}

/* How many of @nr pages from @pfn on could be read. */
static size_t read_flags(struct pagescan *scan, uint64_t pfn, size_t nr)
{
	ssize_t n = pread(scan->fd, scan->flags, nr * sizeof(*scan->flags),
			  (off_t)(pfn * sizeof(*scan->flags)));

	return n > 0 ? (size_t)n / sizeof(*scan->flags) : 0;
}

static void take_block(struct pagescan *scan, uint64_t block)
{
	uint64_t pfn = block * BLOCK;
	size_t nr = read_flags(scan, pfn, BLOCK);

	for (size_t i = 0; i < nr; i++, pfn++) {
		struct run *last = scan->nr ? &scan->run[scan->nr - 1] : NULL;

		if (!(scan->flags[i] >> KPF_SLAB & 1))
			continue;
		if (last && pfn == last->pfn + last->nr) {
			last->nr++;
			continue;
		}
		if (scan->nr == MAX_RUNS) {
			scan->done = true;
			return;
		}
		vec_room(scan->run, scan->nr, scan->cap);
		scan->run[scan->nr++] = (struct run){ pfn, 1 };
	}
}

/* Of the pages looked at one is of the kernel's own; false at the end of memory, too. */
static bool is_promising(struct pagescan *scan, uint64_t block)
{
	const uint64_t other = UINT64_C(1) << KPF_LRU | UINT64_C(1) << KPF_BUDDY |
			       UINT64_C(1) << KPF_ANON | UINT64_C(1) << KPF_NOPAGE;

	for (uint64_t i = 0; i < PROBES; i++) {
		if (!read_flags(scan, block * BLOCK + i * (BLOCK / PROBES), 1)) {
			scan->rest = i == 0;
			return false;
		}
		if (!(scan->flags[0] & other))
			return true;
	}
	return false;
}

static void step(struct pagescan *scan)
{
	if (scan->rest) {
		scan->done = scan->next_later == scan->nr_later;
		if (!scan->done)
			take_block(scan, scan->later[scan->next_later++]);
		return;
	}
	uint64_t block = scan->block++;

	if (is_promising(scan, block)) {
		take_block(scan, block);
	} else if (!scan->rest) {
		vec_room(scan->later, scan->nr_later, scan->cap_later);
		scan->later[scan->nr_later++] = block;
	}
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void pagescan_some(struct pagescan *scan, int64_t until_ns)
{
	while (scan && !scan->done && now_ns() < until_ns)
		step(scan);
}

static int by_pfn(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

void pagescan_end(struct pagescan *scan, struct text *ret)
{
	if (!scan)
		return;
	if (scan->nr)
		qsort(scan->run, scan->nr, sizeof(*scan->run), by_pfn);
	for (size_t i = 0; i < scan->nr; i++)
		text_printf(ret, "%" PRIx64 " %" PRIx64 " s\n", scan->run[i].pfn,
			    scan->run[i].nr);
	close(scan->fd);
	free(scan->later);
	free(scan->run);
	free(scan);
}
