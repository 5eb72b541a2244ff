// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

/* Where the file of this name is; owned by the caller. */
static char *folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path + 1)) : xstrdup(".");
}

struct err *newfile_check(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)];
	struct stat st;
	auto_free char *dir = folder(path);

	if (!*path)
		return err_new(ERR_OS, "the name of the database is empty");
	if (access(dir, W_OK | X_OK))
		return err_os(errno, "%s: cannot write a database here", dir);
	if (stat(path, &st))
		return NULL;
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_OS, "%s: exists and is not a file", path);
	if (!st.st_size)
		return NULL;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	if (read(fd, head, sizeof(head)) != sizeof(head) || memcmp(head, magic, sizeof(magic)))
		return err_new(ERR_OS, "%s: exists and is not a database: not replaced", path);
	return NULL;
}

static void mask_signals(struct newfile *file)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGXFSZ);
	file->masked = !pthread_sigmask(SIG_BLOCK, &set, &file->old_mask);
}

static void unmask_signals(struct newfile *file)
{
	sigset_t xfsz;

	/* The write that passed a limit on the size of files has failed and said so. */
	sigemptyset(&xfsz);
	sigaddset(&xfsz, SIGXFSZ);
	if (!sigismember(&file->old_mask, SIGXFSZ))
		sigtimedwait(&xfsz, NULL, &(struct timespec){});
	pthread_sigmask(SIG_SETMASK, &file->old_mask, NULL);
}

struct err *newfile_init(struct newfile *file, const char *path)
{
	TRY(newfile_check(path));
	auto_free char *tmp_path = xasprintf("%s.tmp-%d", path, (int)getpid());

	/* What a killed process of the same number left. */
	if (unlink(tmp_path) && errno != ENOENT)
		return err_os(errno, "%s", tmp_path);
	mask_signals(file);
	file->path = xstrdup(path);
	file->tmp_path = take_ptr(tmp_path);
	return NULL;
}

struct err *newfile_publish(struct newfile *file)
{
	auto_fd int fd = open(file->tmp_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd))
		return err_os(errno, "%s", file->tmp_path);
	TRY(newfile_check(file->path));
	if (rename(file->tmp_path, file->path))
		return err_os(errno, "%s", file->path);
	free(take_ptr(file->tmp_path));

	auto_free char *dir = folder(file->path);
	auto_fd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot; the database is whole all the same. */
	if (dir_fd >= 0)
		fsync(dir_fd);
	return NULL;
}

void newfile_deinit(struct newfile *file)
{
	if (file->tmp_path)
		unlink(file->tmp_path);
	if (file->masked)
		unmask_signals(file);
	free(file->tmp_path);
	free(file->path);
	*file = (struct newfile){};
}
