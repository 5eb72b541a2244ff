// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer entry: any bytes as one sub-buffer, in either byte order. */
#include <stdlib.h>

#include "decode/subbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subbuf_layout layout = { .commit_off = 8, .commit_size = 8, .data_off = 16 };
	struct subbuf_event ev;
	struct subbuf sub;
	size_t walked = 0;

	if (!size)
		return 0;
	layout.swap = data[0] & 1;
	if (data[0] & 2) {
		layout.commit_size = 4;
		layout.data_off = 12;
	}
	if (!subbuf_init(&sub, &layout, (struct span){ data + 1, size - 1 }))
		return 0;
	while (subbuf_next(&sub, &ev, layout.swap)) {
		/* Rule (1), and that the walk moves on. */
		if (ev.data < data + 1 || ev.len > (size_t)(sub.end - ev.data))
			abort();
		for (uint32_t i = 0; i < ev.len; i++)
			walked += ev.data[i] & 1;
		if (sub.pos != ev.data + ev.len)
			abort();
	}
	if (subbuf_refused_bytes(&sub) > size || walked > size)
		abort();
	return 0;
}
