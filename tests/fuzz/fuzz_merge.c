// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry: any bytes as the sub-buffers of two CPUs, in a container
 * that is right, through the whole decoder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decode/merge.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/pages.h"

enum { PAGE = 512, HEAD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keeps the reads of the frames. */
static volatile uint64_t sink;

/*
 * A sub-buffer with a header that holds, so that the fuzzer need not find one:
 * the first two bytes of @data choose commit mark and flags.
 */
static void add_page(struct mkdat *dat, const struct pages_opts *o, unsigned int cpu,
		     const uint8_t *data, size_t len)
{
	uint8_t page[PAGE] = { 0 };
	uint64_t commit = len < 2 ? 0 : ((uint64_t)data[0] << 1 | (data[1] & 1));

	if (len > 2)
		memcpy(page + HEAD, data + 2, len - 2);
	pages_put(o, page, 8, 1000);
	pages_put(o, page + 8, 8, commit | (len < 2 ? 0 : (uint64_t)(data[1] & 0xc0) << 24));
	mkdat_page(dat, "", cpu, page, PAGE);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	const struct pages_opts o = { .big = size && data[0] & 1 };
	CLEANUP(mkdat_cleanup)
	struct mkdat *dat =
		mkdat_new(&(struct mkdat_opts){ .big_endian = o.big, .page_size = PAGE });

	for (int i = 0; i < NR_PAGES_TYPES; i++)
		mkdat_format(dat, pages_formats[i].system, pages_formats[i].text);
	for (size_t at = 1, i = 0; at < size && i < 64; i++) {
		size_t len = size - at < PAGE - HEAD + 2 ? size - at : PAGE - HEAD + 2;

		add_page(dat, &o, i & 1, data + at, len);
		at += len;
	}
	mkdat_write(dat, path);
}

static struct err *run(const char *path, struct names *names)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	const struct event *ev;
	uint64_t sum = 0, nr = 0;

	TRY(tracefile_open(path, &file));
	TRY(merge_open(file, names, &merge));
	for (;;) {
		TRY(merge_next(merge, &ev));
		if (!ev)
			break;
		if (ev->kind >= NR_EVENT_KINDS || !ev->stack != !ev->nr_stack)
			abort();
		for (size_t i = 0; i < ev->nr_stack; i++)
			sum += ev->stack[i];
		nr += ev->kind != EVENT_LOST;
	}

	/* Every event is accounted for. */
	const struct merge_stats *s = merge_stats(merge);

	if (nr + s->skipped + s->stacks > s->events ||
	    s->events > nr + s->skipped + s->stacks + s->malformed)
		abort();
	sink = sum;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct names *names = names_new();

	snprintf(path, sizeof(path), "/dev/shm/fuzz-merge-%d.dat", (int)getpid());
	write_file(path, data, size);
	struct err *err = run(path, names);

	/* The container is right, so nothing in the pages may cost the run. */
	if (err)
		abort();
	unlink(path);
	names_free(names);
	return 0;
}
