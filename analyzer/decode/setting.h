/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/setting.h - what holds for all events of a trace file
 *
 * In:     an open trace file, with the texts that it carries
 * Out:    how its sub-buffers and events are laid out, and what they count in
 * Rules:  (1) a file without any event that allocprof uses is an error
 *         (2) so are buffers of different clocks, whose times have no order
 */
#ifndef DECODE_SETTING_H
#define DECODE_SETTING_H

#include "decode/format.h"
#include "decode/subbuf.h"
#include "decode/tracefile.h"

struct setting {
	struct format *format;
	struct subbuf_layout layout;
	uint32_t page_size; /* bytes of a page of the recorded machine's memory */
	uint64_t vmemmap;   /* where its array of struct page begins; 0: not told */
};

struct err *setting_read(const struct tracefile *file, struct setting *ret) MUST_CHECK;
void setting_deinit(struct setting *setting);

#endif
