// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/inflate.h"

bool inflate_may_hold(struct span frame, uint64_t promised)
{
	unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.len);

	if (size == ZSTD_CONTENTSIZE_ERROR)
		return false;
	/* Streaming compressors leave the size out. Several frames in a row may
	 * follow each other: the first may hold less. */
	return size == ZSTD_CONTENTSIZE_UNKNOWN || size <= promised;
}

struct err *inflate_exactly(ZSTD_DCtx *ctx, struct span frame, uint8_t *out, size_t promised)
{
	size_t size = ZSTD_decompressDCtx(ctx, out, promised, frame.data, frame.len);

	if (ZSTD_isError(size))
		return err_new(ERR_FORMAT, "zstd: %s", ZSTD_getErrorName(size));
	if (size != promised)
		return err_new(ERR_FORMAT, "inflates to %zu bytes instead of %zu", size,
			       promised);
	return NULL;
}
