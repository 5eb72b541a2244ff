// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_decode.c - events a CPU-second of each step of the decoder
 *
 *	bench_decode FILE [ROUNDS]
 *
 * Takes all sub-buffers of FILE into memory and runs ROUNDS (default 10) times
 * over them: the page walk, the walk with three fields of every event, blocks
 * of events (cursor); then, from the file, the merge. TSV on stdout.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "decode/cursor.h"
#include "decode/merge.h"

struct cpu_pages {
	uint8_t *data;
	size_t nr, cap; /* bytes */
	unsigned int cpu;
	size_t size; /* of a sub-buffer */
	size_t next; /* of the feed */
};

struct bench {
	struct tracefile *file;
	struct names *names;
	struct format *format;
	struct subbuf_layout layout;
	struct cpu_pages cpu[1024];
	size_t nr;
	int rounds;
};

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void report(const char *step, uint64_t events, uint64_t bytes, double seconds)
{
	printf("%s\t%.1f\tM events/s\t%.0f\tMB/s\t%" PRIu64 "\tevents\t%.2f\ts\n", step,
	       (double)events / seconds / 1e6, (double)bytes / seconds / 1e6, events, seconds);
}

static struct err *load_cpu(struct bench *b, size_t buffer, size_t i)
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	struct cpu_pages *cpu = &b->cpu[b->nr++];
	uint64_t damaged;
	struct span page;

	TRY(page_reader_open(b->file, buffer, i, &reader));
	cpu->cpu = page_reader_cpu(reader);
	cpu->size = tracefile_subbuf_size(b->file, buffer);
	for (;;) {
		TRY(page_reader_next(reader, &page, &damaged));
		if (!page.data)
			return NULL;
		if (cpu->nr + page.len > cpu->cap) {
			cpu->cap = cpu->cap * 2 + page.len * 1024;
			cpu->data = xreallocarray(cpu->data, cpu->cap, 1);
		}
		memcpy(cpu->data + cpu->nr, page.data, page.len);
		cpu->nr += page.len;
	}
}

static struct err *load(struct bench *b, const char *path)
{
	struct span text;
	const char *system;

	TRY(tracefile_open(path, &b->file));
	if (!tracefile_text(b->file, "header_page", &text))
		return err_new(ERR_FORMAT, "no header_page");
	TRY(subbuf_layout_parse(text, tracefile_swapped(b->file), &b->layout));
	b->names = names_new();
	b->format = format_new(b->layout.swap, tracefile_long_size(b->file));
	for (size_t i = 0; tracefile_format(b->file, i, &system, &text); i++)
		TRY(format_add(b->format, system, text));
	for (size_t i = 0; i < tracefile_nr_buffers(b->file); i++) {
		for (size_t k = 0; k < tracefile_nr_cpus(b->file, i) && b->nr < 1024; k++)
			TRY(load_cpu(b, i, k));
	}
	return NULL;
}

/* With @fields: time, pid, and the first 8 bytes behind the common fields. */
static inline __attribute__((always_inline)) void walk(const struct bench *b, const char *step,
						       bool fields, const bool swap)
{
	uint64_t events = 0, bytes = 0, sum = 0;
	double start = cpu_seconds();

	for (int round = 0; round < b->rounds; round++) {
		for (size_t i = 0; i < b->nr; i++) {
			const struct cpu_pages *cpu = &b->cpu[i];

			for (size_t at = 0; at < cpu->nr; at += cpu->size) {
				struct subbuf sub;
				struct subbuf_event ev;

				if (!subbuf_init(&sub, &b->layout,
						 (struct span){ cpu->data + at, cpu->size }))
					continue;
				for (; subbuf_next(&sub, &ev, swap); events++) {
					if (fields && ev.len >= 16)
						sum += ev.ts + subbuf_u32(ev.data + 4, swap) +
						       subbuf_u32(ev.data + 8, swap);
				}
			}
			bytes += cpu->nr;
		}
	}
	report(step, events, bytes, cpu_seconds() - start);
	if (sum == 42)
		puts("the answer");
}

