/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/eventspec.h - the events that are of use, and how the kernel calls their fields
 *
 * In:     the name of an event and of its system
 * Out:    what it becomes, and which of its fields are taken for what
 * Not:    knows no offsets and no types: those are in the formats that a recording has
 * Rules:  (1) one list: an event that is not in it is not looked at
 *         (2) systems of probes have names of their own in each recording, their events do
 *             not; a name there means what it does in capture/probetab.c
 */
#ifndef DECODE_EVENTSPEC_H
#define DECODE_EVENTSPEC_H

#include "decode/format.h"

enum { EVENTSPEC_FIELDS = 6 };

struct eventspec {
	const char *system, *name;
	enum format_use use;
	enum event_kind kind;
	const char *text; /* a field that is a string; NULL: none */
	struct eventspec_field {
		const char *name; /* NULL past the last */
		enum format_slot slot;
		bool needed;
	} field[EVENTSPEC_FIELDS];

	/* Of probes; as in struct format_record. */
	bool has_list, page_address, is_end;
	uint16_t list_first;
};

/* NULL for an event that is of no use. */
const struct eventspec *eventspec_find(const char *system, struct span name);

#endif
