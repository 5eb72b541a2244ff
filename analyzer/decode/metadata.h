/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/metadata.h - reads what surrounds the events: numbers and texts
 *
 * In:     a file descriptor, any bytes
 * Out:    integers, and texts that stay until metadata_deinit()
 * Not:    does not know what the numbers mean
 * Use:    metadata_init; metadata_at() for what has no size of its own (v6),
 *         metadata_inside() for a section of known size (v7); then the getters
 * Rules:  (1) a size is compared with what the file has left before memory is
 *             asked for, and with the promise of the zstd frame
 *         (2) all that is held stays below METADATA_MAX
 *         (3) an error says what was sought and at which byte
 */
#ifndef DECODE_METADATA_H
#define DECODE_METADATA_H

#include "base/bytes.h"

enum {
	METADATA_MAX = 1 << 30,
	METADATA_STR_MAX = 4096, /* of a name, with its NUL */
};

struct metadata {
	int fd; /* owned */
	uint64_t file_size;
	bool swap;
	uint64_t held;
	uint8_t **block;
	size_t nr_blocks;
	size_t cap_blocks;
};

/* A place to read from. */
struct metadata_src {
	struct metadata *meta;
	struct bytes b; /* what is in memory */
	uint64_t base;	/* file offset of its first byte; 0 when inflated */
	bool whole;	/* there is no more than what is in memory */
};

void metadata_init(struct metadata *meta, int fd, uint64_t file_size);
void metadata_deinit(struct metadata *meta);

/* Memory of @len bytes that metadata_deinit() releases. */
struct err *metadata_alloc(struct metadata *meta, uint64_t len, uint8_t **ret) MUST_CHECK;

/* Reads @len bytes at @off into the caller's memory. */
struct err *metadata_read(const struct metadata *meta, uint64_t off, void *ret,
			  size_t len) MUST_CHECK;

/* Reads from @off up to the end of the file, as needed. */
struct metadata_src metadata_at(struct metadata *meta, uint64_t off);
/* Reads @len bytes at @off, which are all there is; @compressed: u32 size,
 * u32 inflated size and a zstd frame of what is meant. */
struct err *metadata_inside(struct metadata *meta, uint64_t off, uint64_t len, bool compressed,
			    struct metadata_src *ret) MUST_CHECK;
/* A part of what is already in memory. */
struct metadata_src metadata_sub(const struct metadata_src *src, struct span part);

/* Offset of the next byte: in the file, or in the inflated section. */
uint64_t metadata_off(const struct metadata_src *src);
/* Of a source that is whole: nothing is left. */
bool metadata_end(const struct metadata_src *src);

/* @what is the subject of the error. */
struct err *metadata_u8(struct metadata_src *src, const char *what, uint8_t *ret) MUST_CHECK;
struct err *metadata_u16(struct metadata_src *src, const char *what, uint16_t *ret) MUST_CHECK;
struct err *metadata_u32(struct metadata_src *src, const char *what, uint32_t *ret) MUST_CHECK;
struct err *metadata_u64(struct metadata_src *src, const char *what, uint64_t *ret) MUST_CHECK;
struct err *metadata_str(struct metadata_src *src, const char *what,
			 const char **ret) MUST_CHECK;
struct err *metadata_span(struct metadata_src *src, const char *what, uint64_t len,
			  struct span *ret) MUST_CHECK;

/* @bytes as a C literal without quotes, fit for a terminal; at most 32 of them. */
char *metadata_quote(struct span bytes);

#endif
