// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"

void segments_deinit(struct segments *segments)
{
	free(segments->v);
	*segments = (struct segments){};
}

struct segment *segments_get(struct segments *s, uint32_t id)
{
	if (s->nr && s->v[s->nr - 1].id == id)
		return &s->v[s->nr - 1];
	vec_room(s->v, s->nr, s->cap);
	s->v[s->nr] = (struct segment){ .id = id };
	return &s->v[s->nr++];
}

void segments_copy(const struct segments *from, uint32_t first, uint32_t end,
		   struct segments *ret)
{
	for (size_t i = 0; i < from->nr; i++)
		if (from->v[i].id >= first && from->v[i].id < end)
			*segments_get(ret, from->v[i].id) = from->v[i];
}

void segments_drop(struct segments *s, uint32_t end)
{
	size_t n = 0;

	while (n < s->nr && s->v[n].id < end)
		n++;
	s->nr -= n;
	if (n && s->nr)
		memmove(s->v, s->v + n, s->nr * sizeof(*s->v));
}

uint64_t segments_bytes(const struct segments *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->nr; i++)
		sum += s->v[i].bytes;
	return sum;
}

char *segment_name(unsigned int cpu, uint32_t id, bool packed)
{
	return xasprintf("cpu%u.%" PRIu32 ".%s", cpu, id, packed ? "zst" : "raw");
}

bool segment_is_name(const char *name)
{
	unsigned int cpu, id;
	int end = 0;

	/* The first version's had no number. */
	if (sscanf(name, "cpu%u.raw%n", &cpu, &end) == 1 && end)
		return !name[end];
	if (sscanf(name, "cpu%u.%u.%n", &cpu, &id, &end) != 2 || !end)
		return false;
	return !strcmp(name + end, "raw") || !strcmp(name + end, "zst");
}
