// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/segments.h"

/* Where a link leads, so that the link stays; else @output itself. */
static struct err *resolve_output(const char *output, char **ret)
{
	struct stat st;

	if (!*output)
		return err_new(ERR_OS, "the name of the recording is empty");
	auto_free char *path = realpath(output, NULL);

	if (!path)
		path = xstrdup(output);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_new(ERR_OS, "%s is not a regular file; choose another with -o",
			       output);
	*ret = take_ptr(path);
	return NULL;
}

static bool is_ours(const char *name)
{
	return !strcmp(name, "meta") || !strcmp(name, "meta.new") || !strcmp(name, "new") ||
	       !strcmp(name, "window") || segment_is_name(name);
}

/* Rule 3: of what is in the directory, the files of a recorder. */
static void clear(int dir_fd)
{
	/* A descriptor of its own: closedir() takes it along. */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name))
			unlinkat(dir_fd, entry->d_name, 0);
	closedir(dir);
}

static struct err *lock_dir(struct part *part)
{
	if (mkdir(part->dir, 0700) < 0 && errno != EEXIST)
		return err_os(errno, "cannot record to %s", part->output);
	part->dir_fd = open(part->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (part->dir_fd < 0)
		return err_os(errno, "%s", part->dir);
	if (flock(part->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return err_new(
			ERR_OS,
			"another allocprof is recording to %s; choose another file with -o",
			part->output);
	clear(part->dir_fd);
	return NULL;
}

struct err *part_open(const char *output, struct part *ret)
{
	struct part part = { .dir_fd = -1 };

	TRY(resolve_output(output, &part.output));
	part.dir = xasprintf("%s.part", part.output);
	part.new_file = xasprintf("%s/new", part.dir);
	part.meta_file = xasprintf("%s/meta", part.dir);
	part.meta_new = xasprintf("%s/meta.new", part.dir);
	struct err *err = lock_dir(&part);

	/* Who did not get the lock owns nothing in there. */
	if (err) {
		free(take_ptr(part.dir));
		part_remove(&part);
		return err;
	}
	*ret = part;
	return NULL;
}

struct err *part_publish_meta(const struct part *part)
{
	if (rename(part->meta_new, part->meta_file) < 0)
		return err_os(errno, "cannot rename %s to %s", part->meta_new, part->meta_file);
	fsync(part->dir_fd);
	return NULL;
}

struct err *part_publish(const struct part *part, const char *path)
{
	if (rename(part->new_file, path) < 0)
		return err_os(errno, "cannot rename %s to %s", part->new_file, path);
	/* The name is on disk once the directory is; the part's parent holds it. */
	auto_fd int parent = openat(part->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent >= 0)
		fsync(parent);
	return NULL;
}

void part_keep(struct part *part)
{
	/* Halves of these are of no use, and take the room of what is. */
	unlink(part->new_file);
	unlink(part->meta_new);
	part->keep = true;
}

void part_remove(struct part *part)
{
	if (part->dir && !part->keep) {
		clear(part->dir_fd);
		rmdir(part->dir);
	}
	if (part->dir_fd >= 0 && part->output)
		close(part->dir_fd);
	free(part->output);
	free(part->dir);
	free(part->new_file);
	free(part->meta_file);
	free(part->meta_new);
	*part = (struct part){ .dir_fd = -1 };
}
