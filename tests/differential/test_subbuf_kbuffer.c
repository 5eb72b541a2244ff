// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our page walker against libtraceevent's kbuffer, which shares no code with
 * it: on well-formed random pages of every shape, and on pages of this kernel.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <traceevent/kbuffer.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decode/subbuf.h"
#include "tests/lib/pages.h"
#include "tests/lib/test.h"

static void free_kbuffer(struct kbuffer **kbuf)
{
	kbuffer_free(*kbuf);
}

/* Compares every event of @page; returns their number. */
static size_t compare(struct span page, const struct pages_opts *o, const char *what)
{
	CLEANUP(free_kbuffer)
	struct kbuffer *kbuf =
		kbuffer_alloc(o->long_size == 4 ? KBUFFER_LSIZE_4 : KBUFFER_LSIZE_8,
			      o->big ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	struct subbuf_layout layout;
	struct subbuf_event ev;
	struct subbuf sub;
	size_t nr = 0;

	CHECK(kbuf);
	CHECK_OK(subbuf_layout_parse(pages_header(o), pages_swapped(o), &layout));
	CHECK(subbuf_init(&sub, &layout, page));
	/* It takes a plain pointer, but does not write. */
	CHECK(kbuffer_load_subbuffer(kbuf, (void *)(uintptr_t)page.data) == 0);

	int missed = kbuffer_missed_events(kbuf);

	/* It tells only while it stands on the very first byte, which it leaves at
	 * once where the page starts with a time. */
	if (kbuffer_curr_index(kbuf) == 0 &&
	    (missed == -1 ? sub.lost != SUBBUF_LOST_UNKNOWN : sub.lost != (uint64_t)missed))
		test_fail(__FILE__, __LINE__, "%s: %" PRIu64 " lost, kbuffer says %d", what,
			  sub.lost, missed);
	for (;; nr++) {
		unsigned long long ts;
		const uint8_t *data = kbuffer_read_event(kbuf, &ts);
		bool more = subbuf_next(&sub, &ev, layout.swap);

		if (more != (data != NULL))
			test_fail(__FILE__, __LINE__,
				  "%s: event %zu: ours %d, kbuffer's %d (%s)", what, nr, more,
				  data != NULL, subbuf_fault_text(sub.fault));
		if (!more)
			break;
		if (ev.data != data || ev.ts != ts || (int)ev.len != kbuffer_event_size(kbuf))
			test_fail(__FILE__, __LINE__,
				  "%s: event %zu: at %td time %" PRIu64
				  " len %u, kbuffer: at %td "
				  "time %llu len %d",
				  what, nr, ev.data - page.data, ev.ts, ev.len,
				  data - page.data, ts, kbuffer_event_size(kbuf));
		kbuffer_next_event(kbuf, NULL);
	}
	CHECK_EQ(sub.fault, SUBBUF_OK);
	return nr;
}

static uint64_t random_step(void)
{
	switch (random() % 8) {
	case 0:
		return 0;
	case 1:
		return (uint64_t)random() % ((uint64_t)1 << 40);
	case 2: /* around the largest delta of one event */
		return ((uint64_t)1 << 27) - 2 + (uint64_t)random() % 4;
	default:
		return (uint64_t)random() % 5000;
	}
}

static void fill(struct pages *p)
{
	static const size_t lens[] = { 0, 4, 20, 28, 36, 60, 84, 108, 112, 116, 300, 1000 };
	uint8_t payload[1000];
	uint64_t ts = p->ts;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)random();
	for (;;) {
		size_t len = lens[(size_t)random() % (sizeof(lens) / sizeof(*lens))];

		ts += random_step();
		if (pages_left(p) < len + 40)
			break;
		switch (random() % 12) {
		case 0:
			pages_time_stamp(p, ts);
			break;
		case 1:
			pages_time_extend(p, random_step());
			ts = p->ts;
			break;
		case 2:
			CHECK(pages_event_long(p, ts, payload, len));
			break;
		case 3: /* kbuffer takes the 1 of a discarded event as time */
			pages_discarded(p, 2 + (uint32_t)random() % 1000, len + 4);
			ts = p->ts;
			break;
		default:
			CHECK(pages_event(p, ts, payload, len));
			break;
		}
	}
	if (random() % 2)
		pages_padding(p);
	if (random() % 4 == 0)
		pages_missed(p, (uint64_t)random() % 2 ? (uint64_t)random() : 0);
}

TEST(random_pages_of_every_shape_walk_as_kbuffer_walks_them)
{
	static const size_t sizes[] = { 4096, 16384, 65536 };
	char what[100];
	size_t nr = 0;

	for (unsigned int seed = 1; seed <= 600; seed++) {
		CLEANUP(pages_free) struct pages p;
		const struct pages_opts o = { .size = sizes[seed % 3],
					      .big = seed & 1,
					      .long_size = seed & 2 ? 4 : 8 };

		srandom(seed);
		pages_begin(&p, &o, (uint64_t)random() << 12);
		fill(&p);
		/* The two differ, on purpose, where a count is flagged but the page
		 * has no room for it. */
		if (p.lost && pages_left(&p) < o.long_size)
			pages_missed(&p, 0);
		snprintf(what, sizeof(what), "seed %u", seed);
		nr += compare(pages_end(&p), &o, what);
	}
	CHECK(nr > 50000);
}

static bool put_text(const char *dir, const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static char instance[200];

static void remove_instance(void)
{
	rmdir(instance);
}

/* What @dir gives of one CPU, compared page by page. */
static size_t compare_cpu(const char *dir, unsigned int cpu)
{
	const struct pages_opts o = { .size = 4096 };
	_Alignas(8) uint8_t page[4096];
	char path[300];
	size_t nr = 0;

	snprintf(path, sizeof(path), "%s/per_cpu/cpu%u/trace_pipe_raw", dir, cpu);
	auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	for (unsigned int i = 0; fd >= 0 && i < 4000; i++) {
		if (read(fd, page, sizeof(page)) != sizeof(page))
			break;
		snprintf(path, sizeof(path), "cpu %u page %u", cpu, i);
		nr += compare((struct span){ page, sizeof(page) }, &o, path);
	}
	return nr;
}

TEST(pages_of_this_kernel_walk_as_kbuffer_walks_them)
{
	struct stat st;
	size_t nr = 0;

	snprintf(instance, sizeof(instance), "/sys/kernel/tracing/instances/allocprof-test-%d",
		 (int)getpid());
	if (mkdir(instance, 0700))
		test_skip("no tracefs instance can be made");
	atexit(remove_instance);
	if (!put_text(instance, "buffer_size_kb", "64") ||
	    !put_text(instance, "events/kmem/enable", "1"))
		test_skip("no kmem events");
	for (int i = 0; i < 3000; i++)
		CHECK(stat("/proc/self/status", &st) == 0 && access("/nonexistent", 0));
	CHECK(put_text(instance, "tracing_on", "0"));
	for (unsigned int cpu = 0; cpu < 256; cpu++)
		nr += compare_cpu(instance, cpu);
	CHECK(nr > 100);
}
