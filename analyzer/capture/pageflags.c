// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/pageflags.h"

#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

/* Bits of the file, and how many pages are read at a time. */
enum { KPF_SLAB = 7, KPF_BUDDY = 10, PIECE = 1 << 15, MAX_MS = 2000 };

static void close_run(struct pageflags *p)
{
	if (p->kind)
		text_printf(p->ret, "%" PRIx64 " %" PRIx64 " %c\n", p->start, p->pfn - p->start,
			    p->kind);
	p->kind = 0;
}

void pageflags_add(struct pageflags *p, const uint64_t *flags, size_t nr)
{
	for (size_t i = 0; i < nr; i++, p->pfn++) {
		char kind = flags[i] >> KPF_SLAB & 1	? 's'
			    : flags[i] >> KPF_BUDDY & 1 ? 'f'
							: 0;

		if (kind == p->kind)
			continue;
		close_run(p);
		p->kind = kind;
		p->start = p->pfn;
	}
}

void pageflags_end(struct pageflags *p)
{
	close_run(p);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void pageflags_read(struct text *ret)
{
	auto_fd int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	auto_free uint64_t *piece = xcalloc(PIECE, sizeof(*piece));
	struct pageflags p = { .ret = ret };
	size_t before = ret->len;
	int64_t end = now_ms() + MAX_MS;
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = read(fd, piece, PIECE * sizeof(*piece))) > 0) {
		pageflags_add(&p, piece, (size_t)n / sizeof(*piece));
		if (now_ms() > end) {
			ret->len = before;
			return;
		}
	}
	pageflags_end(&p);
}
