/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/perfsample.h - where a sample of perf.data keeps its fields
 *
 * In:     the attributes of the events, then samples
 * Out:    the fields that an allocation needs
 * Rules:  (1) fields come in the order of their bits in sample_type, but for those of
 *             linux/perf_event.h that do not
 *         (2) an event of another type than tracepoint is passed over
 *         (3) events with different fields tell theirs by an id that comes first; a
 *             file where they do not is refused
 */
#ifndef DECODE_PERFSAMPLE_H
#define DECODE_PERFSAMPLE_H

#include "base/bytes.h"
#include "decode/perfdata.h"

struct perfsample_layout {
	uint64_t sample_type, read_format;
	bool tracepoint, id_all;
};

struct perfsample {
	struct perfsample_layout *layout;
	size_t nr, cap;
	struct perfsample_id {
		uint64_t id;
		size_t layout;
	} * id; /* sorted after perfsample_finish() */
	size_t nr_ids, cap_ids;
	bool uniform; /* all layouts have the same fields */
};

void perfsample_deinit(struct perfsample *layouts);

/* @attr: a struct perf_event_attr. */
struct err *perfsample_add_attr(struct perfsample *layouts, struct span attr,
				size_t *ret) MUST_CHECK;
void perfsample_add_id(struct perfsample *layouts, uint64_t id, size_t layout);
struct err *perfsample_finish(struct perfsample *layouts) MUST_CHECK;

/*
 * Fills @ret from the body of a sample; false when a field passes its end. raw.len is
 * 0 when it is none of a tracepoint, or of an event that the header does not name.
 */
bool perfsample_parse(const struct perfsample *layouts, struct bytes body,
		      struct perfdata_record *ret);

/* CPU and time at the end of any other @record; false when they are not there. */
bool perfsample_trailer(const struct perfsample *layouts, struct span record,
			struct perfdata_record *ret);

#endif
