/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/texts.h - named texts, as the kernel printed them
 *
 * In:     files of /proc, /sys and tracefs, or text made here
 * Out:    a list in order of addition; texts_encode() gives the bytes in which
 *         it travels: for each { name, NUL, u64 length, bytes }
 * Rules:  (1) a file is kept whole; one that cannot be read is not in the list
 */
#ifndef CAPTURE_TEXTS_H
#define CAPTURE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* A growing array of bytes, NUL-terminated beyond @len once it has data. */
struct text {
	char *data;
	size_t len;
	size_t cap;
};

void text_deinit(struct text *text);
#define auto_text CLEANUP(text_deinit) struct text

/* Its bytes, which are borrowed; none of NULL. */
static inline struct span text_span(const struct text *text)
{
	return text ? (struct span){ (const uint8_t *)text->data, text->len } : (struct span){};
}

/* Memory for @len more bytes and a NUL. */
void text_room(struct text *text, size_t len);
void text_add(struct text *text, const void *data, size_t len);
void text_printf(struct text *text, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Integers go in the byte order of this machine. */
void text_u16(struct text *text, uint16_t v);
void text_u32(struct text *text, uint32_t v);
void text_u64(struct text *text, uint64_t v);

/* Appends what the file @path holds now, to its end. */
struct err *text_read_file(struct text *text, const char *path) MUST_CHECK;

struct texts {
	struct named_text {
		char *name;
		struct text text;
	} * v;
	size_t nr;
	size_t cap;
};

void texts_deinit(struct texts *texts);

/* A new, empty text called @name; valid until the next texts_new(). */
struct text *texts_new(struct texts *texts, const char *name);
/* The text called @name, which is added if there is none; valid as long. */
struct text *texts_get(struct texts *texts, const char *name);
/* The file @path under @name; nothing, and false, when it cannot be read. */
bool texts_file(struct texts *texts, const char *name, const char *path);
/* NULL when there is none. */
const struct text *texts_find(const struct texts *texts, const char *name);
/* The same texts, in memory of their own. */
void texts_copy(const struct texts *from, struct texts *ret);
void texts_encode(const struct texts *texts, struct text *ret);

#endif
