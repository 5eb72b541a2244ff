/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/mkdat.h - makes trace.dat files from given parts
 *
 * In:     texts, formats, blobs and sub-buffers (all copied)
 * Out:    the bytes of a v6 or v7 file, in memory or on disk
 * Not:    does not know what a sub-buffer holds; shares no code with
 *         decode/tracefile.c, so that neither can hide the other's mistakes
 * Use:    mkdat_new, add parts in any order, mkdat_bytes or mkdat_write,
 *         mkdat_free; aborts when the system refuses
 *
 *	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .zstd = true });
 *	mkdat_format(m, "kmem", kmalloc_format);
 *	mkdat_page(m, "", 0, page, sizeof(page));
 *	mkdat_write(m, path);
 *	mkdat_free(m);
 */
#ifndef TESTS_LIB_MKDAT_H
#define TESTS_LIB_MKDAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct mkdat;

/* All zero: v7, not compressed, little endian, 64 bits, 4096 bytes. */
struct mkdat_opts {
	unsigned int version;	/* 6 or 7; 0 is 7 */
	bool zstd;		/* v7: metadata sections and CPU data */
	bool big_endian;	/* the container; sub-buffers are as given */
	unsigned int long_size; /* 0 is 8 */
	uint32_t page_size;	/* of the header and of sub-buffers; 0 is 4096 */
	size_t chunk_bytes;	/* inflated, of compressed CPU data; 0 is 10 sub-buffers */
	bool whole_sizes;	/* of compressed CPU data: with the number of chunks */
	bool bare;		/* no default header_page and header_event */
};

struct mkdat *mkdat_new(const struct mkdat_opts *opts);
void mkdat_free(struct mkdat *m);
DEFINE_CLEANUP(struct mkdat *, mkdat, mkdat_free)

/*
 * Sets a text by the name it has in decode/tracefile.h: "header_page",
 * "header_event", "kallsyms", "printk_formats", "cmdlines", "uname",
 * "trace_clock", "version"; each call with "cpustat" adds one CPU.
 */
void mkdat_text(struct mkdat *m, const char *name, const char *text);
void mkdat_trace_id(struct mkdat *m, uint64_t id);

/* An event format; formats of one system keep their order. "ftrace" is special. */
void mkdat_format(struct mkdat *m, const char *system, const char *text);

/* An entry of the private section (v7 only, v6 has no place for it). */
void mkdat_blob(struct mkdat *m, const char *name, const void *data, size_t len);

/*
 * Declares a buffer with a clock and sub-buffer size of its own (v7; v6 has
 * only the file's); mkdat_page() declares what it needs otherwise, with clock
 * "mono". Two calls with one name make two buffers, pages go to the last.
 */
void mkdat_buffer(struct mkdat *m, const char *name, const char *clock, uint32_t page_size);

/* Adds a sub-buffer of a CPU; a short one is filled up with zeros. */
void mkdat_page(struct mkdat *m, const char *buffer, unsigned int cpu, const void *data,
		size_t len);

/* The file; the caller frees it. */
uint8_t *mkdat_bytes(struct mkdat *m, size_t *ret_len);
void mkdat_write(struct mkdat *m, const char *path);

/* Writes any bytes to a new file: for files that were spoiled on purpose. */
void mkdat_write_bytes(const char *path, const void *data, size_t len);

#endif
