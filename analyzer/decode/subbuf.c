// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/subbuf.h"

#include <stdio.h>

/* The commit word of a page that was read: flags above the length. */
#define COMMIT_LOST   (1u << 31) /* events were lost in front of this page */
#define COMMIT_STORED (1u << 30) /* their number follows the data */

/* An absolute stamp holds 59 bits; the rest comes from the running time. */
#define STAMP_BITS 59
#define STAMP_HIGH (~UINT64_C(0) << STAMP_BITS)

const char *subbuf_fault_text(enum subbuf_fault fault)
{
	switch (fault) {
	case SUBBUF_OK:
		return "no fault";
	case SUBBUF_SHORT:
		return "the page is shorter than its header";
	case SUBBUF_COMMIT:
		return "the commit mark lies outside of the page";
	case SUBBUF_CUT:
		return "the header of an event passes the commit mark";
	case SUBBUF_PASSES:
		return "an event passes the commit mark";
	case SUBBUF_LENGTH:
		return "an event has an impossible length";
	case NR_SUBBUF_FAULTS:
		break;
	}
	return "unknown fault";
}

struct header_field {
	const char *name;
	unsigned int off, size;
	bool found;
};

/* One line: "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;" */
static void parse_header_line(struct span line, struct header_field *field, size_t nr)
{
	char text[160], type[64], name[64];
	unsigned int off, size;

	if (line.len >= sizeof(text))
		return;
	memcpy(text, line.data, line.len);
	text[line.len] = '\0';
	if (sscanf(text, " field: %63s %63[^;]; offset:%u; size:%u;", type, name, &off,
		   &size) != 4)
		return;
	for (size_t i = 0; i < nr; i++) {
		if (field[i].found || strcmp(name, field[i].name))
			continue;
		field[i].off = off;
		field[i].size = size;
		field[i].found = true;
	}
}

struct err *subbuf_layout_parse(struct span header_page, bool swap, struct subbuf_layout *ret)
{
	struct header_field field[] = { { .name = "timestamp" },
					{ .name = "commit" },
					{ .name = "data" } };
	const struct header_field *stamp = &field[0], *commit = &field[1], *data = &field[2];
	struct span line;

	while (span_line(&header_page, &line))
		parse_header_line(line, field, 3);
	for (size_t i = 0; i < 3; i++) {
		if (!field[i].found)
			return err_new(ERR_FORMAT, "header_page: no field %s", field[i].name);
	}
	if (stamp->off || stamp->size != 8)
		return err_new(ERR_UNSUPPORTED,
			       "header_page: timestamp of %u bytes at %u, not 8 at 0",
			       stamp->size, stamp->off);
	if (commit->off != 8 || (commit->size != 4 && commit->size != 8))
		return err_new(ERR_UNSUPPORTED,
			       "header_page: commit of %u bytes at %u, not 4 or 8 at 8",
			       commit->size, commit->off);
	if (data->off < commit->off + commit->size || data->off > 64)
		return err_new(ERR_FORMAT, "header_page: data at %u", data->off);
	*ret = (struct subbuf_layout){ .commit_off = commit->off,
				       .commit_size = commit->size,
				       .data_off = data->off,
				       .swap = swap };
	return NULL;
}

/* A long of the writer: 4 or 8 bytes. */
static bool read_long(struct bytes *b, uint32_t size, uint64_t *ret)
{
	uint32_t v;

	if (size == 8)
		return bytes_u64(b, ret);
	if (!bytes_u32(b, &v))
		return false;
	*ret = v;
	return true;
}

/*
 * Events lost in front of the page. The kernel stores their number after the
 * data only where the page has room for it.
 */
static uint64_t read_lost(struct bytes *b, const struct subbuf_layout *layout, uint32_t commit,
			  uint32_t len)
{
	uint64_t lost = 0;

	if (!(commit & COMMIT_LOST))
		return 0;
	if (!(commit & COMMIT_STORED) || !bytes_seek(b, (uint64_t)layout->data_off + len) ||
	    !read_long(b, layout->commit_size, &lost) || !lost)
		return SUBBUF_LOST_UNKNOWN;
	return lost;
}

