// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_scale.c - makes a recording of a machine that nobody has here
 *
 *	bench_scale [-c CPUS] [-b SUBBUF] [-s SITES] [-l LIVE] [-k] [-p PART] OUT EVENTS
 *
 * CPUS (2) allocate slab objects from SITES (100) return addresses, EVENTS in all,
 * in sub-buffers of SUBBUF (4096) bytes. Each CPU frees its oldest object before it
 * makes one when its share of LIVE (1000) live. -k: each event has a stack of 16
 * frames, one of a thousand, by its site. -p: not slab objects but single pages,
 * in blocks as the kernel splits them up; the others of PART pages stay free.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/bigdat.h"
#include "tests/lib/pages.h"

enum { FRAMES = 16, STACKS = 1000, SITE_BYTES = 16, BLOCK = 32 };

struct scale {
	uint64_t cpus, subbuf, sites, live, events, part;
	bool stacks;
};

/* Of 64 bytes each, so that a page has 64: as caches have it. */
static uint64_t address(const struct scale *s, uint64_t cpu, uint64_t i)
{
	uint64_t each = s->live / s->cpus + 1;

	return UINT64_C(0xffff888000000000) + (cpu * each + i % each) * 64;
}

/* One of PART, all over the memory. */
static uint64_t frame(const struct scale *s, uint64_t cpu, uint64_t i)
{
	uint64_t each = s->live / s->cpus + 1, n = cpu * each + i % each;
	uint64_t blocks = s->live / BLOCK + s->cpus + 1, block = n / BLOCK * 7919 % blocks;
	uint64_t at = block * BLOCK + n % BLOCK;

	return 4096 + at * s->part + at * 2654435761u / 65536 % s->part;
}

static struct pages_record event(const struct scale *s, uint64_t cpu, uint64_t n)
{
	uint64_t each = s->live / s->cpus + 1;
	bool full = n >= each;
	uint64_t i = full ? each + (n - each) / 2 : n;
	bool is_free = full && (n - each) % 2 == 0;
	uint64_t site = (i * 2654435761u + cpu) % s->sites;

	if (s->part)
		return (struct pages_record){
			.type = is_free ? PAGES_PAGE_FREE : PAGES_PAGE_ALLOC,
			.ts = 1000000000 + n * 100 + cpu,
			.pid = (int32_t)(100 + cpu),
			.addr = frame(s, cpu, i),
		};
	return (struct pages_record){
		.type = is_free ? PAGES_KFREE : PAGES_KMALLOC,
		.ts = 1000000000 + n * 100 + cpu,
		.pid = (int32_t)(100 + cpu),
		.addr = address(s, cpu, i),
		.call_site = UINT64_C(0xffffffff81000000) + site * SITE_BYTES,
		.bytes_req = 60,
		.bytes_alloc = 64,
	};
}

static void put(const struct scale *s, struct bigdat *to, struct pages *page,
		const struct pages_record *r)
{
	if (pages_record(page, r))
		return;
	bigdat_page(to, pages_end(page).data);
	pages_free(page);
	pages_begin(page, &(struct pages_opts){ .size = s->subbuf }, r->ts);
	pages_record(page, r);
}

static void put_cpu(const struct scale *s, struct bigdat *to, uint64_t cpu)
{
	uint64_t frames[FRAMES];
	struct pages page;

	bigdat_cpu(to, (uint32_t)cpu);
	pages_begin(&page, &(struct pages_opts){ .size = s->subbuf }, 1000000000 + cpu);
	for (uint64_t n = 0; n < s->events / s->cpus; n++) {
		struct pages_record r = event(s, cpu, n);

		put(s, to, &page, &r);
		if (!s->stacks)
			continue;
		for (uint64_t i = 0; i < FRAMES; i++)
			frames[i] = UINT64_C(0xffffffff82000000) +
				    (r.call_site / SITE_BYTES % STACKS * FRAMES + i) * 8;
		r.type = PAGES_STACK;
		r.stack = frames;
		r.nr_stack = FRAMES;
		put(s, to, &page, &r);
	}
	bigdat_page(to, pages_end(&page).data);
	pages_free(&page);
}

int main(int argc, char **argv)
{
	struct scale s = { .cpus = 2, .subbuf = 4096, .sites = 100, .live = 1000 };
	int opt;

	while ((opt = getopt(argc, argv, "c:b:s:l:kp:")) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (opt) {
		case 'c':
			s.cpus = n;
			break;
		case 'b':
			s.subbuf = n;
			break;
		case 's':
			s.sites = n;
			break;
		case 'l':
			s.live = n;
			break;
		case 'k':
			s.stacks = true;
			break;
		case 'p':
			s.part = n;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || !s.cpus || !s.sites) {
		fputs("usage: bench_scale [-c CPUS] [-b SUBBUF] [-s SITES] [-l LIVE] [-k] "
		      "[-p PART] OUT EVENTS\n",
		      stderr);
		return 2;
	}
	s.events = strtoull(argv[optind + 1], NULL, 0);

	CLEANUP(mkdat_cleanup)
	struct mkdat *head = mkdat_new(&(struct mkdat_opts){ .page_size = (uint32_t)s.subbuf });

	for (int i = 0; i < NR_PAGES_TYPES; i++)
		mkdat_format(head, pages_formats[i].system, pages_formats[i].text);

	struct bigdat *to = bigdat_begin(argv[optind], head, false, (uint32_t)s.subbuf, "mono");

	for (uint64_t cpu = 0; cpu < s.cpus; cpu++)
		put_cpu(&s, to, cpu);
	bigdat_end(to);
	return 0;
}
