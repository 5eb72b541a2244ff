// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_repeat.c - makes a long recording of a short one
 *
 *	bench_repeat IN OUT TIMES
 *
 * OUT (v7, zstd) has the sub-buffers of IN's first ring buffer TIMES over, each
 * round later by the length of the recording, and all that IN knows beside.
 * Only the time at the head of a sub-buffer is moved: an absolute time inside
 * one stays, and then steps back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decode/tracefile.h"
#include "tests/lib/mkdat.h"

static const char *const texts[] = {
	"header_page", "header_event", "kallsyms", "printk_formats",
	"cmdlines",    "uname",	       "version",  "trace_clock",
};

static void copy_texts(const struct tracefile *file, struct mkdat *to)
{
	const char *name;
	struct span text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!tracefile_text(file, texts[i], &text))
			continue;
		auto_free char *copy =
			xasprintf("%.*s", (int)text.len, (const char *)text.data);

		mkdat_text(to, texts[i], copy);
	}
	for (size_t i = 0; tracefile_format(file, i, &name, &text); i++) {
		auto_free char *copy =
			xasprintf("%.*s", (int)text.len, (const char *)text.data);

		mkdat_format(to, name, copy);
	}
	for (size_t i = 0; tracefile_blob(file, i, &name, &text); i++)
		mkdat_blob(to, name, text.data, text.len);
}

/* The first and the last time at the head of a sub-buffer, in native order. */
static struct err *time_range(const struct tracefile *file, uint64_t *first, uint64_t *last)
{
	*first = UINT64_MAX;
	*last = 0;
	for (size_t i = 0; i < tracefile_nr_cpus(file, 0); i++) {
		CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
		struct span page;
		uint64_t damaged, time;

		TRY(page_reader_open(file, 0, i, &reader));
		for (;;) {
			TRY(page_reader_next(reader, &page, &damaged));
			if (!page.data)
				break;
			memcpy(&time, page.data, sizeof(time));
			*first = time < *first ? time : *first;
			*last = time > *last ? time : *last;
		}
	}
	return NULL;
}

static struct err *repeat(const char *from, const char *path, long times)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	uint64_t first, last;

	TRY(tracefile_open(from, &file));
	if (!tracefile_nr_buffers(file) || tracefile_swapped(file))
		return err_new(ERR_UNSUPPORTED, "%s: no data, or not of this machine's order",
			       from);
	TRY(time_range(file, &first, &last));

	uint32_t size = tracefile_subbuf_size(file, 0);
	CLEANUP(mkdat_cleanup)
	struct mkdat *to = mkdat_new(&(struct mkdat_opts){
		.zstd = true, .page_size = size, .chunk_bytes = 256 * 1024 });
	auto_free uint8_t *copy = xmalloc(size);

	copy_texts(file, to);
	for (size_t i = 0; i < tracefile_nr_cpus(file, 0); i++) {
		for (long round = 0; round < times; round++) {
			CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
			struct span page;
			uint64_t damaged, time;

			TRY(page_reader_open(file, 0, i, &reader));
			for (;;) {
				TRY(page_reader_next(reader, &page, &damaged));
				if (!page.data)
					break;
				memcpy(copy, page.data, page.len);
				memcpy(&time, copy, sizeof(time));
				time += (uint64_t)round * (last - first + 1000000000);
				memcpy(copy, &time, sizeof(time));
				mkdat_page(to, "", page_reader_cpu(reader), copy, page.len);
			}
		}
	}
	mkdat_write(to, path);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_repeat IN OUT TIMES\n");
		return 2;
	}
	auto_err struct err *err = repeat(argv[1], argv[2], atol(argv[3]));

	if (err)
		fprintf(stderr, "bench_repeat: %s\n", err_text(err));
	return err != NULL;
}
