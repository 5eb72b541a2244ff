// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the module list, the section list and the build-ids at once, and as rules. */
#include "resolve/module.h"

#include <assert.h>

#include "resolve/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { data, size }, line, rest = text;
	CLEANUP(modules_cleanup) struct modules *m = modules_parse(text, text, text);
	CLEANUP(rules_cleanup) struct rules *rules = NULL;

	for (int i = 0; i < 100 && span_line(&rest, &line); i++) {
		uint64_t addr = 0;

		memcpy(&addr, line.data, line.len < 8 ? line.len : 8);
		const struct module *module = modules_at(m, addr);

		/* Several may have that name: one that went, and came back elsewhere. */
		assert(!module || modules_find(m, module->name)->name == module->name);
		assert(!module || modules_find_at(m, module->name, addr)->name == module->name);
	}
	err_free(rules_parse(text, 6, 12, &rules));
	if (rules)
		rules_of(rules, "__kmalloc_noprof.constprop.0");
	return 0;
}