static struct err *feed(void *arg, struct span *ret, uint64_t *ret_damaged)
{
	struct cpu_pages *cpu = arg;

	*ret_damaged = 0;
	*ret = (struct span){ 0 };
	if (cpu->next == cpu->nr)
		return NULL;
	*ret = (struct span){ cpu->data + cpu->next, cpu->size };
	cpu->next += cpu->size;
	return NULL;
}

static struct err *run_cursors(struct bench *b)
{
	uint64_t events = 0, bytes = 0;
	double start = cpu_seconds();

	for (int round = 0; round < b->rounds; round++) {
		for (size_t i = 0; i < b->nr; i++) {
			struct cpu_pages *cpu = &b->cpu[i];
			CLEANUP(cursor_cleanup)
			struct cursor *cursor = cursor_new(
				&(struct cursor_opts){ .format = b->format,
						       .names = b->names,
						       .layout = b->layout,
						       .source = { feed, cpu },
						       .subbuf_size = (uint32_t)cpu->size,
						       .page_size = 4096,
						       .nr_cpus = 1 });
			const struct event *ev;
			size_t nr;

			cpu->next = 0;
			do
				TRY(cursor_next(cursor, &ev, &nr));
			while (nr);
			events += cursor_stats(cursor)->events;
			bytes += cpu->nr;
		}
	}
	report("cursor", events, bytes, cpu_seconds() - start);
	return NULL;
}

static struct err *run_merge(struct bench *b)
{
	uint64_t events = 0, bytes = 0, sum = 0;
	double start = cpu_seconds();

	for (int round = 0; round < b->rounds; round++) {
		CLEANUP(merge_cleanup) struct merge *merge = NULL;
		const struct event *ev;

		TRY(merge_open(b->file, b->names, &merge));
		for (;;) {
			TRY(merge_next(merge, &ev));
			if (!ev)
				break;
			sum += ev->addr;
		}
		events += merge_stats(merge)->events;
		bytes += merge_bytes(merge);
	}
	report("file to merged stream", events, bytes, cpu_seconds() - start);
	if (sum == 42)
		puts("the answer");
	return NULL;
}

static struct err *run_reader(struct bench *b)
{
	uint64_t bytes = 0, sum = 0, damaged;
	double start = cpu_seconds();

	for (int round = 0; round < b->rounds; round++) {
		for (size_t i = 0; i < tracefile_nr_buffers(b->file); i++) {
			for (size_t k = 0; k < tracefile_nr_cpus(b->file, i); k++) {
				CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
				struct span page;

				TRY(page_reader_open(b->file, i, k, &reader));
				for (;;) {
					TRY(page_reader_next(reader, &page, &damaged));
					if (!page.data)
						break;
					sum += page.data[20];
					bytes += page.len;
				}
			}
		}
	}
	report("page_reader alone", 0, bytes, cpu_seconds() - start);
	if (sum == 42)
		puts("the answer");
	return NULL;
}

static struct err *run(struct bench *b, const char *path)
{
	TRY(load(b, path));
	if (b->layout.swap) {
		walk(b, "walk", false, true);
		walk(b, "walk and 3 fields", true, true);
	} else {
		walk(b, "walk", false, false);
		walk(b, "walk and 3 fields", true, false);
	}
	TRY(run_cursors(b));
	TRY(run_reader(b));
	return run_merge(b);
}

int main(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: bench_decode FILE [ROUNDS]\n");
		return 2;
	}
	b->rounds = argc == 3 ? atoi(argv[2]) : 10;
	auto_err struct err *err = run(b, argv[1]);

	if (err)
		fprintf(stderr, "bench_decode: %s: %s\n", argv[1], err_text(err));
	return err != NULL;
}
