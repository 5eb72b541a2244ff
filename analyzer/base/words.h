/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/words.h - words and numbers in lines of text, as the kernel prints them
 *
 * In:     a borrowed line, see span_line()
 * Out:    borrowed words, numbers
 * Rules:  (1) words are separated by blanks and tabs; a NUL ends the line
 *         (2) a number is decimal unless told otherwise, and false is returned for one that does not fit
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/bytes.h"

/* The next word of @line, which moves past it; false at the end. */
bool words_next(struct span *line, struct span *ret);
/* The @index-th word, from 0; false when there are fewer. */
bool words_at(struct span line, size_t index, struct span *ret);
bool words_equal(struct span word, const char *text);
/* What follows @prefix, with which @line must begin. */
bool words_after(struct span line, const char *prefix, struct span *ret);

/* The digits at the start of @text, which moves past them. */
bool words_digits(struct span *text, uint64_t *ret);
/* The same of the hexadecimal number at the start of @text, without 0x. */
bool words_hex(struct span *text, uint64_t *ret);
/* A number that is all of @text but blanks around it. */
bool words_number(struct span text, uint64_t *ret);
/* The next word, a number that may be negative. */
bool words_next_number(struct span *line, int64_t *ret);
/* The N of the first line "NAME N" in @text that is one. */
bool words_field(struct span text, const char *name, uint64_t *ret);

#endif
