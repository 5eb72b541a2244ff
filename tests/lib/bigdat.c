// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/bigdat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xalloc.h"

enum { CHUNK = 256 * 1024, SECTION_OPTIONS = 0, SECTION_BUFFER = 3 };

struct place {
	uint64_t off, size;
	uint32_t cpu;
};

struct bigdat {
	int fd;
	bool zstd;
	uint32_t subbuf_size;
	char *clock;
	uint64_t pos, link, data, start;
	struct place *cpu;
	size_t nr, cap;
	uint32_t nr_chunks;
	uint8_t *chunk, *frame;
	size_t chunk_len, chunk_size;
};

static __attribute__((noreturn)) void fail(void)
{
	perror("bigdat");
	exit(1);
}

static void put(struct bigdat *d, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(d->fd, p, len);

		if (n <= 0)
			fail();
		p += n;
		len -= (size_t)n;
		d->pos += (uint64_t)n;
	}
}

static void put_uint(struct bigdat *d, uint64_t v, size_t size)
{
	put(d, &v, size); /* on a little-endian machine */
}

static void patch(struct bigdat *d, uint64_t at, const void *data, size_t len)
{
	if (pwrite(d->fd, data, len, (off_t)at) != (ssize_t)len)
		fail();
}

static uint64_t begin_section(struct bigdat *d, uint16_t id, bool compressed)
{
	put_uint(d, id, 2);
	put_uint(d, compressed, 2);
	put_uint(d, UINT32_MAX, 4);
	put_uint(d, 0, 8);
	return d->pos;
}

static void end_section(struct bigdat *d, uint64_t start)
{
	uint64_t len = d->pos - start;

	patch(d, start - sizeof(len), &len, sizeof(len));
}

struct bigdat *bigdat_begin(const char *path, struct mkdat *head, bool zstd,
			    uint32_t subbuf_size, const char *clock)
{
	struct bigdat *d = xcalloc(1, sizeof(*d));
	size_t len;
	auto_free uint8_t *bytes = mkdat_bytes(head, &len);

	d->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (d->fd < 0)
		fail();
	d->zstd = zstd;
	d->subbuf_size = subbuf_size;
	d->clock = xstrdup(clock);
	d->chunk_size = CHUNK > subbuf_size ? CHUNK - CHUNK % subbuf_size : subbuf_size;
	d->chunk = xmalloc(d->chunk_size);
	d->frame = xmalloc(ZSTD_compressBound(d->chunk_size));
	/* Its last 8 bytes are to say where more options are. */
	put(d, bytes, len);
	d->link = d->pos - 8;
	d->data = d->pos;
	d->start = begin_section(d, SECTION_BUFFER, zstd);
	return d;
}

static void put_chunk(struct bigdat *d)
{
	if (!d->chunk_len)
		return;
	if (d->zstd) {
		size_t size = ZSTD_compress(d->frame, ZSTD_compressBound(d->chunk_size),
					    d->chunk, d->chunk_len, 1);

		put_uint(d, size, 4);
		put_uint(d, d->chunk_len, 4);
		put(d, d->frame, size);
		d->nr_chunks++;
	} else {
		put(d, d->chunk, d->chunk_len);
	}
	d->chunk_len = 0;
}

static void end_cpu(struct bigdat *d)
{
	struct place *cpu = d->nr ? &d->cpu[d->nr - 1] : NULL;

	if (!cpu)
		return;
	put_chunk(d);
	cpu->size = d->pos - cpu->off;
	if (d->zstd) {
		patch(d, cpu->off, &d->nr_chunks, sizeof(d->nr_chunks));
		/* As trace-cmd has it, without the number of chunks. */
		cpu->size -= sizeof(d->nr_chunks);
	}
}

void bigdat_cpu(struct bigdat *d, uint32_t cpu)
{
	auto_free uint8_t *zero = xcalloc(1, d->subbuf_size);

	end_cpu(d);
	put(d, zero, (d->subbuf_size - d->pos % d->subbuf_size) % d->subbuf_size);
	vec_room(d->cpu, d->nr, d->cap);
	d->cpu[d->nr++] = (struct place){ .off = d->pos, .cpu = cpu };
	d->nr_chunks = 0;
	if (d->zstd)
		put_uint(d, 0, 4);
}

void bigdat_page(struct bigdat *d, const void *page)
{
	memcpy(d->chunk + d->chunk_len, page, d->subbuf_size);
	d->chunk_len += d->subbuf_size;
	if (d->chunk_len == d->chunk_size)
		put_chunk(d);
}

void bigdat_end(struct bigdat *d)
{
	end_cpu(d);
	end_section(d, d->start);
	patch(d, d->link, &d->pos, sizeof(d->pos));

	uint64_t start = begin_section(d, SECTION_OPTIONS, false);

	put_uint(d, SECTION_BUFFER, 2);
	put_uint(d, 8 + 1 + strlen(d->clock) + 1 + 8 + 20 * d->nr, 4);
	put_uint(d, d->data, 8);
	put(d, "", 1);
	put(d, d->clock, strlen(d->clock) + 1);
	put_uint(d, d->subbuf_size, 4);
	put_uint(d, d->nr, 4);
	for (size_t i = 0; i < d->nr; i++) {
		put_uint(d, d->cpu[i].cpu, 4);
		put_uint(d, d->cpu[i].off, 8);
		put_uint(d, d->cpu[i].size, 8);
	}
	put_uint(d, SECTION_OPTIONS, 2);
	put_uint(d, 8, 4);
	put_uint(d, 0, 8);
	end_section(d, start);
	if (close(d->fd))
		fail();
	free(d->clock);
	free(d->cpu);
	free(d->chunk);
	free(d->frame);
	free(d);
}
