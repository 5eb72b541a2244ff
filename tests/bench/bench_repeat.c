// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_repeat.c - makes a long recording of a short one
 *
 *	bench_repeat [-z] [-m MOVES] IN OUT TIMES
 *
 * OUT (v7; with -z compressed) has the sub-buffers of IN's first ring buffer
 * TIMES over, each round later by the length of the recording, and all that IN
 * knows beside. Only the time at the head of a sub-buffer is moved: an absolute
 * time inside one stays, and then steps back. With -m, what each round allocates
 * and frees lies elsewhere, by turns at MOVES places 4 GiB apart.
 *
 * It is written as it is made, so that OUT may be larger than memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "decode/format.h"
#include "decode/subbuf.h"
#include "decode/tracefile.h"
#include "tests/lib/bigdat.h"

static const char *const texts[] = {
	"header_page", "header_event", "kallsyms", "printk_formats",
	"cmdlines",    "uname",	       "version",  "trace_clock",
};

struct repeat {
	struct tracefile *file;
	struct format *format;
	struct subbuf_layout layout;
	uint64_t first, last; /* times */
	long times;
	unsigned int moves;
	bool zstd;
	struct bigdat *to;
	uint8_t *copy;
};

static struct mkdat *make_head(const struct repeat *r)
{
	struct mkdat *to = mkdat_new(&(struct mkdat_opts){
		.zstd = r->zstd, .page_size = tracefile_subbuf_size(r->file, 0) });
	const char *name;
	struct span text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!tracefile_text(r->file, texts[i], &text))
			continue;
		auto_free char *copy =
			xasprintf("%.*s", (int)text.len, (const char *)text.data);

		mkdat_text(to, texts[i], copy);
	}
	for (size_t i = 0; tracefile_format(r->file, i, &name, &text); i++) {
		auto_free char *copy =
			xasprintf("%.*s", (int)text.len, (const char *)text.data);

		mkdat_format(to, name, copy);
	}
	for (size_t i = 0; tracefile_blob(r->file, i, &name, &text); i++)
		mkdat_blob(to, name, text.data, text.len);
	return to;
}

static void add(uint8_t *p, uint64_t by)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	if (v > 16 && v != UINT64_MAX)
		v += by;
	memcpy(p, &v, sizeof(v));
}

static uint64_t distance(const struct format_record *rec, unsigned int place)
{
	if (rec->page_address)
		return (uint64_t)place << 26;
	switch ((int)rec->kind) {
	case EVENT_PAGE_ALLOC:
	case EVENT_PAGE_FREE:
		return (uint64_t)place << 20;
	default:
		return (uint64_t)place << 32;
	}
}

/* Moves what the events of a sub-buffer of ours speak of. */
static void move(const struct repeat *r, uint8_t *page, size_t len, unsigned int place)
{
	struct subbuf walk;
	struct subbuf_event ev;

	if (!place || !subbuf_init(&walk, &r->layout, (struct span){ page, len }))
		return;
	while (subbuf_next(&walk, &ev, false)) {
		uint8_t *data = page + (ev.data - page);
		uint16_t type;

		memcpy(&type, data + r->format->type_off, sizeof(type));

		const struct format_record *rec = &r->format->record[r->format->of_id[type]];
		uint64_t by = distance(rec, place);

		if (rec->use != FORMAT_EVENT || ev.len < rec->min_len)
			continue;
		if (rec->load[FORMAT_ADDR].size == 8)
			add(data + rec->load[FORMAT_ADDR].off, by);
		if (rec->kind == EVENT_PAGE_MOVE)
			add(data + rec->load[FORMAT_BYTES_REQ].off, by);
		if (rec->kind == EVENT_VMAP_ALLOC && rec->is_end)
			add(data + rec->load[FORMAT_BYTES_REQ].off, by);
		for (size_t i = 0; i < rec->list_len; i++)
			add(data + rec->list_off + i * 8, by);
	}
}

static struct err *for_pages(struct repeat *r, size_t i, long round,
			     void (*fn)(struct repeat *, const struct span *, long))
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	struct span page;
	uint64_t damaged;

	TRY(page_reader_open(r->file, 0, i, &reader));
	for (;;) {
		TRY(page_reader_next(reader, &page, &damaged));
		if (!page.data)
			return NULL;
		fn(r, &page, round);
	}
}

static void look(struct repeat *r, const struct span *page, long round)
{
	uint64_t time;

	(void)round;
	memcpy(&time, page->data, sizeof(time));
	r->first = time < r->first ? time : r->first;
	r->last = time > r->last ? time : r->last;
}

static void repeat_page(struct repeat *r, const struct span *page, long round)
{
	uint64_t time;

	memcpy(r->copy, page->data, page->len);
	memcpy(&time, r->copy, sizeof(time));
	time += (uint64_t)round * (r->last - r->first + 1000000000);
	memcpy(r->copy, &time, sizeof(time));
	if (r->moves)
		move(r, r->copy, page->len, (unsigned int)(round % r->moves));
	bigdat_page(r->to, r->copy);
}

static struct err *put_cpu(struct repeat *r, size_t i)
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;

	TRY(page_reader_open(r->file, 0, i, &reader));
	bigdat_cpu(r->to, page_reader_cpu(reader));
	for (long round = 0; round < r->times; round++)
		TRY(for_pages(r, i, round, repeat_page));
	return NULL;
}

static struct err *read_formats(struct repeat *r)
{
	struct span text;
	const char *system;

	if (!tracefile_text(r->file, "header_page", &text))
		return err_new(ERR_FORMAT, "it has no header_page");
	TRY(subbuf_layout_parse(text, false, &r->layout));
	r->format = format_new(false, tracefile_long_size(r->file));
	for (size_t i = 0; tracefile_format(r->file, i, &system, &text); i++)
		TRY(format_add(r->format, system, text));
	return NULL;
}

static struct err *repeat(struct repeat *r, const char *from, const char *path)
{
	TRY(tracefile_open(from, &r->file));
	if (!tracefile_nr_buffers(r->file) || tracefile_swapped(r->file))
		return err_new(ERR_UNSUPPORTED, "%s: no data, or not of this machine's order",
			       from);
	TRY(read_formats(r));
	r->first = UINT64_MAX;
	for (size_t i = 0; i < tracefile_nr_cpus(r->file, 0); i++)
		TRY(for_pages(r, i, 0, look));
	CLEANUP(mkdat_cleanup) struct mkdat *head = make_head(r);

	r->copy = xmalloc(tracefile_subbuf_size(r->file, 0));
	r->to = bigdat_begin(path, head, r->zstd, tracefile_subbuf_size(r->file, 0),
			     tracefile_buffer_clock(r->file, 0));
	for (size_t i = 0; i < tracefile_nr_cpus(r->file, 0); i++)
		TRY(put_cpu(r, i));
	bigdat_end(r->to);
	return NULL;
}

int main(int argc, char **argv)
{
	struct repeat r = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "zm:")) != -1) {
		if (opt == 'z')
			r.zstd = true;
		else if (opt == 'm')
			r.moves = (unsigned int)atoi(optarg);
		else
			return 2;
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: bench_repeat [-z] [-m MOVES] IN OUT TIMES\n");
		return 2;
	}
	r.times = atol(argv[optind + 2]);

	auto_err struct err *err = repeat(&r, argv[optind], argv[optind + 1]);

	if (err)
		fprintf(stderr, "bench_repeat: %s\n", err_text(err));
	free(r.copy);
	format_free(r.format);
	tracefile_close(r.file);
	return err != NULL;
}
