// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/metadata.h"

#include <errno.h>
#include <inttypes.h>

#include "base/xalloc.h"
#include "decode/inflate.h"

enum {
	/* Read at once where sizes are small and unknown. */
	WINDOW = 256 << 10,
	/*
	 * Texts of the kernel inflate to 5 to 20 times their size; a promise far
	 * above that is a trap, and is refused before memory is spent on it.
	 */
	RATIO_MAX = 1024,
	RATIO_SLACK = 64 << 10,
};

void metadata_init(struct metadata *meta, int fd, uint64_t file_size)
{
	*meta = (struct metadata){ .fd = fd, .file_size = file_size };
}

void metadata_deinit(struct metadata *meta)
{
	for (size_t i = 0; i < meta->nr_blocks; i++)
		free(meta->block[i]);
	free(meta->block);
	cleanup_fd_(&meta->fd);
	*meta = (struct metadata){ .fd = -1 };
}

struct err *metadata_alloc(struct metadata *meta, uint64_t len, uint8_t **ret)
{
	if (len > METADATA_MAX - meta->held)
		return err_new(ERR_UNSUPPORTED, "more than %d MB of metadata",
			       METADATA_MAX >> 20);
	uint8_t *block = malloc(len ? len : 1);

	if (!block)
		return err_os(ENOMEM, "%" PRIu64 " bytes of metadata", len);
	vec_room(meta->block, meta->nr_blocks, meta->cap_blocks);
	meta->block[meta->nr_blocks++] = block;
	meta->held += len;
	*ret = block;
	return NULL;
}

struct err *metadata_read(const struct metadata *meta, uint64_t off, void *ret, size_t len)
{
	size_t got = 0;

	if (off > meta->file_size || len > meta->file_size - off)
		return err_new(ERR_FORMAT,
			       "%zu bytes at byte %" PRIu64
			       " pass the end of the file at %" PRIu64,
			       len, off, meta->file_size);
	while (got < len) {
		ssize_t n =
			pread(meta->fd, (uint8_t *)ret + got, len - got, (off_t)(off + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "read at byte %" PRIu64, off + got);
		if (!n)
			return err_new(ERR_FORMAT, "the file became shorter while it was read");
		got += (size_t)n;
	}
	return NULL;
}

/* The caller has compared @off and @len with the size of the file. */
static struct err *load(struct metadata *meta, uint64_t off, uint64_t len, struct span *ret)
{
	uint8_t *block;

	TRY(metadata_alloc(meta, len, &block));
	TRY(metadata_read(meta, off, block, len));
	*ret = (struct span){ block, len };
	return NULL;
}

struct metadata_src metadata_at(struct metadata *meta, uint64_t off)
{
	return (struct metadata_src){ .meta = meta,
				      .b = bytes_of("", 0, meta->swap),
				      .base = off };
}

struct metadata_src metadata_sub(const struct metadata_src *src, struct span part)
{
	return (struct metadata_src){
		.meta = src->meta,
		.b = bytes_of(part.data, part.len, src->meta->swap),
		.base = src->base + (uint64_t)(part.data - src->b.start),
		.whole = true,
	};
}

static struct err *inflate_section(struct metadata *meta, struct bytes stored, struct span *ret)
{
	uint32_t size, promised;
	struct span frame;

	if (!bytes_u32(&stored, &size) || !bytes_u32(&stored, &promised) ||
	    !bytes_span(&stored, size, &frame))
		return bytes_err(&stored, "compressed data");
	if (promised > (uint64_t)size * RATIO_MAX + RATIO_SLACK)
		return err_new(ERR_FORMAT,
			       "%" PRIu32 " compressed bytes cannot be %" PRIu32
			       " bytes of text",
			       size, promised);
	if (!inflate_may_hold(frame, promised))
		return err_new(ERR_FORMAT,
			       "is not the zstd frame of %" PRIu32
			       " bytes that it claims to be",
			       promised);

	CLEANUP(inflate_ctx_cleanup) ZSTD_DCtx *ctx = ZSTD_createDCtx();
	uint8_t *block;

	if (!ctx)
		return err_os(ENOMEM, "zstd");
	TRY(metadata_alloc(meta, promised, &block));
	TRY(inflate_exactly(ctx, frame, block, promised));
	*ret = (struct span){ block, promised };
	return NULL;
}

struct err *metadata_inside(struct metadata *meta, uint64_t off, uint64_t len, bool compressed,
			    struct metadata_src *ret)
{
	struct span body;

