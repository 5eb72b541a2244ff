// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as /proc/kallsyms: what it takes it finds again. */
#include "resolve/kallsyms.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = NULL;
	auto_err struct err *err = kallsyms_parse((struct span){ data, size }, &k);
	size_t nr;

	if (err)
		return 0;
	const struct ksym *sym = kallsyms_symbols(k, &nr);

	for (size_t i = 0; i < nr && i < 1000; i++) {
		uint64_t len;
		const struct ksym *at = kallsyms_at(k, sym[i].addr, &len);
		const struct ksym *named = kallsyms_find(k, sym[i].name, 0);

		assert(!i || sym[i - 1].addr <= sym[i].addr);
		assert(!sym[i].addr || at->addr == sym[i].addr);
		assert(!strcmp(named->name, sym[i].name));
	}
	return 0;
}
