/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/dat7.h - what follows the header of a trace.dat of version 7
 *
 * In:     the source behind the header
 * Out:    the parts, in the container
 * Rules:  (1) sections are found through options; the private one by walking
 *             the section headers from the first
 *         (2) no options section is read twice
 *         (3) a walk that meets nonsense ends there: the private section is
 *             optional
 */
#ifndef DECODE_DAT7_H
#define DECODE_DAT7_H

#include "decode/container.h"

struct err *dat7_read(struct container *c, struct metadata_src *src) MUST_CHECK;

#endif
