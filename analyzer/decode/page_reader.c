// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/page_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "decode/inflate.h"

enum {
	/* Plain data is read in pieces of this size unless told otherwise. */
	PIECE = 1 << 20,
	/* trace-cmd makes chunks of ten sub-buffers of at most 1 MB. */
	CHUNK_MAX = 64 << 20,
	CHUNK_HEADER_LEN = 8,
	COUNT_LEN = 4,
};

struct page_reader {
	struct page_reader_source from;
	uint64_t before; /* stored bytes of the data that is done */
	uint64_t taken;	 /* stored bytes */
	bool ended;
	uint32_t piece; /* of plain data */

	uint8_t *buf;
	size_t cap;
	size_t pos; /* next byte to return */
	size_t len;

	/* The rest is for compressed data. */
	bool started;
	uint32_t chunks_left;
	uint64_t inflated; /* bytes, by the promises of the chunks so far */
	bool straddles;	   /* chunks do not end where sub-buffers end */
	uint8_t *frame;
	size_t frame_cap;
	ZSTD_DCtx *zstd;
};

struct page_reader *page_reader_new(const struct page_reader_source *source)
{
	struct page_reader *r = xcalloc(1, sizeof(*r));

	r->from = *source;
	page_reader_pieces(r, PIECE);
	return r;
}

void page_reader_pieces(struct page_reader *r, uint32_t bytes)
{
	uint32_t size = r->from.subbuf_size;

	r->piece = bytes > size ? bytes - bytes % size : size;
}

void page_reader_close(struct page_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->zstd);
	free(r->buf);
	free(r->frame);
	free(r);
}

void page_reader_release(struct page_reader *r)
{
	free(r->buf);
	free(r->frame);
	ZSTD_freeDCtx(r->zstd);
	r->buf = r->frame = NULL;
	r->zstd = NULL;
	r->cap = r->frame_cap = r->pos = r->len = 0;
}

unsigned int page_reader_cpu(const struct page_reader *r)
{
	return r->from.data.cpu;
}

uint64_t page_reader_bytes(const struct page_reader *r)
{
	return r->before + (r->taken < r->from.data.stored ? r->taken : r->from.data.stored);
}

/*
 * Stored bytes up to the end of the data. The size that trace-cmd gives for the
 * chunks of a CPU leaves out the number in front of them; it finds the end by
 * that number alone. Other writers count it.
 */
static uint64_t stored_left(const struct page_reader *r)
{
	const struct cpu_data *data = &r->from.data;
	uint64_t end = data->stored;

	if (data->form == CPU_COUNTED && data->stored == data->promised)
		end += COUNT_LEN;
	return end - r->taken;
}

