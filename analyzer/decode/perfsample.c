// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/perfsample.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum { TYPE_TRACEPOINT = 2, ID_ALL_BIT = 18 };

/* Bits of sample_type. */
enum {
	HAS_IP = 1 << 0,
	HAS_TID = 1 << 1,
	HAS_TIME = 1 << 2,
	HAS_ADDR = 1 << 3,
	HAS_READ = 1 << 4,
	HAS_CALLCHAIN = 1 << 5,
	HAS_ID = 1 << 6,
	HAS_CPU = 1 << 7,
	HAS_PERIOD = 1 << 8,
	HAS_STREAM_ID = 1 << 9,
	HAS_RAW = 1 << 10,
	HAS_IDENTIFIER = 1 << 16,
};

/* Bits of read_format. */
enum { READ_ENABLED = 1, READ_RUNNING = 2, READ_ID = 4, READ_GROUP = 8, READ_LOST = 16 };

void perfsample_deinit(struct perfsample *layouts)
{
	free(layouts->layout);
	free(layouts->id);
	*layouts = (struct perfsample){};
}

struct err *perfsample_add_attr(struct perfsample *layouts, struct span attr, size_t *ret)
{
	struct bytes b = bytes_of(attr.data, attr.len, false);
	uint32_t type, size;
	uint64_t config, period, sample_type, read_format, flags;

	if (!bytes_u32(&b, &type) || !bytes_u32(&b, &size) || !bytes_u64(&b, &config) ||
	    !bytes_u64(&b, &period) || !bytes_u64(&b, &sample_type) ||
	    !bytes_u64(&b, &read_format) || !bytes_u64(&b, &flags))
		return bytes_err(&b, "an event of the header");
	vec_room(layouts->layout, layouts->nr, layouts->cap);
	*ret = layouts->nr;
	layouts->layout[layouts->nr++] = (struct perfsample_layout){
		.sample_type = sample_type,
		.read_format = read_format,
		.tracepoint = type == TYPE_TRACEPOINT,
		.id_all = flags >> ID_ALL_BIT & 1,
	};
	return NULL;
}

void perfsample_add_id(struct perfsample *layouts, uint64_t id, size_t layout)
{
	vec_room(layouts->id, layouts->nr_ids, layouts->cap_ids);
	layouts->id[layouts->nr_ids++] = (struct perfsample_id){ id, layout };
}

static int compare(const void *a, const void *b)
{
	const struct perfsample_id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct err *perfsample_finish(struct perfsample *layouts)
{
	bool identified = true;

	if (!layouts->nr)
		return err_new(ERR_FORMAT, "the header names no event");
	layouts->uniform = true;
	for (size_t i = 0; i < layouts->nr; i++) {
		const struct perfsample_layout *layout = &layouts->layout[i];

		layouts->uniform &= layout->sample_type == layouts->layout[0].sample_type &&
				    layout->read_format == layouts->layout[0].read_format &&
				    layout->tracepoint == layouts->layout[0].tracepoint;
		identified &= (layout->sample_type & HAS_IDENTIFIER) != 0;
		if (layout->tracepoint &&
		    (~layout->sample_type & (HAS_TIME | HAS_CPU | HAS_RAW)))
			return err_new(ERR_UNSUPPORTED,
				       "samples without time, CPU or raw data; perf record has "
				       "them with -e kmem:… and --all-cpus or -R");
	}
	if (!layouts->uniform && !identified)
		return err_new(ERR_UNSUPPORTED,
			       "events with different fields that samples do not tell apart");
	if (layouts->nr_ids)
		qsort(layouts->id, layouts->nr_ids, sizeof(*layouts->id), compare);
	return NULL;
}

static const struct perfsample_layout *find(const struct perfsample *layouts, uint64_t id)
{
	const struct perfsample_id key = { .id = id };
	const struct perfsample_id *found =
		layouts->nr_ids
			? bsearch(&key, layouts->id, layouts->nr_ids, sizeof(key), compare)
			: NULL;

	return found ? &layouts->layout[found->layout] : NULL;
}

/* The values of counters. */
static bool skip_read(struct bytes *b, uint64_t format)
{
	uint64_t nr = 1;
	uint64_t each = 8 + (format & READ_ID ? 8 : 0) + (format & READ_LOST ? 8 : 0);
	uint64_t times = (format & READ_ENABLED ? 8 : 0) + (format & READ_RUNNING ? 8 : 0);

	if (format & READ_GROUP && !bytes_u64(b, &nr))
		return false;
	return nr <= bytes_left(b) / each && bytes_skip(b, nr * each + times);
}

static bool parse_chain(struct bytes *b, struct span *ret)
{
	uint64_t nr;

	return bytes_u64(b, &nr) && nr <= bytes_left(b) / 8 && bytes_span(b, nr * 8, ret);
}

bool perfsample_parse(const struct perfsample *layouts, struct bytes b,
		      struct perfdata_record *ret)
{
	const struct perfsample_layout *layout = &layouts->layout[0];
	uint64_t id;
	uint32_t unused, raw_len;

	if (!layouts->uniform) {
		struct bytes first = b;

		if (!bytes_u64(&first, &id))
			return false;
		layout = find(layouts, id);
		if (!layout)
			return true;
	}
	if (!layout->tracepoint)
		return true;

	uint64_t type = layout->sample_type;

	if ((type & HAS_IDENTIFIER && !bytes_skip(&b, 8)) ||
	    (type & HAS_IP && !bytes_skip(&b, 8)) ||
	    (type & HAS_TID && (!bytes_u32(&b, (uint32_t *)&ret->pid) ||
				!bytes_u32(&b, (uint32_t *)&ret->tid))) ||
	    (type & HAS_TIME && !bytes_u64(&b, &ret->ns)) ||
	    (type & HAS_ADDR && !bytes_skip(&b, 8)) || (type & HAS_ID && !bytes_skip(&b, 8)) ||
	    (type & HAS_STREAM_ID && !bytes_skip(&b, 8)) ||
	    (type & HAS_CPU && (!bytes_u32(&b, &ret->cpu) || !bytes_u32(&b, &unused))) ||
	    (type & HAS_PERIOD && !bytes_skip(&b, 8)) ||
	    (type & HAS_READ && !skip_read(&b, layout->read_format)) ||
	    (type & HAS_CALLCHAIN && !parse_chain(&b, &ret->chain)))
		return false;
	ret->type = PERFDATA_SAMPLE;
	return bytes_u32(&b, &raw_len) && bytes_span(&b, raw_len, &ret->raw);
}

bool perfsample_trailer(const struct perfsample *layouts, struct span record,
			struct perfdata_record *ret)
{
	const struct perfsample_layout *layout = &layouts->layout[0];
	uint64_t type = layout->sample_type;
	size_t before = (type & HAS_TID ? 8 : 0);
	size_t between = (type & HAS_ID ? 8 : 0) + (type & HAS_STREAM_ID ? 8 : 0);
	size_t all = before + (type & HAS_TIME ? 8 : 0) + between + (type & HAS_CPU ? 8 : 0) +
		     (type & HAS_IDENTIFIER ? 8 : 0);

	if (!layout->id_all || !(type & HAS_TIME) || !(type & HAS_CPU) || record.len < all)
		return false;
	struct bytes b = bytes_of(record.data + record.len - all, all, false);

	return bytes_skip(&b, before) && bytes_u64(&b, &ret->ns) && bytes_skip(&b, between) &&
	       bytes_u32(&b, &ret->cpu);
}
