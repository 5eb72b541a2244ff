/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/gfp.h - gfp flags in words, as the recorded kernel prints them
 *
 * Bits change their meaning from kernel to kernel. The format of an event that
 * carries gfp flags lists the names of its kernel, wider ones first.
 *
 * In:     the formats of a recording, any bytes
 * Out:    "GFP_KERNEL|__GFP_ZERO"
 * Rules:  (1) a bit without a name is shown in hexadecimal, never left out
 *         (2) without a usable list all of it is hexadecimal
 */
#ifndef DECODE_GFP_H
#define DECODE_GFP_H

#include "decode/tracefile.h"

struct gfp;

struct gfp *gfp_new(const struct tracefile *file);
/* The same of the text of one format. */
struct gfp *gfp_of_format(struct span text);
void gfp_free(struct gfp *gfp);
DEFINE_CLEANUP(struct gfp *, gfp, gfp_free)

/* The i-th name, wider ones first; false past the last. */
bool gfp_name(const struct gfp *gfp, size_t i, uint64_t *ret_mask, const char **ret);

/* Owned by the caller; "0" for none. */
char *gfp_text(const struct gfp *gfp, uint32_t flags);

#endif
