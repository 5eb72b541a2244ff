// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_sites.c - call sites of a kernel, and whether they are looked up right
 *
 *	bench_sites VMLINUX NUMBER	prints the return addresses of so many calls
 *	bench_sites -c VMLINUX FILE	compares the chains of addresses with eu-addr2line's
 *
 * The calls are spread evenly over all that the debug information describes; the
 * addresses compared are those before, hexadecimal, one a line. Comparing prints
 * "SAME LONGER OTHER", where LONGER has frames that eu-addr2line leaves out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/lib/addr2line.h"

static void print_sites(struct debuginfo *di, size_t wanted)
{
	auto_free uint64_t *site = NULL;
	struct debuginfo_symbol sym;
	struct debuginfo_call call;
	size_t nr = 0, cap = 0;

	for (size_t s = 0; debuginfo_next_symbol(di, &s, &sym);)
		for (size_t i = 0; debuginfo_call_in(di, sym.value, &i, &call);) {
			vec_room(site, nr, cap);
			site[nr++] = call.ret_pc;
		}
	for (size_t i = 0; i < wanted && nr; i++)
		printf("%#" PRIx64 "\n", site[i * nr / wanted]);
}

static struct err *run(const char *path, const char *sites, const char *wanted)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	struct addr2line found;

	TRY(debuginfo_open(path, NULL, pool, &di));
	if (wanted) {
		print_sites(di, strtoull(wanted, NULL, 10));
		return NULL;
	}
	if (!addr2line_compare(di, path, sites, &found))
		return err_new(ERR_OS, "eu-addr2line fails");
	printf("%zu %zu %zu\n", found.same, found.longer, found.other);
	return NULL;
}

int main(int argc, char **argv)
{
	bool compare = argc == 4 && !strcmp(argv[1], "-c");

	if (argc != 3 && !compare) {
		fprintf(stderr, "usage: bench_sites VMLINUX NUMBER | -c VMLINUX FILE\n");
		return 2;
	}
	auto_err struct err *err =
		compare ? run(argv[2], argv[3], NULL) : run(argv[1], NULL, argv[2]);

	if (err)
		fprintf(stderr, "bench_sites: %s\n", err_text(err));
	return err != NULL;
}
