// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/fuzz/replay.c - a fuzz target without a fuzzer
 *
 * Linked with one fuzz_NAME.c it is a test under any compiler: runs the target
 * on each file of tests/fuzz/corpus/NAME and tests/fuzz/crashes/NAME, or on the
 * files named, each in a process of its own, so that a crash costs one input.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

/* Longer than any input of the corpus takes under a sanitizer. */
enum { LIMIT_SECONDS = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_input(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		_exit(1);
	}
	/* Exactly as large as the input, so that a sanitizer sees a read past it. */
	uint8_t *data = malloc(st.st_size ? st.st_size : 1);

	if (!data || read(fd, data, st.st_size) != st.st_size) {
		fprintf(stderr, "%s: cannot read\n", path);
		_exit(1);
	}
	close(fd);
	alarm(LIMIT_SECONDS);
	LLVMFuzzerTestOneInput(data, st.st_size);
	free(data);
	/* Through exit, for the leak checker. */
	exit(0);
}

static bool replay(const char *path)
{
	int status = 0;

	fflush(NULL);
	pid_t pid = fork();

	if (!pid)
		run_input(path);
	bool ok = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		  WEXITSTATUS(status) == 0;

	printf("%s %s\n", ok ? "ok" : "not ok", path);
	return ok;
}

static bool replay_dir(const char *dir, size_t *count)
{
	struct dirent **names;
	int nr = scandir(dir, &names, NULL, alphasort);
	bool ok = true;

	for (int i = 0; i < nr; i++) {
		if (names[i]->d_name[0] != '.') {
			auto_free char *path = xasprintf("%s/%s", dir, names[i]->d_name);

			ok &= replay(path);
			(*count)++;
		}
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
	return ok;
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	const char *name = base ? base + 1 : argv[0];
	size_t count = 0;
	bool ok = true;

	for (int i = 1; i < argc; i++)
		ok &= replay(argv[i]);
	if (argc > 1)
		return !ok;
	if (!strncmp(name, "fuzz_", 5))
		name += 5;
	auto_free char *corpus = xasprintf("tests/fuzz/corpus/%s", name);
	auto_free char *crashes = xasprintf("tests/fuzz/crashes/%s", name);

	ok &= replay_dir(corpus, &count);
	ok &= replay_dir(crashes, &count);
	if (!count)
		printf("skip %s: no inputs in %s\n", name, corpus);
	return !ok;
}
