// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel of another machine: its addresses, calls and jumps, read on this one. */
#include <stdio.h>

#include "base/xalloc.h"
#include "resolve/debuginfo.h"
#include "resolve/resolver.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

#define SLIDE UINT64_C(0x0000400000000000)

/* One line each: the tests name them. */
static const char source[] =
	"#define noinline __attribute__((noinline))\n"
	"char pool[64];\n"
	"volatile int sink;\n"
	"noinline void *__kmalloc_noprof(unsigned long n)\n"
	"{ sink++; return pool + n; }\n"
	"static inline __attribute__((always_inline)) void *helper(int n)\n"
	"{ return __kmalloc_noprof(n + 1); }\n"
	"static noinline void *jumps(int n)\n"
	"{ return __kmalloc_noprof(n + sink); }\n"
	"noinline void *do_inlined(void)\n"
	"{ void *p = helper(1); sink++; return p; }\n"
	"noinline void *do_jumps(void)\n"
	"{ void *p = jumps(1); sink++; return p; }\n"
	"void _start(void) { do_inlined(); do_jumps(); sink++; }\n";

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

/* Path of the kernel, and its symbols as the kernel of a recording has them. */
static char *build(const char *flags, char **ret_kallsyms)
{
	char *path = xasprintf("%s/vmlinux", test_dir());
	auto_free char *src = xasprintf("%s/init", test_dir());

	free(fakekernel_run("mkdir %s", src));
	auto_free char *name = xasprintf("%s/main.c", src);
	FILE *f = fopen(name, "w");

	CHECK(f && fputs(source, f) >= 0 && !fclose(f));
	auto_free char *command = xasprintf(
		"cd %s && clang --target=aarch64-linux-gnu -O2 -g %s -ffreestanding -nostdlib -static "
		"-fuse-ld=lld -Wl,--defsym=_stext=_start -Wl,--defsym=_text=_start "
		"-Wl,--build-id=0x0123456789abcdef init/main.c -o vmlinux 2>/dev/null",
		test_dir(), flags);

	if (system(command))
		test_skip("no clang that builds for arm64, or no ld.lld");
	auto_free char *nm = fakekernel_run("nm %s", path);
	size_t len;
	char *out = NULL;
	char *save;

	f = open_memstream(&out, &len);
	for (char *line = strtok_r(nm, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *rest;
		uint64_t addr = strtoull(line, &rest, 16);

		if (rest != line)
			fprintf(f, "%016" PRIx64 "%s\n", addr + SLIDE, rest);
	}
	fclose(f);
	*ret_kallsyms = out;
	return path;
}

/* The address that the only call in function @name returns to. */
static uint64_t call_in(struct debuginfo *di, const char *name)
{
	struct debuginfo_symbol sym;
	uint64_t target;
	bool tail;

	for (size_t i = 0; debuginfo_next_symbol(di, &i, &sym);) {
		if (strcmp(sym.name, name))
			continue;
		/* bl is the only branch with a link in these functions. */
		for (uint64_t pc = sym.value + 4; pc < sym.value + 128; pc += 4)
			if (debuginfo_branch_at(di, pc, &target, &tail) && !tail)
				return pc;
	}
	test_fail(__FILE__, __LINE__, "no call in %s", name);
}

static uint64_t value_of(struct debuginfo *di, const char *name)
{
	struct debuginfo_symbol sym;

	for (size_t i = 0; debuginfo_next_symbol(di, &i, &sym);)
		if (!strcmp(sym.name, name))
			return sym.value;
	test_fail(__FILE__, __LINE__, "no symbol %s", name);
}

TEST(a_branch_with_link_of_arm64_is_a_call_and_one_without_a_jump)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	char *kallsyms;
	auto_free char *path = build("", &kallsyms);
	uint64_t target, jump = 0;
	bool tail;

	CHECK_OK(debuginfo_open(path, NULL, pool, &di));
	CHECK(debuginfo_branch_at(di, call_in(di, "do_inlined"), &target, &tail));
	CHECK_EQ(target, value_of(di, "__kmalloc_noprof"));
	CHECK(!tail);
	/* In the function that do_jumps() calls. */
	CHECK(debuginfo_branch_at(di, call_in(di, "do_jumps"), &jump, &tail));
	for (uint64_t pc = jump + 4; pc < jump + 64; pc += 4)
		if (debuginfo_branch_at(di, pc, &target, &tail))
			break;
	CHECK_EQ(target, value_of(di, "__kmalloc_noprof"));
	CHECK(tail);
	/* Not between instructions. */
	CHECK(!debuginfo_branch_at(di, call_in(di, "do_jumps") + 2, &target, &tail));
	free(kallsyms);
}

static void check_sites(const char *flags)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	char *kallsyms;
	auto_free char *path = build(flags, &kallsyms);
	struct resolver_opts opts = {
		.kallsyms = text(kallsyms),
		.build_ids = text("vmlinux 0123456789abcdef\n"),
		.release = "6.12.1",
		.vmlinux = path,
	};
	struct callsite c;

	CHECK_OK(debuginfo_open(path, NULL, pool, &di));
	CHECK_OK(resolver_open(&opts, &r));
	uint64_t addr = call_in(di, "do_inlined") + SLIDE;

	resolver_site(r, &addr, 1, &c);
	CHECK_STR(c.primary.func, "helper");
	CHECK_STR(c.primary.file, "init/main.c");
	CHECK_EQ(c.primary.line, 7);
	CHECK_STR(c.frame[c.nr_frames - 1].func, "do_inlined");
	CHECK_EQ(c.frame[c.nr_frames - 1].line, 11);

	addr = call_in(di, "do_jumps") + SLIDE;
	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.attributed_by, ATTRIBUTED_CALLEE);
	CHECK_STR(c.primary.func, "jumps");
	CHECK_EQ(c.primary.line, 9);
	free(kallsyms);
}

TEST(a_recording_of_arm64_is_resolved_by_what_its_debug_information_says_of_calls)
{
	check_sites("");
}

TEST(a_recording_of_arm64_is_resolved_by_its_code_where_that_says_nothing)
{
	check_sites("-gdwarf-4 -gstrict-dwarf");
}
