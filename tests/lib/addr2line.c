// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/addr2line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_CHAIN = 64 };

struct theirs {
	char func[128];
	char place[512]; /* file:line */
};

static void chomp(char *s)
{
	s[strcspn(s, "\n")] = '\0';
}

/* Removes "/.", "/name/.." and what is doubled of "//" from @s. */
static void tidy(char *s)
{
	for (char *at = s; (at = strstr(at, "//"));)
		memmove(at, at + 1, strlen(at + 1) + 1);
	for (char *at = s; (at = strstr(at, "/./"));)
		memmove(at, at + 2, strlen(at + 2) + 1);
	for (char *at; (at = strstr(s, "/../"));) {
		char *from = at;

		while (from > s && from[-1] != '/')
			from--;
		memmove(from, at + 4, strlen(at + 4) + 1);
	}
}

/*
 * Reads one address's answer up to the next line that is an address, which
 * stays in @line.
 */
static size_t read_chain(FILE *f, char line[1024], struct theirs *chain)
{
	size_t nr = 0;

	while (fgets(line, 1024, f) && strncmp(line, "0x", 2)) {
		struct theirs *frame = &chain[nr < MAX_CHAIN ? nr : MAX_CHAIN - 1];

		chomp(line);
		/* "helper inlined at file:line:column in caller" */
		snprintf(frame->func, sizeof(frame->func), "%.*s", (int)strcspn(line, " "),
			 line);
		if (!fgets(line, 1024, f))
			break;
		chomp(line);
		tidy(line);
		snprintf(frame->place, sizeof(frame->place), "%.511s", line);
		nr++;
	}
	return nr;
}

/* Theirs ends in ours, which is relative: "/build/fs/dcache.c:10:3" in "fs/dcache.c:10". */
static bool same_place(const char *theirs, const char *ours, uint32_t line)
{
	auto_free char *want = xasprintf("%s:%u", ours, line);
	size_t len = strlen(want);

	for (const char *at = strstr(theirs, want); at; at = strstr(at + 1, want))
		if ((at == theirs || at[-1] == '/') && (!at[len] || at[len] == ':'))
			return true;
	return false;
}

static bool same_frame(const struct debuginfo_frame *ours, const struct theirs *theirs)
{
	return ours->func && ours->file && !strcmp(ours->func, theirs->func) &&
	       same_place(theirs->place, ours->file, ours->line);
}

static void compare(struct debuginfo *di, uint64_t pc, const struct theirs *theirs, size_t nr,
		    struct addr2line *ret)
{
	struct debuginfo_frame ours[MAX_CHAIN];
	size_t n = debuginfo_chain(di, pc, ours, MAX_CHAIN), i = 0;

	for (size_t o = 0; o < n && i < nr; o++)
		i += !strcmp(ours[o].func ? ours[o].func : "", theirs[i].func) &&
		     (n != nr || same_frame(&ours[o], &theirs[i]));
	if (i == nr && n >= nr) {
		ret->same += n == nr;
		ret->longer += n != nr;
		return;
	}
	ret->other++;
	printf("# %#" PRIx64 ": %zu frames, %zu of theirs %zu among them\n", pc, n, i, nr);
	for (size_t o = 0; o < n; o++)
		printf("#   ours   %s %s:%u\n", ours[o].func, ours[o].file, ours[o].line);
	for (size_t t = 0; t < nr; t++)
		printf("#   theirs %s %s\n", theirs[t].func, theirs[t].place);
}

bool addr2line_exists(void)
{
	return !system("eu-addr2line --version >/dev/null 2>&1");
}

bool addr2line_compare(struct debuginfo *di, const char *path, const char *sites,
		       struct addr2line *ret)
{
	auto_free struct theirs *chain = xcalloc(MAX_CHAIN, sizeof(*chain));
	auto_free char *command =
		xasprintf("eu-addr2line -e %s -a -i -f <%s 2>/dev/null", path, sites);
	FILE *f = popen(command, "r");
	char line[1024];

	*ret = (struct addr2line){};
	if (!f)
		return false;
	bool any = fgets(line, sizeof(line), f) && !strncmp(line, "0x", 2);

	while (any && !feof(f)) {
		uint64_t pc = strtoull(line, NULL, 16);
		size_t len = read_chain(f, line, chain);

		compare(di, pc, chain, len, ret);
	}
	return !pclose(f) && any;
}
