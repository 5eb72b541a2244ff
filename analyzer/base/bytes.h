/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/bytes.h - the one way to read input bytes
 *
 * In:     a borrowed span and the byte order of whoever wrote it
 * Out:    integers, strings and sub-spans
 * Rules:  (1) nothing outside the span is read
 *         (2) a read that fails moves nothing and leaves *ret untouched
 *         (3) sizes are compared by subtraction from what is left, never by
 *             adding to a pointer, so that no size can wrap
 *
 * The readers return false at the end of the span; who reads a container says
 * with bytes_err() what was missing and where.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <byteswap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Borrowed bytes; may be text, is never NUL-terminated. */
struct span {
	const uint8_t *data;
	size_t len;
};

struct bytes {
	const uint8_t *start; /* for offsets in errors */
	const uint8_t *pos;
	const uint8_t *end;
	bool swap; /* the writer's byte order is not ours */
};

static inline struct bytes bytes_of(const void *data, size_t len, bool swap)
{
	const uint8_t *p = data;

	return (struct bytes){ .start = p, .pos = p, .end = p + len, .swap = swap };
}

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->pos);
}

/* Offset of the next byte from the start of the span. */
static inline size_t bytes_off(const struct bytes *b)
{
	return (size_t)(b->pos - b->start);
}

static inline bool bytes_skip(struct bytes *b, uint64_t len)
{
	if (len > bytes_left(b))
		return false;
	b->pos += len;
	return true;
}

static inline bool bytes_seek(struct bytes *b, uint64_t off)
{
	if (off > (uint64_t)(b->end - b->start))
		return false;
	b->pos = b->start + off;
	return true;
}

static inline bool bytes_span(struct bytes *b, uint64_t len, struct span *ret)
{
	if (len > bytes_left(b))
		return false;
	*ret = (struct span){ b->pos, (size_t)len };
	b->pos += len;
	return true;
}

static inline bool bytes_u8(struct bytes *b, uint8_t *ret)
{
	if (b->pos == b->end)
		return false;
	*ret = *b->pos++;
	return true;
}

#define BYTES_GETTER(bits)                                                     \
	static inline bool bytes_u##bits(struct bytes *b, uint##bits##_t *ret) \
	{                                                                      \
		uint##bits##_t v;                                              \
                                                                               \
		if (bytes_left(b) < sizeof(v))                                 \
			return false;                                          \
		memcpy(&v, b->pos, sizeof(v));                                 \
		b->pos += sizeof(v);                                           \
		*ret = b->swap ? bswap_##bits(v) : v;                          \
		return true;                                                   \
	}
BYTES_GETTER(16)
BYTES_GETTER(32)
BYTES_GETTER(64)
#undef BYTES_GETTER

/* A NUL-terminated string: borrowed, the NUL is skipped and is in the span. */
static inline bool bytes_str(struct bytes *b, const char **ret)
{
	const uint8_t *nul = memchr(b->pos, 0, bytes_left(b));

	if (!nul)
		return false;
	*ret = (const char *)b->pos;
	b->pos = nul + 1;
	return true;
}

/* "%s is missing or cut short at byte N". */
static inline MUST_CHECK struct err *bytes_err(const struct bytes *b, const char *what)
{
	return err_new(ERR_FORMAT, "%s is missing or cut short at byte %zu", what,
		       bytes_off(b));
}

/* A line of @text without its line feed; false at the end. Moves @text. */
static inline bool span_line(struct span *text, struct span *ret)
{
	if (!text->len)
		return false;
	const uint8_t *lf = memchr(text->data, '\n', text->len);
	size_t len = lf ? (size_t)(lf - text->data) : text->len;

	*ret = (struct span){ text->data, len };
	len += lf != NULL;
	text->data += len;
	text->len -= len;
	return true;
}

#endif
