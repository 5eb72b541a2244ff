// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Primary frames against the kernel's own list of allocating lines: whatever
 * calls the allocator in a kernel with memory allocation profiling must be
 * charged to a line of its /proc/allocinfo.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "resolve/debuginfo.h"
#include "resolve/identity.h"
#include "resolve/resolver.h"
#include "resolve/rules.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

struct kit {
	char *vmlinux;
	char *kallsyms;
	char *allocinfo;
};

static void kit_init(struct kit *k)
{
	const char *dir = getenv("TRUTH_KIT");
	struct stat st;

	if (!dir)
		test_skip("TRUTH_KIT names no folder with a kernel's debug information");
	k->vmlinux = xasprintf("%s/vmlinux.debug", dir);
	if (stat(k->vmlinux, &st)) {
		free(k->vmlinux);
		k->vmlinux = xasprintf("%s/vmlinux.debug", test_dir());
		free(fakekernel_run("xz -dc %s/vmlinux.debug.xz >%s", dir, k->vmlinux));
	}
	k->kallsyms = fakekernel_run("xz -dc %s/mixed/kallsyms.xz", dir);
	k->allocinfo = fakekernel_run("cat %s/mixed/allocinfo.after", dir);
}

static void kit_deinit(struct kit *k)
{
	free(k->vmlinux);
	free(k->kallsyms);
	free(k->allocinfo);
}

/* Does a line of /proc/allocinfo name this frame? */
static bool listed(const struct kit *k, const struct frame *frame)
{
	auto_free char *key =
		xasprintf(" %s:%u func:%s ", frame->file, frame->line, frame->func);

	return strstr(k->allocinfo, key) != NULL;
}

struct score {
	size_t calls, listed, inside, by_callee, by_callee_listed;
};

static void score_call(const struct kit *k, struct resolver *r, const struct rules *rules,
		       uint64_t addr, struct score *score)
{
	struct callsite c;

	resolver_site(r, &addr, 1, &c);
	score->calls++;
	/* An allocator that calls another is charged to neither. */
	if (rules_of(rules, c.primary.func) & RULE_DROP) {
		CHECK_EQ(c.attributed_by, ATTRIBUTED_OPAQUE);
		score->inside++;
		return;
	}
	CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
	bool ok = listed(k, &c.primary);

	score->listed += ok;
	if (c.attributed_by == ATTRIBUTED_CALLEE) {
		score->by_callee++;
		score->by_callee_listed += ok;
	}
	if (!ok)
		printf("# not listed: %s:%u func:%s\n", c.primary.file, c.primary.line,
		       c.primary.func);
}

static bool is_wrapper(const char *func)
{
	static const char *const wrappers[] = { "kstrdup",	 "kstrndup",
						"kmemdup_nul",	 "memdup_user",
						"devm_kmalloc",	 "kvasprintf",
						"kstrdup_const", "kmalloc_reserve" };

	for (size_t i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++)
		if (!strcmp(func, wrappers[i]))
			return true;
	return false;
}

TEST(calls_of_the_allocator_are_charged_to_lines_of_allocinfo)
{
	CLEANUP(kit_deinit) struct kit k = {};

	kit_init(&k);
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	CLEANUP(kallsyms_cleanup) struct kallsyms *kallsyms = NULL;
	CLEANUP(rules_cleanup) struct rules *rules = NULL;
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	struct span text = { (const uint8_t *)k.kallsyms, strlen(k.kallsyms) };
	struct resolver_opts opts = {
		.kallsyms = text,
		.release = "6.12.117",
		.vmlinux = k.vmlinux,
	};
	struct debuginfo_call call;
	struct score score = {};
	uint64_t slide;
	size_t nr;

	CHECK_OK(rules_parse(rules_builtin(), 6, 12, &rules));
	CHECK_OK(kallsyms_parse(text, &kallsyms));
	CHECK_OK(debuginfo_open(k.vmlinux, NULL, pool, &di));
	CHECK_OK(identity_check(di, kallsyms, "", &slide));
	CHECK_OK(resolver_open(&opts, &r));

	const struct ksym *sym = kallsyms_symbols(kallsyms, &nr);

	for (size_t s = 0; s < nr; s++) {
		uint64_t entry = sym[s].addr - slide;

		for (size_t i = 0; debuginfo_call_in(di, entry, &i, &call);)
			if (!call.tail && call.callee &&
			    ((rules_of(rules, call.callee) & RULE_DROP) ||
			     is_wrapper(call.callee)))
				score_call(&k, r, rules, call.ret_pc + slide, &score);
	}
	printf("# %zu calls, %zu listed, %zu inside the allocator; of %zu wrappers %zu listed\n",
	       score.calls, score.listed, score.inside, score.by_callee,
	       score.by_callee_listed);
	CHECK(score.listed + score.inside > 2000);
	CHECK((score.listed + score.inside) * 200 >= score.calls * 199);
	CHECK(score.by_callee > 200);
	CHECK_EQ(score.by_callee_listed, score.by_callee);
}
