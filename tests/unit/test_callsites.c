// SPDX-License-Identifier: GPL-2.0-or-later
#include "analyzer/callsites.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

static struct fakekernel kernel;

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static void build(void)
{
	fakekernel_build(&kernel, "");
}

static struct err *find(const char *list, const char *vmlinux, struct callsites *ret)
{
	return callsites_find_in(list,
				 &(struct resolver_opts){
					 .kallsyms = text(kernel.kallsyms),
					 .build_ids = text("vmlinux 0123456789abcdef\n"),
					 .release = "6.12.1-none",
					 .vmlinux = vmlinux,
				 },
				 ret);
}

/* The return address that the tracepoint of site @name recorded. */
static uint64_t address_of(const char *name)
{
	const struct fakesite *site = fakekernel_site(&kernel, name);

	CHECK_EQ(site->nr, 1);
	return site->addr[0];
}

static bool has(const struct callsites *sites, uint64_t addr)
{
	for (size_t i = 0; i < sites->nr; i++)
		if (addr > sites->range[i].low && addr <= sites->range[i].high)
			return true;
	return false;
}

static char *line_of(const char *file, const char *mark)
{
	return xasprintf("%s:%u", file, fakekernel_line(mark));
}

static void refused(const char *list, const char *vmlinux, const char *why)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};
	auto_err struct err *err = find(list, vmlinux, &sites);

	CHECK(err);
	if (!strstr(err_text(err), why))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err_text(err), why);
}

TEST(a_function_is_all_of_its_code_and_needs_symbols_only)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};

	build();
	CHECK_OK(find("do_direct", NULL, &sites));
	CHECK(has(&sites, address_of("do_direct")));
	CHECK(!has(&sites, address_of("do_inlined")));
	CHECK_OK(find("do_inlined,do_direct", NULL, &sites));
	CHECK(has(&sites, address_of("do_inlined")));
}

TEST(a_line_is_the_calls_on_it)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};

	build();
	auto_free char *direct = line_of("init/main.c", "direct");
	auto_free char *bare = line_of("main.c", "inlined");

	CHECK_OK(find(direct, kernel.vmlinux, &sites));
	CHECK(has(&sites, address_of("do_direct")));
	CHECK(!has(&sites, address_of("do_inlined")));
	for (size_t i = 0; i < sites.nr; i++)
		CHECK_EQ(sites.range[i].high - sites.range[i].low, 1);
	CHECK_OK(find(bare, kernel.vmlinux, &sites));
	CHECK(has(&sites, address_of("do_inlined")));
}

TEST(a_line_of_a_function_that_is_inlined_is_where_that_is)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};

	build();
	auto_free char *helper = line_of("init/main.c", "helper");

	CHECK_OK(find(helper, kernel.vmlinux, &sites));
	CHECK(has(&sites, address_of("do_inlined")));
	CHECK(!has(&sites, address_of("do_direct")));
}

TEST(a_line_of_a_header_is_everywhere)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};

	build();
	auto_free char *header = line_of("mm/slab.h", "kmalloc_noprof");

	CHECK_OK(find(header, kernel.vmlinux, &sites));
	CHECK(has(&sites, address_of("do_inlined")));
	CHECK(has(&sites, address_of("do_direct")));
}

TEST(a_function_without_code_of_its_own_is_found_where_it_is_inlined)
{
	CLEANUP(callsites_deinit) struct callsites sites = {};

	build();
	CHECK_OK(find("helper", kernel.vmlinux, &sites));
	CHECK(has(&sites, address_of("do_inlined")));
	CHECK(!has(&sites, address_of("do_direct")));
}

TEST(what_is_not_there_is_refused_and_says_why)
{
	build();
	refused("nosuch", kernel.vmlinux, "nosuch: the kernel has no such function");
	refused("init/nosuch.c:7", kernel.vmlinux, "no code of the kernel is from such a file");
	refused("init/main.c:9999", kernel.vmlinux, "the nearest lines with calls: ");
	refused("", kernel.vmlinux, "a call site has no name");
	refused("do_direct,,do_inlined", kernel.vmlinux, "a call site has no name");
	refused("init/main.c:7", NULL, "install its package");
	refused("helper", NULL, "only debug information");
}
