// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/partdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

/* More CPUs than any kernel has. */
#define CPU_MAX 65536

/* One line with a number. */
#define WINDOW_MAX 64

bool partdir_is(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

char *partdir_find(const char *path)
{
	struct stat st;

	if (stat(path, &st) && errno == ENOENT) {
		auto_free char *part = xasprintf("%s.part", path);

		if (partdir_is(part))
			return take_ptr(part);
	}
	return xstrdup(path);
}

char *partdir_meta(const char *path)
{
	return xasprintf("%s/meta", path);
}

bool partdir_locked(const char *path)
{
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* The lock goes with the descriptor. */
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* A segment: what one CPU did for some time. */
struct found {
	uint32_t cpu, id;
	bool packed;
	char *name;
};

struct list {
	struct found *v;
	size_t nr, cap;
};

static void list_deinit(struct list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free(list->v[i].name);
	free(list->v);
}

/* "cpuN.K.raw" or "cpuN.K.zst"; "cpuN.raw" of the first version. */
static bool parse_name(const char *name, struct found *ret)
{
	struct found f = {};
	int end = 0;

	if (sscanf(name, "cpu%5" SCNu32 ".%9" SCNu32 ".%n", &f.cpu, &f.id, &end) != 2 || !end) {
		end = 0;
		if (sscanf(name, "cpu%5" SCNu32 ".%n", &f.cpu, &end) != 1 || !end)
			return false;
	}
	f.packed = !strcmp(name + end, "zst");
	*ret = f;
	return f.cpu < CPU_MAX && (f.packed || !strcmp(name + end, "raw"));
}

static int by_time(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static struct err *add_segment(const char *path, int dir, const struct found *f, bool grows,
			       struct container_buffer *buffer)
{
	struct stat st;
	auto_fd int fd = openat(dir, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	/* A recorder at work removes what it no longer needs. */
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "%s/%s", path, f->name);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FORMAT, "%s/%s: is not a regular file", path, f->name);
	container_add_file(buffer, f->cpu, f->packed ? CPU_CHUNKS : CPU_PLAIN, take_fd(fd),
			   (uint64_t)st.st_size, grows && !f->packed);
	return NULL;
}

static struct err *add_segments(const char *path, DIR *dir, uint32_t first, bool grows,
				struct container_buffer *buffer)
{
	CLEANUP(list_deinit) struct list list = {};
	struct dirent *entry;
	struct found found;

	while ((entry = readdir(dir))) {
		if (!parse_name(entry->d_name, &found) || found.id < first)
			continue;
		found.name = xstrdup(entry->d_name);
		vec_room(list.v, list.nr, list.cap);
		list.v[list.nr++] = found;
	}
	if (list.nr)
		qsort(list.v, list.nr, sizeof(*list.v), by_time);
	for (size_t i = 0; i < list.nr; i++)
		TRY(add_segment(path, dirfd(dir), &list.v[i], grows, buffer));
	return NULL;
}

/* From when on a recorder that keeps the last seconds has all CPUs. */
static struct err *add_window(int dir, struct container *c)
{
	auto_fd int fd = openat(dir, "window", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *text;

	if (fd < 0)
		return NULL;
	TRY(metadata_alloc(&c->meta, WINDOW_MAX, &text));
	ssize_t n = read(fd, text, WINDOW_MAX);

	if (n > 0)
		container_add_blob(c, BLOB_WINDOW, (struct span){ text, (size_t)n });
	return NULL;
}

struct err *partdir_read(const char *path, uint32_t first, struct container *c)
{
	struct container_buffer *buffer = container_add_buffer(c, "");
	DIR *dir = opendir(path);
	struct span clock;

	buffer->subbuf_size = c->page_size;
	if (container_text(c, "trace_clock", &clock))
		buffer->clock = container_clock_name(clock);
	else
		buffer->clock = xstrdup("");
	if (!dir)
		return err_os(errno, "%s", path);
	struct err *err = add_segments(path, dir, first, partdir_locked(path), buffer);

	if (!err)
		err = add_window(dirfd(dir), c);
	closedir(dir);
	return err;
}