	if (off > meta->file_size || len > meta->file_size - off)
		return err_new(ERR_FORMAT,
			       "%" PRIu64 " bytes at byte %" PRIu64
			       " pass the end of the file at %" PRIu64,
			       len, off, meta->file_size);
	TRY(load(meta, off, len, &body));
	if (compressed) {
		uint8_t *stored = meta->block[meta->nr_blocks - 1];
		size_t slot = meta->nr_blocks - 1;

		TRY(inflate_section(meta, bytes_of(stored, len, meta->swap), &body));
		/* What was stored is no longer needed. */
		free(stored);
		meta->block[slot] = NULL;
		meta->held -= len;
	}
	*ret = (struct metadata_src){
		.meta = meta,
		.b = bytes_of(body.data, body.len, meta->swap),
		.base = compressed ? 0 : off,
		.whole = true,
	};
	return NULL;
}

uint64_t metadata_off(const struct metadata_src *src)
{
	return src->base + bytes_off(&src->b);
}

bool metadata_end(const struct metadata_src *src)
{
	return src->b.pos == src->b.end;
}

static struct err *cut_short(const struct metadata_src *src, const char *what)
{
	return err_new(ERR_FORMAT, "%s is missing or cut short at byte %" PRIu64, what,
		       metadata_off(src));
}

/* Has @len bytes in memory, if there are so many. */
static struct err *fill(struct metadata_src *src, const char *what, uint64_t len)
{
	if (len <= bytes_left(&src->b))
		return NULL;
	if (src->whole)
		return cut_short(src, what);

	uint64_t off = metadata_off(src);
	uint64_t left = off < src->meta->file_size ? src->meta->file_size - off : 0;
	uint64_t window = left < WINDOW ? left : WINDOW;
	struct span span;

	if (len > left)
		return cut_short(src, what);
	TRY(load(src->meta, off, len > window ? len : window, &span));
	src->b = bytes_of(span.data, span.len, src->meta->swap);
	src->base = off;
	return NULL;
}

struct err *metadata_u8(struct metadata_src *src, const char *what, uint8_t *ret)
{
	TRY(fill(src, what, sizeof(*ret)));
	return bytes_u8(&src->b, ret) ? NULL : cut_short(src, what);
}

struct err *metadata_u16(struct metadata_src *src, const char *what, uint16_t *ret)
{
	TRY(fill(src, what, sizeof(*ret)));
	return bytes_u16(&src->b, ret) ? NULL : cut_short(src, what);
}

struct err *metadata_u32(struct metadata_src *src, const char *what, uint32_t *ret)
{
	TRY(fill(src, what, sizeof(*ret)));
	return bytes_u32(&src->b, ret) ? NULL : cut_short(src, what);
}

struct err *metadata_u64(struct metadata_src *src, const char *what, uint64_t *ret)
{
	TRY(fill(src, what, sizeof(*ret)));
	return bytes_u64(&src->b, ret) ? NULL : cut_short(src, what);
}

struct err *metadata_span(struct metadata_src *src, const char *what, uint64_t len,
			  struct span *ret)
{
	TRY(fill(src, what, len));
	return bytes_span(&src->b, len, ret) ? NULL : cut_short(src, what);
}

struct err *metadata_str(struct metadata_src *src, const char *what, const char **ret)
{
	uint64_t off = metadata_off(src);
	size_t len = METADATA_STR_MAX;

	/* The last name of a file may have less behind it. */
	if (!src->whole && off < src->meta->file_size && len > src->meta->file_size - off)
		len = src->meta->file_size - off;
	if (!src->whole)
		TRY(fill(src, what, len));
	if (len > bytes_left(&src->b))
		len = bytes_left(&src->b);

	const uint8_t *nul = len ? memchr(src->b.pos, 0, len) : NULL;

	if (!nul)
		return cut_short(src, what);
	*ret = (const char *)src->b.pos;
	src->b.pos = nul + 1;
	return NULL;
}

char *metadata_quote(struct span bytes)
{
	size_t nr = bytes.len < 32 ? bytes.len : 32;
	char *text = xmalloc(nr * 4 + 1);
	char *p = text;

	*p = '\0';
	for (size_t i = 0; i < nr; i++) {
		uint8_t c = bytes.data[i];

		if (c >= ' ' && c <= '~' && c != '\\' && c != '"')
			p += sprintf(p, "%c", c);
		else
			p += sprintf(p, "\\x%02x", c);
	}
	return text;
}
