// SPDX-License-Identifier: GPL-2.0-or-later
#include "zones.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

/* A line "KEY N" or "KEY: N" within blanks. */
static bool field(const char *line, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	line += strspn(line, " ");
	if (strncmp(line, key, len))
		return false;
	line += len;
	line += *line == ':';
	return *line == ' ' && sscanf(line, " %" SCNu64, ret) == 1;
}

bool zones_next(struct span *text, struct zone *ret)
{
	struct span line;
	bool begun = false;

	while (span_line(text, &line)) {
		auto_free char *s = xstrndup((const char *)line.data, line.len);
		struct zone zone = {};

		if (sscanf(s, "Node %" SCNu32 ", zone %15s", &zone.node, zone.name) == 2) {
			*ret = zone;
			begun = true;
			continue;
		}
		if (!begun || field(s, "spanned", &ret->spanned) ||
		    field(s, "present", &ret->present))
			continue;
		/* The last of a zone. */
		if (field(s, "start_pfn", &ret->start_pfn))
			return true;
	}
	return false;
}

struct err *zones_write(struct writer *writer, const struct tracefile *file)
{
	struct span text;
	struct zone zone;

	if (!tracefile_text(file, BLOB_SNAPSHOT "start/zoneinfo", &text))
		return NULL;
	while (zones_next(&text, &zone)) {
		const struct cell row[] = {
			{ .type = CELL_INT, .i = zone.node },
			{ .type = CELL_TEXT, .text = zone.name, .len = strlen(zone.name) },
			{ .type = CELL_INT, .i = (int64_t)zone.start_pfn },
			{ .type = CELL_INT, .i = (int64_t)zone.spanned },
			{ .type = CELL_INT, .i = (int64_t)zone.present },
		};

		if (zone.spanned)
			TRY(writer_row(writer, WRITER_ZONE, row));
	}
	return NULL;
}
