// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* Only what is safe between fork and exec. */
__attribute__((noreturn)) static void child(char *const *argv, const sigset_t *mask, int go_fd,
					    int fail_fd)
{
	char byte;
	ssize_t n;

	sigprocmask(SIG_SETMASK, mask, NULL);
	do
		n = read(go_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		execvp(argv[0], argv);
		int errnum = errno;

		n = write(fail_fd, &errnum, sizeof(errnum));
	}
	_exit(n < 0 ? 126 : 127);
}

struct err *workload_fork(char *const *argv, const sigset_t *mask, struct workload *ret)
{
	int go[2], fail[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_os(errno, "cannot make a pipe");
	if (pipe2(fail, O_CLOEXEC) < 0) {
		struct err *err = err_os(errno, "cannot make a pipe");

		close(go[0]);
		close(go[1]);
		return err;
	}
	pid_t pid = fork();

	if (!pid) {
		/* Else it would never see the end of its own pipe. */
		close(go[1]);
		child(argv, mask, go[0], fail[1]);
	}
	int errnum = errno;

	close(go[0]);
	close(fail[1]);
	if (pid < 0) {
		close(go[1]);
		close(fail[0]);
		return err_os(errnum, "cannot start a process");
	}
	*ret = (struct workload){ .pid = pid, .go_fd = go[1], .fail_fd = fail[0] };
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

int workload_release(struct workload *workload)
{
	int errnum = 0;
	ssize_t n;

	/* The end of its pipe is seen when exec closes it. */
	if (write(workload->go_fd, "g", 1) != 1)
		errnum = errno;
	close_fd(&workload->go_fd);
	do
		n = read(workload->fail_fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	close_fd(&workload->fail_fd);
	return errnum;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool workload_reap(struct workload *workload, int *ret)
{
	int status;

	if (!workload->pid || waitpid(workload->pid, &status, WNOHANG) != workload->pid)
		return false;
	workload->pid = 0;
	*ret = exit_status(status);
	return true;
}

void workload_signal(const struct workload *workload, int sig)
{
	if (workload->pid)
		kill(workload->pid, sig);
}

void workload_deinit(struct workload *workload)
{
	bool released = workload->go_fd <= 0;

	close_fd(&workload->go_fd);
	close_fd(&workload->fail_fd);
	if (workload->pid && !released)
		while (waitpid(workload->pid, NULL, 0) < 0 && errno == EINTR)
			;
	workload->pid = 0;
}
