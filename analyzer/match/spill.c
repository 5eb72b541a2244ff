// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "match/table.h"

enum { MAX_TABLES = 8 };

struct spill {
	const char *dir;
	uint64_t limit, used; /* bytes on the heap */
	struct table *table[MAX_TABLES];
	size_t nr;
	int failed; /* errno */
};

struct spill *spill_new(const char *dir, uint64_t limit)
{
	struct spill *s = xcalloc(1, sizeof(*s));

	s->dir = dir;
	s->limit = limit;
	return s;
}

void spill_free(struct spill *s)
{
	free(s);
}

void spill_add(struct spill *s, struct table *t)
{
	if (s->nr == MAX_TABLES)
		abort();
	s->table[s->nr] = t;
	s->nr++;
	s->used += t->cap * t->size;
	t->spill = s;
}

/* A file that is gone with its descriptor. */
static int open_file(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	auto_free char *path = xasprintf("%s/allocprof-XXXXXX", dir);

	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* The slots of @t in its file, longer than before; false when the system refuses. */
static bool grow_file(struct spill *s, struct table *t, size_t old_bytes, size_t new_bytes)
{
	int fd = t->mapped ? t->fd : open_file(s->dir);
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)new_bytes);
	void *slot = MAP_FAILED;

	if (!error) {
		slot = t->mapped ? mremap(t->slot, old_bytes, new_bytes, MREMAP_MAYMOVE)
				 : mmap(NULL, new_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					0);
		error = slot == MAP_FAILED ? errno : 0;
	}
	if (error) {
		s->failed = error;
		if (fd >= 0 && !t->mapped)
			close(fd);
		return false;
	}
	if (!t->mapped) {
		/* Neighbours in a table have nothing to do with each other. */
		madvise(slot, new_bytes, MADV_RANDOM);
		memcpy(slot, t->slot, old_bytes);
		free(t->slot);
		s->used -= old_bytes;
	}
	t->slot = slot;
	t->fd = fd;
	t->mapped = true;
	spill_trim(s);
	return true;
}

/* On the heap, whatever it takes. */
static void grow_heap(struct spill *s, struct table *t, size_t old_bytes, size_t new_bytes)
{
	if (t->mapped) {
		char *slot = xmalloc(new_bytes);

		memcpy(slot, t->slot, old_bytes);
		spill_release(s, t, old_bytes);
		t->slot = slot;
		s->used += new_bytes;
	} else {
		t->slot = xreallocarray(t->slot, new_bytes, 1);
		s->used += new_bytes - old_bytes;
	}
	memset(t->slot + old_bytes, 0, new_bytes - old_bytes);
}

void spill_resize(struct spill *s, struct table *t, size_t old_bytes, size_t new_bytes)
{
	bool fits = !t->mapped && s->used - old_bytes + new_bytes <= s->limit;

	if (fits || s->failed || !grow_file(s, t, old_bytes, new_bytes))
		grow_heap(s, t, old_bytes, new_bytes);
}

void spill_release(struct spill *s, struct table *t, size_t bytes)
{
	if (t->mapped) {
		munmap(t->slot, bytes);
		close(t->fd);
		t->mapped = false;
	} else {
		free(t->slot);
		s->used -= bytes;
	}
}

void spill_trim(struct spill *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->table[i]->mapped)
			madvise(s->table[i]->slot, s->table[i]->cap * s->table[i]->size,
				MADV_DONTNEED);
}

uint64_t spill_resident(uint64_t *ret_own)
{
	unsigned long all = 0, shared = 0;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm && fscanf(statm, "%*u %lu %lu", &all, &shared) != 2)
		all = shared = 0;
	if (statm)
		fclose(statm);
	*ret_own = (all - shared) * page;
	return all * page;
}

struct err *spill_check(uint64_t bytes, uint64_t limit)
{
	if (bytes <= limit)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "--memory-limit: it has too many call sites and tasks: %" PRIu64
		       " MB must be in memory, and %" PRIu64 " MB may be",
		       bytes >> 20, limit >> 20);
}

struct err *spill_error(struct spill *s)
{
	int failed = s->failed;

	s->failed = 0;
	return failed ? err_os(failed, "%s: cannot keep there what does not fit in memory",
			       s->dir)
		      : NULL;
}
