// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ringpage.h"

#include <string.h>

enum {
	DATA = 16, /* behind the time and the commit */
	DELTA_BITS = 27,
	TIME_EXTEND = 30,
	TIME_STAMP = 31,
	SMALL_MAX = 112, /* of an event whose length fits its head */
};

const char ringpage_header[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
			       "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
			       "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
			       "\tfield: char data;\toffset:16;\tsize:16368;\tsigned:0;\n";

void ringpage_begin(struct ringpage *page, uint64_t ts, uint64_t lost)
{
	page->ts = ts;
	page->lost = lost;
	page->len = 0;
	memset(page->data, 0, sizeof(page->data));
	memcpy(page->data, &ts, sizeof(ts));
}

static void put(struct ringpage *page, uint32_t word)
{
	memcpy(page->data + DATA + page->len, &word, sizeof(word));
	page->len += sizeof(word);
}

/* The head is a bit field, whose first member is at the end where bytes begin. */
static void put_head(struct ringpage *page, unsigned int type_len, uint32_t delta)
{
	put(page, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? type_len << DELTA_BITS | delta
							 : delta << 5 | type_len);
}

static void put_time(struct ringpage *page, unsigned int type, uint64_t v)
{
	put_head(page, type, (uint32_t)(v & ((1u << DELTA_BITS) - 1)));
	put(page, (uint32_t)(v >> DELTA_BITS));
}

bool ringpage_add(struct ringpage *page, uint64_t ts, const void *event, size_t len)
{
	size_t words = (len + 3) / 4, room = RINGPAGE_SIZE - DATA - 8 - page->len;
	uint64_t delta = ts - page->ts;
	bool back = ts < page->ts, far = !back && delta >> DELTA_BITS;
	bool in_array = !words || words * 4 > SMALL_MAX;

	/* 8 bytes are kept for the number of lost events. */
	if (room < words * 4 + 4 + (in_array ? 4 : 0) + (back || far ? 8 : 0))
		return false;
	if (back)
		put_time(page, TIME_STAMP, ts);
	else if (far)
		put_time(page, TIME_EXTEND, delta);
	put_head(page, in_array ? 0 : (unsigned int)words, back || far ? 0 : (uint32_t)delta);
	if (in_array)
		put(page, (uint32_t)words * 4 + 4);
	memcpy(page->data + DATA + page->len, event, len);
	page->len += words * 4;
	page->ts = ts;
	return true;
}

void ringpage_end(struct ringpage *page)
{
	uint64_t commit = page->len;

	/* The upper two bits of 32, as a negative int is added to them. */
	if (page->lost) {
		commit |= UINT64_C(0xffffffffc0000000);
		memcpy(page->data + DATA + page->len, &page->lost, sizeof(page->lost));
	}
	memcpy(page->data + 8, &commit, sizeof(commit));
}
