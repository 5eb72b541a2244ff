// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer entry: any text as the format of an event with gfp flags. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/gfp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t flags[] = { 0, 1, 0xcc0, 0x100dca, UINT32_MAX };
	CLEANUP(gfp_cleanup) struct gfp *gfp = gfp_of_format((struct span){ data, size });
	uint64_t mask;
	const char *name;

	for (size_t i = 0; gfp_name(gfp, i, &mask, &name); i++)
		if (!mask || !*name || strpbrk(name, "| \n\""))
			abort();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		auto_free char *text = gfp_text(gfp, flags[i]);

		/* Something is said of every bit. */
		if (!*text || (flags[i] && !strcmp(text, "0")))
			abort();
	}
	return 0;
}
