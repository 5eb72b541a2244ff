// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "base/xalloc.h"

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

	if (!words_next(&line, &key) || key.data[key.len - 1] != ':' ||
	    !words_next_number(&line, &v))
		return NULL;
	key.len--;
	if (!words_next(&line, &unit) || !words_equal(unit, "kB") ||
	    __builtin_mul_overflow(v, 1024, &v))
		return NULL;
	return value(place, key, "bytes", v);
}

/* "name active_objs num_objs objsize …": the first two lines begin otherwise. */
static struct err *slabinfo_line(struct place *place, struct span line)
{
	struct span key;
	int64_t active, all, bytes;

	if (!words_next(&line, &key) || !words_next_number(&line, &active) ||
	    !words_next_number(&line, &all) || !words_next_number(&line, &bytes))
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

	if (!words_next_number(&line, &bytes) || !words_next_number(&line, &calls))
		return NULL;
	while (!whole && words_next(&line, &word)) {
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
	while (words_next(&line, &word))
		if (words_equal(word, "accurate:no"))
			return value(place, span, "inaccurate_bytes", bytes);
	return NULL;
}

/* "nr_free_pages 123": pages, or how often something happened. */
static struct err *vmstat_line(struct place *place, struct span line)
{
	struct span key;
	int64_t v;

	if (!words_next(&line, &key) || !words_next_number(&line, &v))
		return NULL;
	return value(place, key, "count", v);
}

/* "Node 0, zone DMA" and what is its own; "per-node stats" are the node's. */
static struct err *zoneinfo_line(struct place *place, struct span line)
{
	struct span word, rest = line;
	int64_t v;

	if (!words_next(&line, &word))
		return NULL;
	if (words_equal(word, "Node")) {
		struct span node, zone;

		place->zone[0] = '\0';
		if (words_next(&line, &node) && words_next(&line, &word) &&
		    words_next(&line, &zone) && node.len < 16 && zone.len < 16)
			snprintf(place->zone, sizeof(place->zone), "Node %.*s zone %.*s ",
				 (int)node.len, (const char *)node.data, (int)zone.len,
				 (const char *)zone.data);
		return NULL;
	}
	/* What each CPU keeps of a zone is not told apart by the lines. */
	if (words_equal(word, "pagesets"))
		place->zone[0] = '\0';
	if (!place->zone[0])
		return NULL;
	if (words_equal(word, "pages"))
		words_next(&line, &word);
	if (!words_next_number(&line, &v) || words_next(&line, &rest))
		return NULL;
	auto_free char *key =
		xasprintf("%s%.*s", place->zone, (int)word.len, (const char *)word.data);

	return value(place, (struct span){ (const uint8_t *)key, strlen(key) }, "count", v);
}

/* "Node 0, zone DMA N N N …": free blocks of order 0, 1, 2 and on. */
static struct err *buddyinfo_line(struct place *place, struct span line)
{
	struct span node, zone, word;
	int64_t blocks;

	if (!words_next(&line, &word) || !words_equal(word, "Node") ||
	    !words_next(&line, &node) || !words_next(&line, &word) || !words_next(&line, &zone))
		return NULL;
	for (unsigned int order = 0; words_next_number(&line, &blocks); order++) {
		auto_free char *key = xasprintf("Node %.*s zone %.*s order %u", (int)node.len,
						(const char *)node.data, (int)zone.len,
						(const char *)zone.data, order);

		TRY(value(place, (struct span){ (const uint8_t *)key, strlen(key) }, "blocks",
			  blocks));
	}
	return NULL;
}

/* "0xSTART-0xEND SIZE CALLER+0xOFF/0xLEN [module] …"; unpurged areas are freed. */
static struct err *vmallocinfo_line(struct place *place, struct span line)
{
	struct span range, key;
	int64_t bytes;

	if (!words_next(&line, &range) || !words_next_number(&line, &bytes) ||
	    !words_next(&line, &key) || words_equal(key, "unpurged"))
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
		{ "meminfo", meminfo_line },	 { "vmstat", vmstat_line },
		{ "zoneinfo", zoneinfo_line },	 { "vmallocinfo", vmallocinfo_line },
		{ "slabinfo", slabinfo_line },	 { "allocinfo", allocinfo_line },
		{ "buddyinfo", buddyinfo_line },
	};
	struct place place = { writer, name, at, "" };
	struct span line;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!strcmp(files[i].name, name))
			while (span_line(&text, &line))
				TRY(files[i].line(&place, line));
	return NULL;
}