/* Reads up to @len bytes at the place reached; fewer when the file has shrunk. */
static struct err *read_stored(const struct page_reader *r, uint64_t skip, uint8_t *ret,
			       size_t len, size_t *ret_len)
{
	uint64_t off = r->from.data.off + r->taken + skip;
	size_t got = 0;

	while (got < len) {
		int fd = r->from.data.fd >= 0 ? r->from.data.fd : r->from.fd;
		ssize_t n = pread(fd, ret + got, len - got, (off_t)(off + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "read at byte %" PRIu64, off + got);
		if (!n)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return NULL;
}

/* Memory whose size the file chose: within the limits, but not to die for. */
static struct err *reserve(uint8_t **p, size_t *cap, size_t need)
{
	if (need <= *cap)
		return NULL;
	uint8_t *larger = realloc(*p, need);

	if (!larger)
		return err_os(ENOMEM, "%zu bytes for event data", need);
	*p = larger;
	*cap = need;
	return NULL;
}

/* Nothing after this can be read; returns what was lost. */
static uint64_t end_here(struct page_reader *r)
{
	uint64_t promised = r->from.data.promised;
	uint64_t lost = promised > r->taken ? promised - r->taken : 0;

	r->taken = r->from.data.stored;
	r->ended = true;
	return lost;
}

static struct err *next_block(struct page_reader *r, uint64_t *damaged)
{
	uint32_t size = r->from.subbuf_size;
	uint64_t left = stored_left(r);
	size_t want = r->piece;
	size_t got;

	if (want > left)
		want = left - left % size;
	TRY(reserve(&r->buf, &r->cap, want));
	TRY(read_stored(r, 0, r->buf, want, &got));
	r->pos = 0;
	r->len = got - got % size;
	r->taken += r->len;
	if (!r->len)
		*damaged += end_here(r);
	return NULL;
}

/* Sub-buffers begin at multiples of their size in the inflated data. */
static void find_boundary(struct page_reader *r, uint64_t *damaged)
{
	uint32_t size = r->from.subbuf_size;
	uint64_t start = r->inflated - (r->len - r->pos);
	uint64_t skip = (size - start % size) % size;

	if (skip > r->len - r->pos)
		skip = r->len - r->pos;
	r->pos += skip;
	*damaged += skip;
}

/* A chunk is lost, and with it the beginning of a sub-buffer in front of it. */
static void drop_chunk(struct page_reader *r, uint32_t promised, uint64_t *damaged)
{
	*damaged += (uint64_t)promised + (r->len - r->pos);
	r->pos = r->len = 0;
	/*
	 * Where no chunk so far ended within a sub-buffer, the next one begins
	 * with one, whatever size a broken header claims.
	 */
	r->inflated = r->straddles ? r->inflated + promised : 0;
}

static struct err *inflate_chunk(struct page_reader *r, struct span frame, uint32_t promised,
				 uint64_t *damaged)
{
	size_t carry = r->len - r->pos;

	if (carry)
		memmove(r->buf, r->buf + r->pos, carry);
	r->pos = 0;
	r->len = carry;
	TRY(reserve(&r->buf, &r->cap, carry + promised));
	if (!r->zstd)
		r->zstd = ZSTD_createDCtx();
	if (!r->zstd)
		return err_os(ENOMEM, "zstd");

	auto_err struct err *bad = inflate_exactly(r->zstd, frame, r->buf + carry, promised);

	if (bad) {
		drop_chunk(r, promised, damaged);
		return NULL;
	}
	r->len += promised;
	r->inflated += promised;
	find_boundary(r, damaged);
	r->straddles |= r->inflated % r->from.subbuf_size != 0;
	return NULL;
}

struct err *page_reader_refresh(struct page_reader *r)
{
	struct stat st;

	if (fstat(r->from.data.fd, &st))
		return err_os(errno, "%s: cpu %" PRIu32, r->from.path, r->from.data.cpu);
	uint64_t size = (uint64_t)st.st_size;

	size -= size % r->from.subbuf_size;
	if (size >= r->taken)
		r->from.data.stored = r->from.data.promised = size;
	r->ended = false;
	return NULL;
}

static struct err *start_chunks(struct page_reader *r, uint64_t *damaged)
{
	uint8_t raw[COUNT_LEN];
	size_t got = 0;

	r->started = true;
	if (r->from.data.form == CPU_CHUNKS) {
		r->chunks_left = UINT32_MAX;
		return NULL;
	}
	if (stored_left(r) >= sizeof(raw))
		TRY(read_stored(r, 0, raw, sizeof(raw), &got));

	struct bytes b = bytes_of(raw, got, r->from.swap);

	if (!bytes_u32(&b, &r->chunks_left))
		*damaged += end_here(r);
	else
		r->taken += sizeof(raw);
	return NULL;
}

static struct err *next_chunk(struct page_reader *r, uint64_t *damaged)
{
	if (!r->started)
		return start_chunks(r, damaged);

	uint64_t left = stored_left(r);
	uint8_t raw[CHUNK_HEADER_LEN];
	size_t got = 0;

	if (r->chunks_left && left >= sizeof(raw))
		TRY(read_stored(r, 0, raw, sizeof(raw), &got));

	struct bytes b = bytes_of(raw, got, r->from.swap);
	uint32_t size, promised;

	if (!bytes_u32(&b, &size) || !bytes_u32(&b, &promised)) {
		/* Chunks that the count promises and nothing is left of. */
		if (r->from.data.form == CPU_COUNTED && r->chunks_left &&
		    r->taken >= r->from.data.promised)
			*damaged += (uint64_t)r->chunks_left * CHUNK_HEADER_LEN;
		*damaged += end_here(r);
		return NULL;
	}
	/* What was lost with the power reads as zeroes. */
	if (r->from.data.form == CPU_CHUNKS && !size) {
		*damaged += end_here(r);
		return NULL;
	}
	left -= sizeof(raw);
	if (size > left) {
		*damaged += promised;
		r->taken = r->from.data.stored; /* what is there was the chunk */
		*damaged += end_here(r);
		return NULL;
	}
	if (r->from.data.form == CPU_COUNTED)
		r->chunks_left--;
	if (promised > CHUNK_MAX || size > ZSTD_compressBound(CHUNK_MAX)) {
		drop_chunk(r, promised, damaged);
		r->taken += sizeof(raw) + size;
		return NULL;
	}
	TRY(reserve(&r->frame, &r->frame_cap, size));
	TRY(read_stored(r, sizeof(raw), r->frame, size, &got));
	r->taken += sizeof(raw) + size;

	struct span frame = { r->frame, got };

	if (!inflate_may_hold(frame, promised)) {
		drop_chunk(r, promised, damaged);
		return NULL;
	}
	return inflate_chunk(r, frame, promised, damaged);
}

/* On to what the CPU did later; what is left in the buffer is no sub-buffer. */
static bool next_data(struct page_reader *r, uint64_t *damaged)
{
	if (!r->from.data.next)
		return false;
	*damaged += r->len - r->pos;
	r->pos = r->len = 0;
	r->before = page_reader_bytes(r);
	r->from.data = *r->from.data.next;
	r->taken = r->inflated = 0;
	r->ended = r->started = r->straddles = false;
	return true;
}

struct err *page_reader_next(struct page_reader *r, struct span *ret, uint64_t *ret_damaged)
{
	uint64_t damaged = 0;

	while (r->len - r->pos < r->from.subbuf_size) {
		if (r->ended && next_data(r, &damaged))
			continue;
		if (r->ended) {
			damaged += r->len - r->pos;
			r->pos = r->len;
			*ret = (struct span){};
			*ret_damaged = damaged;
			return NULL;
		}
		TRY(err_wrap(r->from.data.form == CPU_PLAIN ? next_block(r, &damaged)
							    : next_chunk(r, &damaged),
			     "%s: cpu %" PRIu32, r->from.path, r->from.data.cpu));
	}
	*ret = (struct span){ r->buf + r->pos, r->from.subbuf_size };
	*ret_damaged = damaged;
	r->pos += r->from.subbuf_size;
	return NULL;
}
