// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer entry: any text as an event format, and as header_page. */
#include <stdlib.h>

#include "decode/format.h"
#include "decode/subbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libtraceevent loses some bytes of a text that does not parse. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libtraceevent\n";
}

static void check(const struct format_record *r)
{
	/* Rule (3): what is loaded lies where the caller has compared. */
	for (size_t i = 0; i < NR_FORMAT_SLOTS; i++) {
		if (r->load[i].off + r->load[i].size > r->min_len ||
		    r->load[i].off + 8u > r->wide_len)
			abort();
	}
	if (r->wide_len > FORMAT_MAX_OFF + 8)
		abort();
	/* The text itself, or the word that tells where it is. */
	if (r->name_off && r->name_off + (r->name_len ? r->name_len : 4u) > r->min_len)
		abort();
	if (r->list_off + 8u * r->list_len > r->min_len || r->list_len > FORMAT_MAX_LIST ||
	    r->cache_off + r->cache_len > r->min_len)
		abort();
	if (r->use == FORMAT_STACK && r->frame_size != 4 && r->frame_size != 8)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const systems[] = { "kmem", "percpu", "vmalloc", "ftrace",
					       "allocprof_1_2" };

	for (size_t i = 0; i < 5; i++) {
		CLEANUP(format_cleanup) struct format *format = format_new(i & 1, 8);
		struct subbuf_layout layout;
		struct span text = { data, size };

		err_free(format_add(format, systems[i], text));
		for (size_t k = 1; k < format->nr; k++)
			check(&format->record[k]);
		err_free(subbuf_layout_parse(text, false, &layout));
	}
	return 0;
}
