// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/test.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIP = 77, MAX_TESTS = 1024 };

static struct {
	const char *name;
	test_fn *fn;
} tests[MAX_TESTS];
static size_t nr_tests;
static char dir[] = "/tmp/allocprof-test-XXXXXX";
static bool dir_made;

void test_register(const char *name, test_fn *fn)
{
	if (nr_tests == MAX_TESTS)
		abort();
	tests[nr_tests].name = name;
	tests[nr_tests++].fn = fn;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	if (dir_made)
		nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_dir(void)
{
	if (!dir_made && !mkdtemp(dir))
		test_fail(__FILE__, __LINE__, "mkdtemp %s", dir);
	dir_made = true;
	return dir;
}

static void finish(int status)
{
	fflush(NULL);
	remove_dir();
	/* Plain exit, so that LeakSanitizer looks at a passed test. */
	if (status)
		_exit(status);
	exit(0);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	finish(1);
	abort();
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	fputs("# skip: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	finish(EXIT_SKIP);
	abort();
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (size_t i = 0; i < nr_tests; i++) {
		if (argc > 1 && !strstr(tests[i].name, argv[1]))
			continue;
		fflush(NULL);
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (!pid) {
			tests[i].fn();
			finish(0);
		}

		int status;

		waitpid(pid, &status, 0);
		bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP;
		bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;

		if (WIFSIGNALED(status))
			printf("# signal %d\n", WTERMSIG(status));
		printf("%s %s\n", skipped ? "skip" : ok ? "ok" : "not ok", tests[i].name);
		failed += !ok && !skipped;
	}
	fflush(stdout);
	return failed != 0;
}
