/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/fakekernel.h - a small program that allocates like a kernel does
 *
 * Compiled and run by the test with the compiler at hand, so that call sites,
 * inlining, jumps and debug information are real. It prints the return addresses
 * its "tracepoints" recorded; they are given a slide, as KASLR would.
 */
#ifndef TESTS_LIB_FAKEKERNEL_H
#define TESTS_LIB_FAKEKERNEL_H

#include <stddef.h>
#include <stdint.h>

enum { FAKE_MAX_ADDR = 64 };
#define FAKE_SLIDE UINT64_C(0xffffffff7a000000)

#define FAKEKERNEL_FLAGS                                                        \
	"-O2 -g -gdwarf-5 -std=gnu11 -fno-pie -no-pie -fno-omit-frame-pointer " \
	"-Wl,--defsym=_stext=_start -Wl,--defsym=_text=_start "                 \
	"-Wl,--build-id=0x0123456789abcdef"
#define FAKEKERNEL_SOURCES "init/main.c ./mm/slub.c lib/../lib/util.c"

struct fakekernel {
	char vmlinux[256];
	char *kallsyms; /* with FAKE_SLIDE */
	struct fakesite {
		char name[64];
		uint64_t addr[FAKE_MAX_ADDR];
		size_t nr;
	} site[32];
	size_t nr_sites;
};

/* Skips the test where there is no compiler. @cflags are added last. */
void fakekernel_build(struct fakekernel *k, const char *cflags);
/* The same by compiler @cc; skips where there is none. */
void fakekernel_build_by(struct fakekernel *k, const char *cc, const char *cflags);
const struct fakesite *fakekernel_site(const struct fakekernel *k, const char *name);
/* Line of the source that holds the comment "@mark". */
uint32_t fakekernel_line(const char *mark);
/* Runs a shell command; fails the test when it fails. Its output, to be freed. */
char *fakekernel_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
