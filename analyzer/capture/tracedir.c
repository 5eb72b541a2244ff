// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tracedir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/xalloc.h"
#include "capture/texts.h"

#define TRACEFS_DIR "/sys/kernel/tracing"

static bool locked_down(void)
{
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, "/sys/kernel/security/lockdown");

	return !err && strchr(text.data, '[') && !strstr(text.data, "[none]");
}

struct err *tracedir_refused(int errnum, const char *path)
{
	if (errnum != EPERM && errnum != EACCES)
		return err_os(errnum, "%s", path);
	if (geteuid() != 0)
		return err_new(
			ERR_OS,
			"recording the kernel needs root, or rights to tracefs (%s: %s); run it "
			"with sudo",
			path, strerror(errnum));
	if (locked_down())
		return err_new(ERR_OS,
			       "kernel lockdown forbids tracing (%s: %s); boot without "
			       "lockdown= and Secure Boot to record",
			       path, strerror(errnum));
	return err_new(ERR_OS,
		       "root here may not use tracefs (%s: %s); in a container, record on the "
		       "host instead",
		       path, strerror(errnum));
}

static bool is_tracefs(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && st.f_type == TRACEFS_MAGIC;
}

/* Where an unusual system keeps it. */
static char *mounted_elsewhere(void)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	struct mntent *m;
	char *path = NULL;

	if (!mounts)
		return NULL;
	while (!path && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "tracefs"))
			path = xstrdup(m->mnt_dir);
	endmntent(mounts);
	return path;
}

struct err *tracedir_find(char **ret)
{
	static const char *const usual[] = { TRACEFS_DIR, "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < 2; i++) {
		if (is_tracefs(usual[i])) {
			*ret = xstrdup(usual[i]);
			return NULL;
		}
	}
	char *path = mounted_elsewhere();

	if (path) {
		*ret = path;
		return NULL;
	}
	if (access(TRACEFS_DIR, F_OK) < 0)
		return err_new(ERR_OS,
			       "no %s: this kernel has no tracefs (CONFIG_TRACING), or sysfs "
			       "is not mounted on /sys",
			       TRACEFS_DIR);
	if (mount("tracefs", TRACEFS_DIR, "tracefs", 0, NULL) < 0)
		return err_wrap(tracedir_refused(errno, TRACEFS_DIR), "cannot mount tracefs");
	*ret = xstrdup(TRACEFS_DIR);
	return NULL;
}

struct err *tracedir_write(const char *dir, const char *file, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return tracedir_refused(errno, path);
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_os(errno, "%s: cannot write '%s'", path, text);
	return NULL;
}

bool tracedir_has(const char *dir, const char *file)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);

	/* access() asks for the real user, and forgets capabilities for that. */
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}
