// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/bench/bench_run.c - runs a command and says what it took
 *
 *	bench_run RUNS COMMAND [ARG…]
 *
 * Prints "WALL CPU RSS": the medians of RUNS runs in seconds, and the largest
 * resident size in MB. The command's input is read anew for each run, its
 * output goes to /dev/null; a run that fails ends it all with status 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void run_child(char **argv)
{
	int null = open("/dev/null", O_WRONLY);

	lseek(0, 0, SEEK_SET);
	dup2(null, 1);
	if (!getenv("BENCH_STDERR"))
		dup2(null, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	long runs = argc > 2 ? atol(argv[1]) : 0;

	if (runs < 1) {
		fprintf(stderr, "usage: bench_run RUNS COMMAND [ARG...]\n");
		return 2;
	}
	auto_free double *wall = xcalloc(runs, sizeof(*wall));
	auto_free double *cpu = xcalloc(runs, sizeof(*cpu));
	long rss = 0;

	for (long i = 0; i < runs; i++) {
		struct rusage usage;
		int status;
		double start = now();
		pid_t pid = fork();

		if (!pid)
			run_child(argv + 2);
		if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status) {
			fprintf(stderr, "bench_run: %s failed\n", argv[2]);
			return 1;
		}
		wall[i] = now() - start;
		cpu[i] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
		rss = usage.ru_maxrss > rss ? usage.ru_maxrss : rss;
	}
	qsort(wall, runs, sizeof(*wall), compare);
	qsort(cpu, runs, sizeof(*cpu), compare);
	printf("%.3f %.3f %.1f\n", wall[runs / 2], cpu[runs / 2], (double)rss / 1024);
	return 0;
}
