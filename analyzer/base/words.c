// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/words.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct span *text)
{
	while (text->len && is_blank(*text->data))
		text->data++, text->len--;
}

bool words_next(struct span *line, struct span *ret)
{
	size_t n = 0;

	skip_blanks(line);
	while (n < line->len && !is_blank(line->data[n]) && line->data[n])
		n++;
	*ret = (struct span){ line->data, n };
	if (n) {
		line->data += n;
		line->len -= n;
	}
	return n != 0;
}

bool words_at(struct span line, size_t index, struct span *ret)
{
	do {
		if (!words_next(&line, ret))
			return false;
	} while (index--);
	return true;
}

bool words_equal(struct span word, const char *text)
{
	return word.len == strlen(text) && (!word.len || !memcmp(word.data, text, word.len));
}

bool words_after(struct span line, const char *prefix, struct span *ret)
{
	size_t len = strlen(prefix);

	if (line.len < len || (len && memcmp(line.data, prefix, len) != 0))
		return false;
	*ret = (struct span){ line.data + len, line.len - len };
	return true;
}

bool words_digits(struct span *text, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < text->len && text->data[n] >= '0' && text->data[n] <= '9'; n++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, text->data[n] - '0', &v))
			return false;
	if (!n)
		return false;
	text->data += n;
	text->len -= n;
	*ret = v;
	return true;
}

static unsigned int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10U : 16;
}

bool words_hex(struct span *text, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;
	unsigned int digit;

	for (; n < text->len && (digit = hex_digit(text->data[n])) < 16; n++) {
		if (v >> 60)
			return false;
		v = v << 4 | digit;
	}
	if (!n)
		return false;
	text->data += n;
	text->len -= n;
	*ret = v;
	return true;
}

bool words_number(struct span text, uint64_t *ret)
{
	uint64_t v;

	skip_blanks(&text);
	if (!words_digits(&text, &v))
		return false;
	skip_blanks(&text);
	if (text.len)
		return false;
	*ret = v;
	return true;
}

bool words_next_number(struct span *line, int64_t *ret)
{
	struct span word;
	uint64_t v;

	if (!words_next(line, &word))
		return false;
	bool minus = *word.data == '-';

	if (minus)
		word.data++, word.len--;
	if (!words_digits(&word, &v) || word.len || v > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

bool words_field(struct span text, const char *name, uint64_t *ret)
{
	struct span line, rest;

	while (span_line(&text, &line))
		if (words_after(line, name, &rest) && rest.len && is_blank(*rest.data) &&
		    words_number(rest, ret))
			return true;
	return false;
}
