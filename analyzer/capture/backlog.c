// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/backlog.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

/*
 * kfree_rcu() hands its objects over at once when it has a page of pointers to
 * them: 4096 / 8. A timer file is freed by it, and each file is closed on the CPU
 * that opened it.
 */
enum { A_PAGE_OF_POINTERS = 512, WAIT_NS = 20000000, MAX_NS = 500000000 };

/*
 * What goes through two workers and two grace periods takes 10 to 50 ms; where the
 * machine has other work, waiting takes longer too, and is waited for more often.
 */
enum { WAITS = 6, WAITS_WHEN_SLOW = 14, MOST_WAITS = 25, SLOW_NS = 3 * WAIT_NS };

/*
 * What is given to RCU on a slow machine after it has taken a full page, while the rest of
 * the timer files are made, waits for the next full page.
 */
enum { REFILL_EVERY = 6 };

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void fill_rcu(void)
{
	for (int i = 0; i < A_PAGE_OF_POINTERS; i++) {
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

		if (fd < 0)
			return;
		close(fd);
	}
}

/* Opens @file of a cache; its name is one that the kernel made. */
static int open_of(int caches, const char *cache, const char *file, int flags)
{
	auto_free char *path = xasprintf("%s/%s", cache, file);

	return openat(caches, path, flags | O_CLOEXEC);
}

/*
 * Since 6.18 what is given to RCU waits in sheaves, one for each CPU and cache, until
 * one is full, or the cache is shrunk. These caches have most of it.
 */
static void flush_sheaves(void)
{
	static const char *const names[] = { "maple_node", "eventpoll_epi", "kmalloc-" };
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		bool ours = false;

		for (size_t i = 0; i < 3; i++)
			ours |= !strncmp(entry->d_name, names[i], strlen(names[i]));
		if (!ours)
			continue;
		auto_fd int sheaves =
			open_of(dirfd(dir), entry->d_name, "sheaf_capacity", O_RDONLY);
		auto_fd int shrink =
			sheaves < 0 ? -1
				    : open_of(dirfd(dir), entry->d_name, "shrink", O_WRONLY);

		if (shrink >= 0 && write(shrink, "1", 1) < 0)
			break;
	}
	closedir(dir);
}

/*
 * A page that is unmapped sends those ahead that wait for the LRU lists; on newer
 * kernels (7.3) only one that is said to be cold does, which can be since 5.4.
 */
static void drain_lru(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	*page = 1;
	madvise((void *)page, size, MADV_COLD);
	munmap((void *)page, size);
}

/* A grace period of RCU, and a moment for who waits for its end. */
static void wait_for_rcu(void (*meanwhile)(void *arg, int64_t until_ns), void *arg)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	int64_t until = now_ns() + WAIT_NS;

	if (meanwhile)
		meanwhile(arg, until);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
			&(struct timespec){ .tv_sec = until / 1000000000,
					    .tv_nsec = until % 1000000000 },
			NULL);
}

/*
 * Objects of the caches of kmalloc that the timer files are of (216 to 256 bytes), as
 * /proc/slabinfo counts them: those in slabs that a CPU keeps for itself count as used. -1
 * where it does not tell.
 */
static int64_t count_objects(void)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512];
	int64_t ret = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		long long used, size;

		if (!strncmp(line, "kmalloc", 7) &&
		    sscanf(line, "%*s %lld %*d %lld", &used, &size) == 2 && size >= 216 &&
		    size <= 256)
			ret = (ret < 0 ? 0 : ret) + used;
	}
	fclose(file);
	return ret;
}

/*
 * Whether the kernel has freed what there was of timer files more once they were @filled
 * than @before: all but a third, since it may keep a sixth in slabs of a CPU, and what one
 * CPU of two or three has not begun with is more. Where too few came on top to tell, yes.
 */
static bool is_gone(int64_t before, int64_t filled)
{
	int64_t more = filled - before, now = count_objects();

	return before < 0 || now < 0 || more < A_PAGE_OF_POINTERS / 2 ||
	       (now - before) * 3 <= more;
}

/* On each of @cpus that is of @mine, which is where this process may run. */
static void fill(const struct cpulist *cpus, const cpu_set_t *mine)
{
	int64_t end = now_ns() + MAX_NS;

	for (size_t i = 0; i < cpus->nr && now_ns() < end; i++) {
		cpu_set_t one;

		if (cpus->v[i] >= CPU_SETSIZE || !CPU_ISSET(cpus->v[i], mine))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpus->v[i], &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		drain_lru();
		fill_rcu();
	}
	sched_setaffinity(0, sizeof(*mine), mine);
}

/* It is done on each CPU, also where this process may not run. */
static void flush(const cpu_set_t *mine)
{
	if (CPU_COUNT(mine) >= sysconf(_SC_NPROCESSORS_ONLN))
		flush_sheaves();
}

void backlog_drain(const struct cpulist *cpus, void (*meanwhile)(void *arg, int64_t until_ns),
		   void *arg)
{
	cpu_set_t mine;

	if (sched_getaffinity(0, sizeof(mine), &mine))
		return;
	int64_t before = count_objects();

	fill(cpus, &mine);
	int64_t filled = count_objects();

	flush(&mine);
	int waits = WAITS;

	for (int i = 0; i < waits || (i < MOST_WAITS && !is_gone(before, filled)); i++) {
		int64_t start = now_ns();

		if (i >= WAITS && i % REFILL_EVERY == 0 && !is_gone(before, filled)) {
			fill(cpus, &mine);
			flush(&mine);
		}
		wait_for_rcu(meanwhile, arg);
		if (now_ns() - start > SLOW_NS)
			waits = WAITS_WHEN_SLOW;
	}
}
