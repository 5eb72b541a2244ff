// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshots.h"

#include <stdio.h>
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
	char zone[64]; /* zoneinfo: whose lines follow; empty: nobody's */
};

/* Of the end of an area nothing is mapped, which none of its users has. */
enum { GUARD = 4096 };

static struct err *value(const struct place *place, struct span key, const char *unit,
			 int64_t v)
{
	return writer_snapshot_value(place->writer, place->name, place->at, key, unit, v);
}

/* "MemFree:  123 kB"; without a unit it is a number of pages or so. */
static struct err *meminfo_line(struct place *place, struct span line)
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
static struct err *slabinfo_line(struct place *place, struct span line)
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
static struct err *allocinfo_line(struct place *place, struct span line)
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

/* "nr_free_pages 123": pages, or how often something happened. */
static struct err *vmstat_line(struct place *place, struct span line)
{
	struct span key;
	int64_t v;

	if (!next_word(&line, &key) || !next_number(&line, &v))
		return NULL;
	return value(place, key, "count", v);
}

/* "Node 0, zone DMA" and what is its own; "per-node stats" are the node's. */
static struct err *zoneinfo_line(struct place *place, struct span line)
{
	struct span word, rest = line;
	int64_t v;

	if (!next_word(&line, &word))
		return NULL;
	if (word_is(word, "Node")) {
		struct span node, zone;

		place->zone[0] = '\0';
		if (next_word(&line, &node) && next_word(&line, &word) &&
		    next_word(&line, &zone) && node.len < 16 && zone.len < 16)
			snprintf(place->zone, sizeof(place->zone), "Node %.*s zone %.*s ",
				 (int)node.len, (const char *)node.data, (int)zone.len,
				 (const char *)zone.data);
		return NULL;
	}
	/* What each CPU keeps of a zone is not told apart by the lines. */
	if (word_is(word, "pagesets"))
		place->zone[0] = '\0';
	if (!place->zone[0])
		return NULL;
	if (word_is(word, "pages"))
		next_word(&line, &word);
	if (!next_number(&line, &v) || next_word(&line, &rest))
		return NULL;
	auto_free char *key =
		xasprintf("%s%.*s", place->zone, (int)word.len, (const char *)word.data);

	return value(place, (struct span){ (const uint8_t *)key, strlen(key) }, "count", v);
}

/* "0xSTART-0xEND SIZE CALLER+0xOFF/0xLEN [module] …"; unpurged areas are freed. */
static struct err *vmallocinfo_line(struct place *place, struct span line)
{
	struct span range, key;
	int64_t bytes;

	if (!next_word(&line, &range) || !next_number(&line, &bytes) ||
	    !next_word(&line, &key) || word_is(key, "unpurged"))
		return NULL;
	const uint8_t *plus = memchr(key.data, '+', key.len);

	if (plus)
		key.len = (size_t)(plus - key.data);
	TRY(value(place, key, "bytes", bytes > GUARD ? bytes - GUARD : bytes));
	return value(place, key, "areas", 1);
}

struct err *snapshots_write(struct writer *writer, const char *name, const char *at,
			    struct span text)
{
	static const struct {
		const char *name;
		struct err *(*line)(struct place *place, struct span line);
	} files[] = {
		{ "meminfo", meminfo_line },   { "vmstat", vmstat_line },
		{ "zoneinfo", zoneinfo_line }, { "vmallocinfo", vmallocinfo_line },
		{ "slabinfo", slabinfo_line }, { "allocinfo", allocinfo_line },
	};
	struct place place = { writer, name, at, "" };
	struct span line;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!strcmp(files[i].name, name))
			while (span_line(&text, &line))
				TRY(files[i].line(&place, line));
	return NULL;
}
