// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/workload.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/xalloc.h"

void workload_env_save(struct workload_env *ret)
{
	struct sigaction sa;

	*ret = (struct workload_env){};
	sigprocmask(SIG_SETMASK, NULL, &ret->mask);
	ret->sigpipe_ignored = sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
	getrlimit(RLIMIT_NOFILE, &ret->files);
}

/* As execvp() does, and posix_spawnp() does not: a script without #! is the shell's. */
static int spawn_script(char *const *argv, const posix_spawnattr_t *attr, pid_t *ret)
{
	size_t nr = 0;

	while (argv[nr])
		nr++;
	auto_free char **shell_argv = xcalloc(nr + 2, sizeof(*shell_argv));
	auto_free char *shell = xstrdup("/bin/sh");

	shell_argv[0] = shell;
	for (size_t i = 0; i < nr; i++)
		shell_argv[i + 1] = argv[i];
	return posix_spawn(ret, shell, NULL, attr, shell_argv, environ);
}

static int spawn(char *const *argv, const struct workload_env *env, pid_t *ret)
{
	posix_spawnattr_t attr;
	sigset_t defaults;

	sigemptyset(&defaults);
	if (!env->sigpipe_ignored)
		sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &env->mask);
	posix_spawnattr_setsigdefault(&attr, &defaults);

	int errnum = posix_spawnp(ret, argv[0], NULL, &attr, argv, environ);

	if (errnum == ENOEXEC)
		errnum = spawn_script(argv, &attr, ret);
	posix_spawnattr_destroy(&attr);
	return errnum;
}

struct err *workload_start(char *const *argv, const struct workload_env *env, pid_t *ret)
{
	struct rlimit now;
	bool limited = getrlimit(RLIMIT_NOFILE, &now) == 0;

	/* What is open above the old limit stays open. */
	if (limited)
		setrlimit(RLIMIT_NOFILE, &env->files);
	int errnum = spawn(argv, env, ret);

	if (limited)
		setrlimit(RLIMIT_NOFILE, &now);
	return errnum ? err_os(errnum, "cannot start %s", argv[0]) : NULL;
}

bool workload_reap(pid_t pid, int *ret)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	*ret = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}
