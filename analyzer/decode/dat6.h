/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/dat6.h - what follows the header of a trace.dat of version 6
 *
 * In:     the source behind the header
 * Out:    the parts, in the container
 * Rules:  (1) parts follow each other without a directory: one that is cut
 *             short ends the file
 */
#ifndef DECODE_DAT6_H
#define DECODE_DAT6_H

#include "decode/container.h"

struct err *dat6_read(struct container *c, struct metadata_src *src) MUST_CHECK;

#endif
