// SPDX-License-Identifier: GPL-2.0-or-later
/* What the recorder asks of the kernel before it starts leaves no trace in itself. */
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "capture/backlog.h"
#include "tests/lib/test.h"

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

TEST(the_process_is_as_it_was_and_not_much_later)
{
	struct cpulist cpus = {};
	cpu_set_t before, after;
	double start = seconds();
	int fd = open("/dev/null", O_RDONLY);

	CHECK_OK(cpulist_online(&cpus));
	CHECK_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
	backlog_drain(&cpus, NULL, NULL);
	CHECK_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
	CHECK(CPU_EQUAL(&before, &after));
	CHECK(seconds() - start < 10);
	/* No file was left open. */
	CHECK_EQ(dup(fd), fd + 1);
	cpulist_deinit(&cpus);
}

TEST(a_cpu_that_is_not_ours_is_not_entered)
{
	cpu_set_t all, one, after;
	unsigned int last = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (unsigned int i = 0; i < CPU_SETSIZE; i++)
		last = CPU_ISSET(i, &all) ? i : last;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);

	unsigned int list[] = { last ? last - 1 : 1, 65535 };

	backlog_drain(&(struct cpulist){ .v = list, .nr = 2 }, NULL, NULL);
	CHECK_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
	CHECK(CPU_EQUAL(&one, &after));
	sched_setaffinity(0, sizeof(all), &all);
}
