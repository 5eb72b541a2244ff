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
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "decode/format.h"
#include "decode/subbuf.h"
#include "decode/tracefile.h"
#include "tests/lib/mkdat.h"

enum { CHUNK = 256 * 1024, SECTION_BUFFER = 3, SECTION_OPTIONS = 0 };

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
	int fd;
	uint64_t pos;
	uint8_t *chunk;
	size_t chunk_len;
	uint32_t nr_chunks;
	uint8_t *frame;
};

static void put(struct repeat *r, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(r->fd, p, len);

		if (n <= 0) {
			perror("write");
			exit(1);
		}
		p += n;
		len -= (size_t)n;
		r->pos += (uint64_t)n;
	}
}

static void put_u16(struct repeat *r, uint16_t v)
{
	put(r, &v, sizeof(v));
}

static void put_u32(struct repeat *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put_u64(struct repeat *r, uint64_t v)
{
	put(r, &v, sizeof(v));
}

static void patch(struct repeat *r, uint64_t at, const void *data, size_t len)
{
	if (pwrite(r->fd, data, len, (off_t)at) != (ssize_t)len) {
		perror("write");
		exit(1);
	}
}

/* The file without data: its last 8 bytes are to say where more options are. */
static void put_head(struct repeat *r)
{
	CLEANUP(mkdat_cleanup)
	struct mkdat *to = mkdat_new(&(struct mkdat_opts){
		.zstd = r->zstd, .page_size = tracefile_subbuf_size(r->file, 0) });
	const char *name;
	struct span text;
	size_t len;

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

	auto_free uint8_t *head = mkdat_bytes(to, &len);

	put(r, head, len);
}

static void put_chunk(struct repeat *r)
{
	if (!r->chunk_len)
		return;
	if (r->zstd) {
		size_t size = ZSTD_compress(r->frame, ZSTD_compressBound(CHUNK), r->chunk,
					    r->chunk_len, 1);

		put_u32(r, (uint32_t)size);
		put_u32(r, (uint32_t)r->chunk_len);
		put(r, r->frame, size);
		r->nr_chunks++;
	} else {
		put(r, r->chunk, r->chunk_len);
	}
	r->chunk_len = 0;
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
	uint8_t *copy = r->chunk + r->chunk_len;
	uint64_t time;

	memcpy(copy, page->data, page->len);
	memcpy(&time, copy, sizeof(time));
	time += (uint64_t)round * (r->last - r->first + 1000000000);
	memcpy(copy, &time, sizeof(time));
	if (r->moves)
		move(r, copy, page->len, (unsigned int)(round % r->moves));
	r->chunk_len += page->len;
	if (r->chunk_len + page->len > CHUNK)
		put_chunk(r);
}

struct place {
	uint64_t off, size;
	uint32_t cpu;
};

static struct err *put_cpu(struct repeat *r, size_t i, struct place *ret)
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	static const uint8_t zero[1 << 16];
	uint32_t size = tracefile_subbuf_size(r->file, 0);

	TRY(page_reader_open(r->file, 0, i, &reader));
	put(r, zero, (size - r->pos % size) % size);
	*ret = (struct place){ .off = r->pos, .cpu = page_reader_cpu(reader) };
	r->nr_chunks = 0;
	if (r->zstd)
		put_u32(r, 0);
	for (long round = 0; round < r->times; round++)
		TRY(for_pages(r, i, round, repeat_page));
	put_chunk(r);
	ret->size = r->pos - ret->off;
	if (r->zstd) {
		patch(r, ret->off, &r->nr_chunks, sizeof(r->nr_chunks));
		ret->size -= sizeof(r->nr_chunks);
	}
	return NULL;
}

static uint64_t begin_section(struct repeat *r, uint16_t id, bool compressed)
{
	put_u16(r, id);
	put_u16(r, compressed);
	put_u32(r, UINT32_MAX);
	put_u64(r, 0);
	return r->pos;
}

static void end_section(struct repeat *r, uint64_t start)
{
	uint64_t len = r->pos - start;

	patch(r, start - sizeof(len), &len, sizeof(len));
}

static struct err *put_data(struct repeat *r)
{
	size_t nr = tracefile_nr_cpus(r->file, 0);
	auto_free struct place *cpu = xcalloc(nr + 1, sizeof(*cpu));
	const char *clock = tracefile_buffer_clock(r->file, 0);
	uint64_t link = r->pos - 8, data = r->pos;
	uint64_t start = begin_section(r, SECTION_BUFFER, r->zstd);

	for (size_t i = 0; i < nr; i++)
		TRY(put_cpu(r, i, &cpu[i]));
	end_section(r, start);
	patch(r, link, &r->pos, sizeof(r->pos));
	start = begin_section(r, SECTION_OPTIONS, false);
	put_u16(r, SECTION_BUFFER);
	put_u32(r, (uint32_t)(8 + 1 + strlen(clock) + 1 + 8 + 20 * nr));
	put_u64(r, data);
	put(r, "", 1);
	put(r, clock, strlen(clock) + 1);
	put_u32(r, tracefile_subbuf_size(r->file, 0));
	put_u32(r, (uint32_t)nr);
	for (size_t i = 0; i < nr; i++) {
		put_u32(r, cpu[i].cpu);
		put_u64(r, cpu[i].off);
		put_u64(r, cpu[i].size);
	}
	put_u16(r, SECTION_OPTIONS);
	put_u32(r, 8);
	put_u64(r, 0);
	end_section(r, start);
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
	r->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (r->fd < 0)
		return err_os(errno, "%s", path);
	r->chunk = xmalloc(CHUNK + tracefile_subbuf_size(r->file, 0));
	r->frame = xmalloc(ZSTD_compressBound(CHUNK));
	put_head(r);
	return put_data(r);
}

int main(int argc, char **argv)
{
	struct repeat r = { .fd = -1 };
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
	free(r.chunk);
	free(r.frame);
	format_free(r.format);
	tracefile_close(r.file);
	if (r.fd >= 0)
		close(r.fd);
	return err != NULL;
}
