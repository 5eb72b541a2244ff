// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/memo.h"

uint16_t memo_learn(struct memo *memo, const char *text, size_t len)
{
	size_t chars = strnlen(text, len < MEMO_MAX_NAME ? len : MEMO_MAX_NAME);
	uint16_t id = names_id(memo->names, text, chars);

	if (id > memo->most)
		memo->most = id;
	if (len > MEMO_LEN)
		return id;

	struct memo_slot fresh = { .len = (uint16_t)len, .id = id };

	memo_ends(text, len, &fresh.head, &fresh.tail);
	memcpy(fresh.text, text, len);
	memo->slot[memo_slot_of(fresh.head, fresh.tail, len)] = fresh;
	return id;
}
