/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/datcheck.h - makes, spoils and checks a trace.dat of this test
 *
 * For the tests of decode/tracefile.c and decode/page_reader.c: one file in
 * test_dir(), sub-buffers of which each byte tells CPU, number and place.
 */
#ifndef TESTS_LIB_DATCHECK_H
#define TESTS_LIB_DATCHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "decode/tracefile.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/test.h"

enum {
	PAGE = 4096,
	HEADER_LEN = 10 + 2 + 1 + 1 + 4,    /* up to the page size */
	PLAIN_OPTIONS = HEADER_LEN + 5 + 1, /* v7, "none\0\0": where the options are */
};

static inline const char *dat_path(void)
{
	static char *path;

	if (!path)
		path = xasprintf("%s/trace.dat", test_dir());
	return path;
}

/* A page of which every byte tells CPU, number and place. */
static inline void fill_page(uint8_t *page, size_t size, unsigned int cpu, unsigned int nr)
{
	uint32_t x = cpu * 7919 + nr * 104729 + 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		page[i] = (uint8_t)(x >> 24);
	}
}

static inline void add_pages(struct mkdat *m, const char *buffer, unsigned int cpu,
			     unsigned int nr, size_t size)
{
	auto_free uint8_t *page = xmalloc(size);

	for (unsigned int i = 0; i < nr; i++) {
		fill_page(page, size, cpu, i);
		mkdat_page(m, buffer, cpu, page, size);
	}
}

static inline struct tracefile *open_ok(void)
{
	struct tracefile *file = NULL;

	CHECK_OK(tracefile_open(dat_path(), &file));
	return file;
}

static inline void open_fails(const char *part)
{
	struct tracefile *file = NULL;

	CHECK_ERR(tracefile_open(dat_path(), &file), part);
}

static inline struct tracefile *made(struct mkdat *m)
{
	mkdat_write(m, dat_path());
	mkdat_free(m);
	return open_ok();
}

/* The bytes of @m, which is released. */
static inline uint8_t *bytes_made(struct mkdat *m, size_t *ret_len)
{
	uint8_t *data = mkdat_bytes(m, ret_len);

	mkdat_free(m);
	return data;
}

static inline void write_dat(const void *data, size_t len)
{
	mkdat_write_bytes(dat_path(), data, len);
}

struct tally {
	uint64_t pages;
	uint64_t damaged;
};

/* Reads a CPU whose pages come from add_pages(); only whole ones may come,
 * in order, none twice. */
static inline struct tally read_cpu(const struct tracefile *file, size_t buffer, size_t i)
{
	uint32_t size = tracefile_subbuf_size(file, buffer);
	auto_free uint8_t *expected = xmalloc(size);
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	struct tally tally = {};
	unsigned int nr = 0;

	CHECK_OK(page_reader_open(file, buffer, i, &reader));
	for (;;) {
		struct span page;
		uint64_t damaged;

		CHECK_OK(page_reader_next(reader, &page, &damaged));
		tally.damaged += damaged;
		if (!page.data)
			break;
		CHECK_EQ(page.len, size);
		do {
			CHECK(nr < 1000);
			fill_page(expected, size, page_reader_cpu(reader), nr++);
		} while (memcmp(expected, page.data, size));
		tally.pages++;
	}

	struct span page;
	uint64_t damaged;

	CHECK_OK(page_reader_next(reader, &page, &damaged));
	CHECK(!page.data);
	CHECK_EQ(damaged, 0);
	return tally;
}

static inline void check_text(const struct tracefile *file, const char *name,
			      const char *expected)
{
	struct span text;

	CHECK(tracefile_text(file, name, &text));
	auto_free char *s = xstrndup((const char *)text.data, text.len);
	CHECK_STR(s, expected);
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/* Offset of the table entry of the first CPU: after the clock "mono". */
static inline size_t cpu_entry(const uint8_t *data, size_t len)
{
	static const char clock[] = "\0mono\0\0\x10\0";
	const uint8_t *p = memmem(data, len, clock, sizeof(clock));

	CHECK(p);
	return (size_t)(p - data) + 6 + 4 + 4;
}

#endif
