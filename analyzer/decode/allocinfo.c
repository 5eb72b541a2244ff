// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/allocinfo.h"

static const char head[] = "allocinfo - version: ";

static bool starts_with(struct span text, const char *prefix, size_t len)
{
	return text.len >= len && !memcmp(text.data, prefix, len);
}

bool allocinfo_is(struct span text)
{
	return starts_with(text, head, strlen(head));
}

/* Digits of @text, which it moves past; false where there are none, or too many. */
static bool digits(struct span *text, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < text->len && text->data[n] >= '0' && text->data[n] <= '9'; n++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, text->data[n] - '0', &v))
			return false;
	text->data += n;
	text->len -= n;
	*ret = v;
	return n != 0;
}

/* The next word of a line, which it moves past; false at its end. */
static bool next_word(struct span *line, struct span *ret)
{
	size_t n = 0;

	while (line->len && *line->data == ' ')
		line->data++, line->len--;
	while (n < line->len && line->data[n] != ' ')
		n++;
	*ret = (struct span){ line->data, n };
	line->data += n;
	line->len -= n;
	return n != 0;
}

/* A word that is a number, perhaps below zero: a counter per CPU may be read so. */
static bool next_number(struct span *line, int64_t *ret)
{
	struct span word;
	uint64_t v = 0;

	if (!next_word(line, &word))
		return false;
	bool minus = *word.data == '-';

	if (minus)
		word.data++, word.len--;
	if (!digits(&word, &v) || word.len || v > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

struct err *allocinfo_open(struct allocinfo *info, struct span text)
{
	struct span line = {};
	uint64_t major = 0, minor = 0;

	if (!allocinfo_is(text) || !span_line(&text, &line))
		return err_new(ERR_FORMAT, "not a text of /proc/allocinfo");
	line.data += strlen(head);
	line.len -= strlen(head);
	if (!digits(&line, &major) || !line.len || *line.data != '.')
		return err_new(ERR_FORMAT, "line 1: no version of /proc/allocinfo");
	line.data++, line.len--;
	if (!digits(&line, &minor))
		return err_new(ERR_FORMAT, "line 1: no version of /proc/allocinfo");
	if (major < 1 || major > 2)
		return err_new(ERR_UNSUPPORTED,
			       "version %u.%u of /proc/allocinfo; 1.0 and 2.0 are known",
			       (unsigned int)major, (unsigned int)minor);
	*info = (struct allocinfo){ text, 1, (unsigned int)major, (unsigned int)minor };
	return NULL;
}

/* "file:line"; the last colon, since a name may have one. */
static bool place(struct span word, struct allocinfo_row *ret)
{
	const uint8_t *colon = memrchr(word.data, ':', word.len);
	uint64_t number = 0;

	if (!colon || colon == word.data)
		return false;
	ret->file = (struct span){ word.data, (size_t)(colon - word.data) };
	struct span rest = { colon + 1, word.len - ret->file.len - 1 };

	if (!digits(&rest, &number) || rest.len || number > UINT32_MAX)
		return false;
	ret->line = (uint32_t)number;
	return true;
}

/* "bytes calls file:line [module] func:name", then what a later version adds. */
static bool parse(struct span line, struct allocinfo_row *ret)
{
	static const char func[] = "func:", inaccurate[] = "accurate:no";
	struct span word;

	*ret = (struct allocinfo_row){};
	if (!next_number(&line, &ret->bytes) || !next_number(&line, &ret->calls) ||
	    !next_word(&line, &word) || !place(word, ret) || !next_word(&line, &word))
		return false;
	if (word.len > 2 && word.data[0] == '[' && word.data[word.len - 1] == ']') {
		ret->module = (struct span){ word.data + 1, word.len - 2 };
		if (!next_word(&line, &word))
			return false;
	}
	if (!starts_with(word, func, strlen(func)) || word.len == strlen(func))
		return false;
	ret->func = (struct span){ word.data + strlen(func), word.len - strlen(func) };
	while (next_word(&line, &word))
		ret->inaccurate |= word.len == strlen(inaccurate) &&
				   !memcmp(word.data, inaccurate, word.len);
	return true;
}

struct err *allocinfo_next(struct allocinfo *info, struct allocinfo_row *ret, bool *ret_any)
{
	struct span line;

	while (span_line(&info->rest, &line)) {
		info->line++;
		if (!line.len || *line.data == '#')
			continue;
		if (!parse(line, ret))
			return err_new(ERR_FORMAT, "line %u is not one of /proc/allocinfo",
				       info->line);
		*ret_any = true;
		return NULL;
	}
	*ret_any = false;
	return NULL;
}
