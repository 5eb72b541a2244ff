// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_resolve.c - looks up call sites as an analysis does
 *
 *	bench_resolve VMLINUX SYMBOLS <ADDRESSES
 *
 * SYMBOLS is the output of nm, which has the form of /proc/kallsyms; addresses
 * are hexadecimal, one a line. Prints "FUNC FILE:LINE" of each primary frame.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "resolve/resolver.h"

static struct err *run(const char *vmlinux, struct span symbols)
{
	CLEANUP(resolver_cleanup) struct resolver *resolver = NULL;
	char line[64];

	TRY(resolver_open(&(struct resolver_opts){ .kallsyms = symbols, .vmlinux = vmlinux },
			  &resolver));
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t addr = strtoull(line, NULL, 16);
		struct callsite site;

		resolver_site(resolver, &addr, 1, &site);
		printf("%s %s:%u\n", site.primary.func, site.primary.file ?: "?",
		       site.primary.line);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 3) {
		fprintf(stderr, "usage: bench_resolve VMLINUX SYMBOLS <ADDRESSES\n");
		return 2;
	}
	auto_file FILE *file = fopen(argv[2], "r");

	if (!file || fstat(fileno(file), &st)) {
		perror(argv[2]);
		return 1;
	}
	auto_free char *text = xmalloc(st.st_size);
	struct span symbols = { (uint8_t *)text, fread(text, 1, st.st_size, file) };
	auto_err struct err *err = run(argv[1], symbols);

	if (err)
		fprintf(stderr, "bench_resolve: %s\n", err_text(err));
	return err != NULL;
}
