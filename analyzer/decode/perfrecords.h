/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/perfrecords.h - the records of a perf.data, one after the other
 *
 * In:     the file, and between which of its bytes they are
 * Out:    each record whole, with its header; those that were compressed, inflated
 * Not:    knows what a record says
 * Rules:  (1) a record that is too short, or passes the end, is an error
 *         (2) memory is two windows, whatever the file claims
 */
#ifndef DECODE_PERFRECORDS_H
#define DECODE_PERFRECORDS_H

#include <zstd.h>

#include "decode/metadata.h"

/* Types of records that are not handed out, but what was compressed in them. */
enum { PERFRECORDS_COMPRESSED = 81, PERFRECORDS_COMPRESSED2 = 83 };

/* As each record begins. */
struct perfrecords_head {
	uint32_t type;
	uint16_t misc, size;
};

/* Bytes to come, from the file or inflated. */
struct perfrecords_window {
	uint8_t *data;
	size_t from, to, cap;
};

struct perfrecords {
	const struct metadata *meta; /* borrowed; the file */
	uint64_t pos, end, start;    /* of the records, in the file; for the owner to set */
	struct perfrecords_window file, inflated;
	ZSTD_DCtx *zstd;
	bool drained;	    /* it has nothing more to give without input */
	struct span packed; /* what of a compressed record is still to be inflated; in file */
};

void perfrecords_init(struct perfrecords *records, const struct metadata *meta);
void perfrecords_deinit(struct perfrecords *records);

/* The next record, good until the next call; of 0 bytes at the end. */
struct err *perfrecords_next(struct perfrecords *records, struct span *ret,
			     struct perfrecords_head *ret_head) MUST_CHECK;

/*
 * Goes past what follows @record in the file and is not in its size, but in the number
 * of @field bytes behind its header.
 */
struct err *perfrecords_skip(struct perfrecords *records, struct span record,
			     size_t field) MUST_CHECK;

#endif
