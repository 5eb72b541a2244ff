/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view/text.h - values as text for people
 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/query.h"

enum { TEXT_MAX = 48 };

/* Bytes in powers of 1024, as free -h: 640B, 12.3Mi. */
void text_iec(char ret[TEXT_MAX], int64_t bytes);

/* 2880123 as 2,880,123. */
void text_grouped(char ret[TEXT_MAX], int64_t n);

/* A number in decimal; its length. */
size_t text_int(char ret[TEXT_MAX], int64_t n);

/* Seconds in a unit that fits: 1.5 s, 230 us. */
void text_time(char ret[TEXT_MAX], double seconds);

/* The shortest decimal that reads back as the same number; its length. */
size_t text_real(char ret[TEXT_MAX], double v);

/* Six digits that count, without an exponent: 0.000311296, 7933701; the length. */
size_t text_decimal(char ret[TEXT_MAX], double v);

/* @part of @whole in per cent, such as "99.13 %". Neither 0 nor 100 unless it
 * is exactly that; "-" of nothing. */
void text_share(char ret[TEXT_MAX], double part, double whole);

/* The bytes of a blob in hexadecimal; owned by the caller. */
char *text_hex(const void *data, size_t len);

/*
 * @len bytes as one line that a terminal takes for text: control characters,
 * and bytes that are not UTF-8, as escapes; owned by the caller.
 */
char *text_printable(const char *text, size_t len);

/* True when it is that already, and of as many columns as bytes. */
bool text_is_plain(const char *text, size_t len);

/* Columns that such a text takes up: its code points. */
size_t text_width(const char *text);

/* Length of the UTF-8 sequence at @p of at most @len bytes; 0 if there is none. */
size_t text_utf8(const char *p, size_t len);

/*
 * Cuts the printable text @site, "path/file.c:12 func [module]", to @width
 * columns, in place: whole folders of the path go first, else the middle.
 */
void text_shorten(char *site, size_t width);

#endif
