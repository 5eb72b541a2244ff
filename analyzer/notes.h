/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notes.h - what a reader of the numbers has to know
 *
 * In:     an open trace file and what came out of reading and matching its events
 * Out:    rows of table _note, a sentence each: what is missing, inferred or cut short
 */
#ifndef NOTES_H
#define NOTES_H

#include "decode/merge.h"
#include "match/match.h"
#include "store/writer.h"

/* @live: the events were taken as they came, so that the recording was not cut short.
 * @lost: as facts_write() found it. */
struct err *notes_write(struct writer *writer, const struct tracefile *file, bool live,
			const struct merge *merge, const struct match *match,
			uint64_t lost) MUST_CHECK;

#endif
