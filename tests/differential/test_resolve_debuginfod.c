// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug information from a real debuginfod server, on the loopback interface. */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/xalloc.h"
#include "resolve/resolver.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

/* A port that nobody listens at. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	auto_fd int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	CHECK(!getsockname(fd, (struct sockaddr *)&at, &len));
	return ntohs(at.sin_port);
}

/* Serves the files below the test's folder srv/; ends with the test. */
static pid_t start_server(int port)
{
	auto_free char *dir = xasprintf("%s/srv", test_dir());
	auto_free char *number = xasprintf("%d", port);
	auto_free char *log = xasprintf("%s/log", test_dir());
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsetenv("DEBUGINFOD_URLS");
	if (!freopen(log, "w", stdout) || dup2(1, 2) < 0)
		_exit(1);
	execlp("debuginfod", "debuginfod", "-F", dir, "-d", ":memory:", "-p", number, "-v",
	       NULL);
	_exit(1);
}

/* The server scans its folder first, so it is asked until it knows the file. */
static struct resolver *ask(const struct resolver_opts *opts, pid_t server)
{
	struct resolver *r = NULL;

	for (int tries = 0; tries < 100; tries++) {
		auto_free char *clean = xasprintf("rm -rf %s/cache", test_dir());

		CHECK_OK(resolver_open(opts, &r));
		if (resolver_vmlinux(r))
			return r;
		resolver_close(r);
		CHECK(!waitpid(server, NULL, WNOHANG));
		/* What it did not know is kept, too. */
		CHECK(!system(clean));
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	}
	test_fail(__FILE__, __LINE__, "the server does not know the build-id");
}

static void count(void *arg, uint64_t done, uint64_t of)
{
	(void)done, (void)of;
	++*(int *)arg;
}

TEST(a_server_is_asked_for_the_kernel_by_its_build_id_and_only_on_request)
{
	struct fakekernel k = {};
	struct callsite c;
	int calls = 0, port = free_port();

	if (system("command -v debuginfod >/dev/null"))
		test_skip("no debuginfod");
	fakekernel_build(&k, "");
	free(fakekernel_run("cd %s && mkdir srv && mv vmlinux srv/", test_dir()));
	auto_free char *cache = xasprintf("%s/cache", test_dir());
	auto_free char *url = xasprintf("http://127.0.0.1:%d/", port);

	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	setenv("DEBUGINFOD_URLS", url, 1);

	struct resolver_opts opts = {
		.kallsyms = text(k.kallsyms),
		.build_ids = text("vmlinux 0123456789abcdef\n"),
		.release = "6.12.1",
		.debuginfod = true,
		.downloading = count,
		.downloading_arg = &calls,
	};
	pid_t server = start_server(port);
	struct resolver *r = ask(&opts, server);
	const struct fakesite *site = fakekernel_site(&k, "do_direct");

	resolver_site(r, site->addr, site->nr, &c);
	CHECK_STR(c.primary.file, "init/main.c");
	CHECK_EQ(c.primary.line, fakekernel_line("direct"));
	CHECK_STR(resolver_vmlinux_build_id(r), "0123456789abcdef");
	CHECK(strstr(resolver_vmlinux(r), cache));
	CHECK(calls > 0);
	resolver_close(r);

	/* It is kept; then it needs neither the server nor the request. */
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	opts.debuginfod = false;
	CHECK_OK(resolver_open(&opts, &r));
	CHECK(resolver_vmlinux(r));
	resolver_close(r);
	free(fakekernel_run("rm -rf %s", cache));
	CHECK_OK(resolver_open(&opts, &r));
	CHECK(!resolver_vmlinux(r));
	resolver_close(r);
	/* Nobody answers. */
	opts.debuginfod = true;
	CHECK_OK(resolver_open(&opts, &r));
	CHECK(!resolver_vmlinux(r));
	CHECK(strstr(resolver_note(r, 0), "no debug information"));
	resolver_close(r);
	free(k.kallsyms);
}
