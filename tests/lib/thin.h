/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/thin.h - a real recording with sub-buffers thrown away
 *
 * As the kernel does it when a buffer overflows: whole sub-buffers go, and the
 * next one of the CPU says so in its commit field, without a count, as the
 * kernel does when the sub-buffer has no room left for one.
 */
#ifndef TESTS_LIB_THIN_H
#define TESTS_LIB_THIN_H

#include <stdint.h>

#include "base/err.h"

/*
 * Writes @from to @to without @percent of its sub-buffers, chosen by @seed. Keeps
 * formats, texts that decoding needs, and kallsyms.
 */
struct err *thin_recording(const char *from, const char *to, unsigned int percent,
			   uint64_t seed) MUST_CHECK;

#endif