bool subbuf_init(struct subbuf *sub, const struct subbuf_layout *layout, struct span page)
{
	struct bytes b = bytes_of(page.data, page.len, layout->swap);
	uint64_t base, commit;

	*sub = (struct subbuf){ .pos = page.data,
				.end = page.data + page.len,
				.page_end = page.data + page.len };
	if (!bytes_u64(&b, &base) || !bytes_seek(&b, layout->commit_off) ||
	    !read_long(&b, layout->commit_size, &commit) || !bytes_seek(&b, layout->data_off)) {
		sub->fault = SUBBUF_SHORT;
		return false;
	}

	/* The kernel adds the flags as a negative int, so that the upper half of
	 * a flagged 8-byte commit is all ones. */
	uint32_t high = (uint32_t)(commit >> 32);
	uint32_t flags = (uint32_t)commit & (COMMIT_LOST | COMMIT_STORED);
	uint32_t len = (uint32_t)commit & ~(COMMIT_LOST | COMMIT_STORED);

	if (len > bytes_left(&b) || (high && high != UINT32_MAX)) {
		sub->fault = SUBBUF_COMMIT;
		return false;
	}
	sub->pos = b.pos;
	sub->end = b.pos + len;
	sub->ts = base;
	sub->base_ts = base;
	sub->lost = read_lost(&b, layout, flags, len);
	return true;
}

size_t subbuf_refused_bytes(const struct subbuf *sub)
{
	return sub->fault == SUBBUF_OK ? 0 : (size_t)(sub->end - sub->pos);
}

static bool refuse(struct subbuf *sub, enum subbuf_fault fault)
{
	sub->fault = fault;
	return false;
}

static uint64_t stamp(uint64_t low, uint64_t running)
{
	uint64_t high = running & STAMP_HIGH;

	/* Only where the running time needs the upper bits can the stamp have
	 * carried into them since. */
	if (high && (low | high) < running)
		low += UINT64_C(1) << STAMP_BITS;
	return low + high;
}

/* What the common path leaves; returns false when the page ends. */
bool subbuf_next_odd(struct subbuf *sub, struct subbuf_event *ret, bool swap)
{
	bool big = swap != SUBBUF_HOST_BIG;

	if (sub->fault != SUBBUF_OK)
		return false;
	for (;;) {
		size_t left = (size_t)(sub->end - sub->pos);

		if (!left)
			return false;
		if (left < 4)
			return refuse(sub, SUBBUF_CUT);

		uint32_t word = subbuf_u32(sub->pos, swap);
		uint32_t type_len = big ? word >> SUBBUF_DELTA_BITS : word & 31;
		uint32_t delta = big ? word & ((1u << SUBBUF_DELTA_BITS) - 1) : word >> 5;

		if (type_len && type_len <= SUBBUF_DATA_MAX) {
			uint32_t len = type_len * 4;

			if (len > left - 4)
				return refuse(sub, SUBBUF_PASSES);
			sub->ts += delta;
			*ret = (struct subbuf_event){ sub->ts, sub->pos + 4, len };
			sub->pos += 4 + len;
			return true;
		}
		if (type_len == SUBBUF_PADDING && !delta) {
			sub->pos = sub->end; /* the rest was never used */
			return false;
		}
		if (left < 8)
			return refuse(sub, SUBBUF_CUT);

		uint32_t word2 = subbuf_u32(sub->pos + 4, swap);

		if (type_len == SUBBUF_TIME_EXTEND) {
			sub->ts += ((uint64_t)word2 << SUBBUF_DELTA_BITS) + delta;
			sub->pos += 8;
			continue;
		}
		if (type_len == SUBBUF_TIME_STAMP) {
			sub->ts =
				stamp(((uint64_t)word2 << SUBBUF_DELTA_BITS) + delta, sub->ts);
			sub->pos += 8;
			continue;
		}

		/* Length in the second word, which it counts; whole words. */
		if (word2 < 4 || word2 % 4)
			return refuse(sub, SUBBUF_LENGTH);
		if (word2 > left - 4)
			return refuse(sub, SUBBUF_PASSES);
		if (type_len == SUBBUF_PADDING) {
			/* Discarded in place. The kernel makes a delta of 0 a 1
			 * here, to tell it from the end of the page. */
			if (delta != 1)
				sub->ts += delta;
			sub->pos += 4 + word2;
			continue;
		}
		sub->ts += delta;
		*ret = (struct subbuf_event){ sub->ts, sub->pos + 8, word2 - 4 };
		sub->pos += 4 + word2;
		return true;
	}
}
