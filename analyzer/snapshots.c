// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* The next word of a line, which it moves past; false at its end. */
static bool next_word(struct span *line, struct span *ret)
{
	size_t n = 0;

	while (line->len && (*line->data == ' ' || *line->data == '\t'))
		line->data++, line->len--;
	while (n < line->len && line->data[n] != ' ' && line->data[n] != '\t')
		n++;
	*ret = (struct span){ line->data, n };
	line->data += n;
	line->len -= n;
	return n != 0;
}

static bool next_number(struct span *line, int64_t *ret)
{
	struct span word;
	int64_t v = 0;
	bool minus;

	if (!next_word(line, &word))
		return false;
	minus = word.len > 1 && *word.data == '-';
	for (size_t i = minus; i < word.len; i++)
		if (word.data[i] < '0' || word.data[i] > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, word.data[i] - '0', &v))
			return false;
	*ret = minus ? -v : v;
	return true;
}

static bool word_is(struct span word, const char *text)
{
	return word.len == strlen(text) && !memcmp(word.data, text, word.len);
}

struct place {
	struct writer *writer;
	const char *name, *at;
};

static struct err *value(const struct place *place, struct span key, const char *unit,
			 int64_t v)
{
	return writer_snapshot_value(place->writer, place->name, place->at, key, unit, v);
}

/* "MemFree:  123 kB"; without a unit it is a number of pages or so. */
static struct err *meminfo_line(const struct place *place, struct span line)
{
	struct span key, unit;
	int64_t v;

	if (!next_word(&line, &key) || key.data[key.len - 1] != ':' || !next_number(&line, &v))
		return NULL;
	key.len--;
	if (!next_word(&line, &unit) || !word_is(unit, "kB") ||
	    __builtin_mul_overflow(v, 1024, &v))
		return NULL;
	return value(place, key, "bytes", v);
}

/* "name active_objs num_objs objsize …": the first two lines begin otherwise. */
static struct err *slabinfo_line(const struct place *place, struct span line)
{
	struct span key;
	int64_t active, all, bytes;

	if (!next_word(&line, &key) || !next_number(&line, &active) ||
	    !next_number(&line, &all) || !next_number(&line, &bytes))
		return NULL;
	TRY(value(place, key, "objects", active));
	return value(place, key, "object_bytes", bytes);
}

/*
 * "bytes calls file:line [module] func:name …": the key ends with the function. Lines
 * of one key can differ in whether they are marked as inaccurate.
 */
static struct err *allocinfo_line(const struct place *place, struct span line)
{
	auto_free char *key = xcalloc(1, line.len + 2);
	int64_t bytes, calls;
	struct span word;
	size_t len = 0;
	bool whole = false;

	if (!next_number(&line, &bytes) || !next_number(&line, &calls))
		return NULL;
	while (!whole && next_word(&line, &word)) {
		memcpy(key + len, word.data, word.len);
		len += word.len;
		whole = word.len > 5 && !memcmp(word.data, "func:", 5);
		if (!whole)
			key[len++] = ' ';
	}
	if (!whole)
		return NULL;
	struct span span = { (const uint8_t *)key, len };

	TRY(value(place, span, "bytes", bytes));
	TRY(value(place, span, "calls", calls));
	/* Since 6.18: a tag whose account once missed an allocation. */
	while (next_word(&line, &word))
		if (word_is(word, "accurate:no"))
			return value(place, span, "inaccurate_bytes", bytes);
	return NULL;
}

struct err *snapshots_write(struct writer *writer, const char *name, const char *at,
			    struct span text)
{
	static const struct {
		const char *name;
		struct err *(*line)(const struct place *place, struct span line);
	} files[] = {
		{ "meminfo", meminfo_line },
		{ "slabinfo", slabinfo_line },
		{ "allocinfo", allocinfo_line },
	};
	const struct place place = { writer, name, at };
	struct span line;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!strcmp(files[i].name, name))
			while (span_line(&text, &line))
				TRY(files[i].line(&place, line));
	return NULL;
}
