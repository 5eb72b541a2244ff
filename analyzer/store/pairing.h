/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/pairing.h - which call site of one side is which of the other
 *
 * In:     two sides of one struct strings, perhaps of different builds of a kernel
 * Out:    for each site of either its counterpart
 * Rules:  (1) sites pair where kind, function, file and module agree; then, of those
 *             that are left, where the module does not (built in or not); then where
 *             the file does not, if all of either side's are in one file
 *         (2) a function is compared without what the compiler adds to its name
 *         (3) where a function has several, they keep their order; among the ways to
 *             do so the one is taken that pairs most, and then most of the same size,
 *             cache and line
 *         (4) sites whose function is not known pair with none
 */
#ifndef STORE_PAIRING_H
#define STORE_PAIRING_H

#include "store/side.h"

#define PAIRING_NONE SIZE_MAX

struct pairing {
	size_t *of_old, *of_new; /* index in the other side, or PAIRING_NONE */
};

void pairing_init(struct pairing *pairing, const struct side *old, const struct side *new);
void pairing_deinit(struct pairing *pairing);

#endif
