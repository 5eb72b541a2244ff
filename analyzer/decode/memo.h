/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/memo.h - the ids of names that one CPU had lately, by their bytes
 *
 * In:     the bytes of a name as they stand in a page, 8 more in front of them
 * Out:    its id in a table of names (decode/names.h), which threads share and lock
 * Rules:  (1) a name ends at its first NUL, or at MEMO_MAX_NAME
 *         (2) memory is one table of slots; long names have none
 */
#ifndef DECODE_MEMO_H
#define DECODE_MEMO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/event.h"
#include "decode/names.h"
#include "decode/subbuf.h"

enum {
	MEMO_MAX_NAME = 255, /* bytes of a name; longer ones are cut */
	MEMO_LEN = 44,	     /* of a name that has a slot */
	MEMO_BITS = 8,
};

struct memo_slot {
	uint64_t head, tail; /* the bytes at both ends, see memo_ends() */
	char text[MEMO_LEN];
	uint16_t len;
	uint16_t id;
};

struct memo {
	struct names *names; /* borrowed */
	uint16_t most;	     /* no id that was handed out is above it */
	struct memo_slot slot[1 << MEMO_BITS];
};

/*
 * The first and the last 8 bytes; all of a text of at most 16. Lengths, which no
 * branch can foretell, take no branch.
 */
static inline void memo_ends(const char *text, size_t len, uint64_t *head, uint64_t *tail)
{
	size_t before = len < 8 ? 8 - len : 0;
	unsigned int foreign = (unsigned int)before * 8;

	memcpy(head, text - before, 8);
	memcpy(tail, text + len - 8, 8);
	if (SUBBUF_HOST_BIG) {
		*head <<= foreign;
		*tail <<= foreign;
	} else {
		*head >>= foreign;
		*tail >>= foreign;
	}
}

static inline size_t memo_slot_of(uint64_t head, uint64_t tail, size_t len)
{
	return (size_t)((head ^ tail << 7 ^ len) * UINT64_C(0x9e3779b97f4a7c15) >>
			(64 - MEMO_BITS));
}

/* The id of a name that the memo does not have. */
uint16_t memo_learn(struct memo *memo, const char *text, size_t len);

/* The name of @len raw bytes of a page, its NUL among them. */
static inline uint16_t memo_id(struct memo *memo, const char *text, size_t len)
{
	uint64_t head, tail;

	if (len - 1 >= MEMO_LEN)
		return len ? memo_learn(memo, text, len) : EVENT_CACHE_NONE;
	memo_ends(text, len, &head, &tail);

	const struct memo_slot *slot = &memo->slot[memo_slot_of(head, tail, len)];

	if (slot->len == len && slot->head == head && slot->tail == tail &&
	    (len <= 16 || !memcmp(slot->text, text, len)))
		return slot->id;
	return memo_learn(memo, text, len);
}

#endif
