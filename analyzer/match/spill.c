// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "base/xalloc.h"

enum { MAX_MEMS = 8 };

struct spill {
	const char *dir;
	uint64_t limit, used; /* bytes on the heap */
	struct spill_mem *mem[MAX_MEMS];
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

void spill_add(struct spill *s, struct spill_mem *mem)
{
	if (s->nr == MAX_MEMS)
		abort();
	s->mem[s->nr] = mem;
	s->nr++;
	s->used += mem->bytes;
	mem->spill = s;
}

/* In its file, longer than before; false when the system refuses. */
static bool grow_file(struct spill *s, struct spill_mem *mem, size_t bytes)
{
	int fd = mem->mapped ? mem->fd : unnamed_open(s->dir);
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)bytes);
	void *at = MAP_FAILED;

	if (!error) {
		at = mem->mapped ? mremap(mem->at, mem->bytes, bytes, MREMAP_MAYMOVE)
				 : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		error = at == MAP_FAILED ? errno : 0;
	}
	if (error) {
		s->failed = error;
		if (fd >= 0 && !mem->mapped)
			close(fd);
		return false;
	}
	if (!mem->mapped) {
		/* Neighbours in a table have nothing to do with each other. */
		madvise(at, bytes, MADV_RANDOM);
		if (mem->bytes)
			memcpy(at, mem->at, mem->bytes);
		free(mem->at);
		s->used -= mem->bytes;
	}
	mem->at = at;
	mem->bytes = bytes;
	mem->fd = fd;
	mem->mapped = true;
	spill_trim(s);
	return true;
}

/* On the heap, whatever it takes. */
static void grow_heap(struct spill_mem *mem, size_t bytes)
{
	if (mem->mapped) {
		struct spill_mem old = *mem;

		mem->at = xmalloc(bytes);
		memcpy(mem->at, old.at, old.bytes);
		munmap(old.at, old.bytes);
		close(old.fd);
		mem->mapped = false;
		mem->bytes = 0;
	} else {
		mem->at = xreallocarray(mem->at, bytes, 1);
	}
	if (mem->spill)
		mem->spill->used += bytes - mem->bytes;
	mem->bytes = bytes;
}

void spill_grow(struct spill_mem *mem, size_t bytes)
{
	struct spill *s = mem->spill;
	bool fits = !s || (!mem->mapped && s->used - mem->bytes + bytes <= s->limit);

	if (fits || s->failed || !grow_file(s, mem, bytes))
		grow_heap(mem, bytes);
}

void spill_release(struct spill_mem *mem)
{
	if (mem->mapped) {
		munmap(mem->at, mem->bytes);
		close(mem->fd);
	} else {
		free(mem->at);
		if (mem->spill)
			mem->spill->used -= mem->bytes;
	}
	*mem = (struct spill_mem){ .spill = mem->spill };
}

void spill_trim(struct spill *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->mem[i]->mapped)
			madvise(s->mem[i]->at, s->mem[i]->bytes, MADV_DONTNEED);
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
		       (bytes + (1 << 20) - 1) >> 20, limit >> 20);
}

struct err *spill_error(struct spill *s)
{
	int failed = s->failed;

	s->failed = 0;
	return failed ? err_os(failed, "%s: cannot keep there what does not fit in memory",
			       s->dir)
		      : NULL;
}
