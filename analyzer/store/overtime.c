// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/overtime.h"

#include <string.h>

static struct cell integer(uint64_t value)
{
	return (struct cell){ .type = CELL_INT, .i = (int64_t)value };
}

void overtime_add_change(struct overtime *overtime, uint32_t bucket, int64_t net_bytes,
			 int64_t net_calls, int64_t alloc_bytes, int64_t allocs)
{
	struct overtime_change *change = &overtime->change[bucket];

	change->known = true;
	change->net_bytes += (uint64_t)net_bytes;
	change->net_calls += (uint64_t)net_calls;
	change->alloc_bytes += (uint64_t)alloc_bytes;
	change->allocs += (uint64_t)allocs;
	overtime->has_changes = true;
}

void overtime_add_lives(struct overtime *overtime, uint32_t bin, uint64_t ended, uint64_t live)
{
	overtime->ended[bin] += ended;
	overtime->live[bin] += live;
	overtime->has_lives = true;
}

static struct err *write_changes(struct overtime *overtime, struct writer *writer,
				 uint32_t callsite, bool self)
{
	uint64_t end_bytes = 0, end_calls = 0;

	for (uint32_t i = 0; i < SERIES_BUCKETS; i++) {
		const struct overtime_change *change = &overtime->change[i];

		if (!change->known)
			continue;
		end_bytes += change->net_bytes;
		end_calls += change->net_calls;
		const struct cell row[] = {
			integer(callsite),
			integer(self),
			integer(i),
			integer(change->net_bytes),
			integer(change->net_calls),
			integer(change->alloc_bytes),
			integer(change->allocs),
			integer(end_bytes),
			integer(end_calls),
		};

		TRY(writer_row(writer, WRITER_BUCKET, row));
	}
	memset(overtime->change, 0, sizeof(overtime->change));
	overtime->has_changes = false;
	return NULL;
}

static struct err *write_lives(struct overtime *overtime, struct writer *writer,
			       uint32_t callsite, bool self)
{
	for (uint32_t i = 0; i < LIFE_BINS; i++) {
		if (!overtime->ended[i] && !overtime->live[i])
			continue;
		const struct cell row[] = {
			integer(callsite),
			integer(self),
			integer(i),
			integer(overtime->ended[i]),
			integer(overtime->live[i]),
		};

		TRY(writer_row(writer, WRITER_LIFE, row));
	}
	memset(overtime->ended, 0, sizeof(overtime->ended));
	memset(overtime->live, 0, sizeof(overtime->live));
	overtime->has_lives = false;
	return NULL;
}

struct err *overtime_write(struct overtime *overtime, struct writer *writer, uint32_t callsite,
			   bool self)
{
	/* Many call sites have neither. */
	if (overtime->has_changes)
		TRY(write_changes(overtime, writer, callsite, self));
	if (overtime->has_lives)
		TRY(write_lives(overtime, writer, callsite, self));
	return NULL;
}
