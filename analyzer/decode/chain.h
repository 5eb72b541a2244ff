/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/chain.h - files that are one recording, FILE, FILE.1, FILE.2 …
 *
 * In:     containers of such files, in their order
 * Out:    one container with the data of all and the texts of the last
 * Rules:  (1) files belong together that have the same trace id, and the index that
 *             their name says
 *         (2) what one CPU did in one file it did before what is in the next
 */
#ifndef DECODE_CHAIN_H
#define DECODE_CHAIN_H

#include "decode/container.h"

/* Which file of a chain it is; false: of none. *ret_last: there is no other behind it. */
bool chain_index(const struct container *c, uint32_t *ret_index, bool *ret_last);
/* Whether both are of the recording. */
bool chain_same(const struct container *a, const struct container *b);

/* Puts the data of *@first before that of *@next, which takes its place. */
void chain_join(struct container *first, struct container *next);

#endif
