/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/inflate.h - zstd frames that keep their promise
 *
 * In:     a frame and the size that the container says it inflates to
 * Out:    exactly that many bytes, or an error
 * Not:    never writes past the promised size, never asks for a window of its
 *         own; limits on the promise are the caller's
 */
#ifndef DECODE_INFLATE_H
#define DECODE_INFLATE_H

#include <zstd.h>

#include "base/bytes.h"

DEFINE_CLEANUP(ZSTD_DCtx *, inflate_ctx, ZSTD_freeDCtx)

/* False when the frame itself says that it holds something else: known before
 * any memory is spent. */
bool inflate_may_hold(struct span frame, uint64_t promised);

/* Fills @out, of @promised bytes; its content is undefined after an error. */
struct err *inflate_exactly(ZSTD_DCtx *ctx, struct span frame, uint8_t *out,
			    size_t promised) MUST_CHECK;

#endif
