// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_resolve.c - looks up call sites as an analysis does
 *
 *	bench_resolve VMLINUX SYMBOLS [CACHE] <ADDRESSES
 *
 * SYMBOLS is the output of nm, which has the form of /proc/kallsyms; addresses
 * are hexadecimal, one a line. CACHE is a directory of answers kept. Prints "FUNC FILE:LINE" of
 *each primary frame.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "resolve/resolver.h"

static struct err *run(const char *vmlinux, struct span symbols, const char *cache)
{
	CLEANUP(resolver_cleanup) struct resolver *resolver = NULL;
	auto_free uint64_t *addr = NULL;
	size_t nr = 0, cap = 0;
	char line[64];

	TRY(resolver_open(&(struct resolver_opts){ .kallsyms = symbols,
						   .vmlinux = vmlinux,
						   .cache_dir = cache },
			  &resolver));
	while (fgets(line, sizeof(line), stdin)) {
		vec_room(addr, nr, cap);
		addr[nr++] = strtoull(line, NULL, 16);
	}
	resolver_expect(resolver, addr, nr);
	for (size_t i = 0; i < nr; i++) {
		struct callsite site;

		resolver_site(resolver, &addr[i], 1, &site);
		printf("%s %s:%u\n", site.primary.func, site.primary.file ?: "?",
		       site.primary.line);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: bench_resolve VMLINUX SYMBOLS [CACHE] <ADDRESSES\n");
		return 2;
	}
	auto_file FILE *file = fopen(argv[2], "r");

	if (!file || fstat(fileno(file), &st)) {
		perror(argv[2]);
		return 1;
	}
	auto_free char *text = xmalloc(st.st_size);
	struct span symbols = { (uint8_t *)text, fread(text, 1, st.st_size, file) };
	auto_err struct err *err = run(argv[1], symbols, argv[3]);

	if (err)
		fprintf(stderr, "bench_resolve: %s\n", err_text(err));
	return err != NULL;
}
