/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/allocinfo.h - the lines of /proc/allocinfo
 *
 * In:     a text of version 1.0 or 2.0; hostile
 * Out:    one row a line; spans borrow from the text
 * Rules:  (1) a line that is not in the form is an error that names it: a snapshot
 *             with lines left out would look like memory that was freed
 *         (2) what follows the function and is not known here is passed over
 */
#ifndef DECODE_ALLOCINFO_H
#define DECODE_ALLOCINFO_H

#include "base/bytes.h"

struct allocinfo {
	struct span rest;
	unsigned int line; /* the one that was read last, from 1 */
	unsigned int major, minor;
};

struct allocinfo_row {
	int64_t bytes, calls;
	struct span file, func;
	struct span module; /* len 0: the kernel itself */
	uint32_t line;
	bool inaccurate; /* the kernel says that it missed some */
};

/* True when @text begins as the file does. */
bool allocinfo_is(struct span text);

struct err *allocinfo_open(struct allocinfo *info, struct span text) MUST_CHECK;
/* *ret_any is false past the last row. */
struct err *allocinfo_next(struct allocinfo *info, struct allocinfo_row *ret,
			   bool *ret_any) MUST_CHECK;

#endif
