// SPDX-License-Identifier: GPL-2.0-or-later
/* Inline chains against those of eu-addr2line, which finds them in another way. */
#include "resolve/debuginfo.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "tests/lib/addr2line.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

/* Writes the addresses of up to @max calls, every @step-th, to @path. */
static size_t pick_sites(struct debuginfo *di, const char *path, size_t step, size_t max)
{
	auto_file FILE *f = fopen(path, "w");
	struct debuginfo_symbol sym;
	struct debuginfo_call call;
	size_t n = 0, nr = 0;

	CHECK(f);
	for (size_t s = 0; nr < max && debuginfo_next_symbol(di, &s, &sym);)
		for (size_t i = 0; nr < max && debuginfo_call_in(di, sym.value, &i, &call);)
			if (n++ % step == 0) {
				fprintf(f, "%#" PRIx64 "\n", call.ret_pc - 1);
				nr++;
			}
	return nr;
}

/* @theirs: the file that eu-addr2line reads, where it cannot read @path. */
static void compare_files(const char *path, const char *theirs, size_t step, size_t max,
			  size_t min)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	auto_free char *sites = xasprintf("%s/sites", test_dir());
	struct addr2line found;

	if (!addr2line_exists())
		test_skip("no eu-addr2line");
	CHECK_OK(debuginfo_open(path, NULL, pool, &di));
	size_t nr = pick_sites(di, sites, step, max);

	CHECK(nr >= min);
	CHECK(addr2line_compare(di, theirs, sites, &found));
	printf("# of %zu chains %zu are the same, %zu longer\n", nr, found.same, found.longer);
	CHECK_EQ(found.same + found.longer + found.other, nr);
	CHECK_EQ(found.other, 0);
	/*
	 * Where the ranges of an inlined function stick out of its caller's,
	 * eu-addr2line (0.188) loses frames that GNU addr2line prints: 2 of 2,500
	 * in a kernel.
	 */
	CHECK(found.longer * 250 <= nr);
}

static void compare_file(const char *path, size_t step, size_t max, size_t min)
{
	compare_files(path, path, step, max, min);
}

/* Built by @cc with @cflags; then @command makes other.elf of vmlinux, or of itself. */
static void compare_build(const char *cc, const char *cflags, const char *command)
{
	struct fakekernel k = {};

	fakekernel_build_by(&k, cc, cflags);
	auto_free char *other = xasprintf("%s/other.elf", test_dir());

	if (command) {
		auto_free char *line = xasprintf("cd %s && %s", test_dir(), command);

		if (system(line))
			test_skip("%s", command);
	}
	compare_files(command ? other : k.vmlinux, k.vmlinux, 1, 1000, 15);
	free(k.kallsyms);
}

TEST(chains_of_a_small_program_are_those_of_addr2line)
{
	struct fakekernel k = {};

	fakekernel_build(&k, "");
	compare_file(k.vmlinux, 1, 1000, 15);
	free(k.kallsyms);
}

TEST(chains_of_a_program_of_dwarf_4_are_those_of_addr2line)
{
	struct fakekernel k = {};

	fakekernel_build(&k, "-gdwarf-4");
	compare_file(k.vmlinux, 1, 1000, 15);
	free(k.kallsyms);
}

TEST(chains_of_a_program_by_clang_are_those_of_addr2line)
{
	compare_build("clang", "-gdwarf-aranges", NULL);
}

TEST(chains_of_a_program_by_clang_with_dwarf_4_are_those_of_addr2line)
{
	compare_build("clang", "-gdwarf-4 -gdwarf-aranges", NULL);
}

TEST(chains_of_sections_packed_by_zlib_are_those_of_addr2line)
{
	compare_build("cc", "-gz=zlib", NULL);
}

TEST(chains_of_sections_packed_by_zlib_with_dwarf_4_are_those_of_addr2line)
{
	compare_build("cc", "-gz=zlib -gdwarf-4", NULL);
}

TEST(chains_of_sections_of_the_older_packed_kind_are_those_of_addr2line)
{
	compare_build(
		"cc", "",
		"objcopy --compress-debug-sections=zlib-gnu vmlinux other.elf 2>/dev/null");
}

TEST(chains_of_sections_packed_by_zstd_are_those_of_addr2line)
{
	compare_build("cc", "",
		      "objcopy --compress-debug-sections=zstd vmlinux other.elf 2>/dev/null");
}

TEST(chains_of_a_file_packed_by_xz_are_those_of_addr2line)
{
	compare_build("cc", "", "xz -k -c vmlinux >other.elf");
}

TEST(chains_of_a_file_packed_by_zstd_are_those_of_addr2line)
{
	compare_build("cc", "", "zstd -q -c vmlinux >other.elf");
}

/* Of the whole program: eu-addr2line leaves out what is inlined in a split one. */
#define SPLIT(cc, flags)                                                                    \
	cc " " FAKEKERNEL_FLAGS " " flags " -gsplit-dwarf -o other.elf " FAKEKERNEL_SOURCES \
	   " 2>/dev/null"

TEST(chains_of_split_units_are_those_of_addr2line)
{
	compare_build("cc", "", SPLIT("cc", ""));
}

TEST(chains_of_split_units_of_dwarf_4_are_those_of_addr2line)
{
	compare_build("cc", "-gdwarf-4", SPLIT("cc", "-gdwarf-4"));
}

TEST(chains_of_split_units_by_clang_are_those_of_addr2line)
{
	compare_build("clang", "-gdwarf-aranges", SPLIT("clang", ""));
}

TEST(chains_without_aranges_are_those_of_addr2line)
{
	compare_build("cc", "", "objcopy -R .debug_aranges vmlinux other.elf");
}

TEST(chains_without_aranges_with_dwarf_4_are_those_of_addr2line)
{
	compare_build("cc", "-gdwarf-4", "objcopy -R .debug_aranges vmlinux other.elf");
}

TEST(chains_of_units_in_64_bit_dwarf_are_those_of_addr2line)
{
	compare_build("cc", "-gdwarf64", NULL);
}

TEST(chains_of_what_dwz_moved_to_another_file_are_those_of_addr2line)
{
	compare_build(
		"cc", "-gdwarf-4",
		"cp vmlinux other.elf && dwz -m alt.dbg other.elf vmlinux 2>/dev/null && test -e alt.dbg");
}

TEST(chains_of_what_dwz_moved_to_another_file_with_dwarf_5_are_those_of_addr2line)
{
	compare_build(
		"cc", "-gdwarf-5",
		"cp vmlinux other.elf && dwz -m alt.dbg other.elf vmlinux 2>/dev/null && test -e alt.dbg");
}

TEST(chains_of_what_dwz_shares_within_a_file_are_those_of_addr2line)
{
	compare_build("cc", "", "dwz -o other.elf vmlinux 2>/dev/null");
}

TEST(chains_of_a_kernel_are_those_of_addr2line)
{
	const char *kit = getenv("TRUTH_KIT");
	struct stat st;

	if (!kit)
		test_skip("TRUTH_KIT names no folder with a kernel's debug information");
	auto_free char *plain = xasprintf("%s/vmlinux.debug", kit);

	if (stat(plain, &st)) {
		free(plain);
		plain = xasprintf("%s/vmlinux.debug", test_dir());
		free(fakekernel_run("xz -dc %s/vmlinux.debug.xz >%s", kit, plain));
	}
	compare_file(plain, 29, 2500, 500);
}
