// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/partdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/xalloc.h"

/* More CPUs than any kernel has. */
#define CPU_MAX 65536

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

/* The number in "cpuN.raw". */
static bool cpu_of(const char *name, uint32_t *ret)
{
	unsigned int cpu;
	int end = 0;

	if (sscanf(name, "cpu%5u.raw%n", &cpu, &end) != 1 || !end || name[end])
		return false;
	*ret = cpu;
	return cpu < CPU_MAX;
}

static int by_cpu(const void *a, const void *b)
{
	const struct cpu_data *x = a, *y = b;

	return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static struct err *add_cpus(const char *path, DIR *dir, bool grows,
			    struct container_buffer *buffer)
{
	struct dirent *entry;
	struct stat st;
	uint32_t cpu;

	while ((entry = readdir(dir))) {
		if (!cpu_of(entry->d_name, &cpu))
			continue;
		auto_fd int fd = openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd < 0 || fstat(fd, &st))
			return err_os(errno, "%s/%s", path, entry->d_name);
		if (!S_ISREG(st.st_mode))
			return err_new(ERR_FORMAT, "%s/%s: is not a regular file", path,
				       entry->d_name);
		container_add_file(buffer, cpu, take_fd(fd), (uint64_t)st.st_size, grows);
	}
	if (buffer->nr_cpus)
		qsort(buffer->cpu, buffer->nr_cpus, sizeof(*buffer->cpu), by_cpu);
	return NULL;
}

struct err *partdir_read(const char *path, struct container *c)
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
	struct err *err = add_cpus(path, dir, partdir_locked(path), buffer);

	closedir(dir);
	return err;
}
