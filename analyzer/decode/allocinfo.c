// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/allocinfo.h"

#include "base/words.h"

static const char head[] = "allocinfo - version: ";

bool allocinfo_is(struct span text)
{
	struct span rest;

	return words_after(text, head, &rest);
}

struct err *allocinfo_open(struct allocinfo *info, struct span text)
{
	struct span line = {};
	uint64_t major = 0, minor = 0;

	if (!span_line(&text, &line) || !words_after(line, head, &line))
		return err_new(ERR_FORMAT, "not a text of /proc/allocinfo");
	if (!words_digits(&line, &major) || !line.len || *line.data != '.')
		return err_new(ERR_FORMAT, "line 1: no version of /proc/allocinfo");
	line.data++, line.len--;
	if (!words_digits(&line, &minor))
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

	if (!words_digits(&rest, &number) || rest.len || number > UINT32_MAX)
		return false;
	ret->line = (uint32_t)number;
	return true;
}

/* "bytes calls file:line [module] func:name", then what a later version adds. */
static bool parse(struct span line, struct allocinfo_row *ret)
{
	struct span word;

	*ret = (struct allocinfo_row){};
	if (!words_next_number(&line, &ret->bytes) || !words_next_number(&line, &ret->calls) ||
	    !words_next(&line, &word) || !place(word, ret) || !words_next(&line, &word))
		return false;
	if (word.len > 2 && word.data[0] == '[' && word.data[word.len - 1] == ']') {
		ret->module = (struct span){ word.data + 1, word.len - 2 };
		if (!words_next(&line, &word))
			return false;
	}
	if (!words_after(word, "func:", &ret->func) || !ret->func.len)
		return false;
	while (words_next(&line, &word))
		ret->inaccurate |= words_equal(word, "accurate:no");
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
