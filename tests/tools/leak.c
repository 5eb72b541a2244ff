// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leak.c - a program that leaks memory of the kernel, or only uses it
 *
 * leak sockets SECONDS: opens a socket every 5 ms and closes none. leak some SECONDS:
 * opens four and closes three. leak nothing SECONDS: closes each again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("Usage: leak sockets|some|nothing SECONDS\n", stderr);
		return 2;
	}
	bool all = !strcmp(argv[1], "sockets"), some = !strcmp(argv[1], "some");
	double end = now() + atof(argv[2]);

	for (unsigned int i = 0; now() < end; i++) {
		const struct timespec pause = { .tv_nsec = some ? 1250000 : 5000000 };
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

		if (fd < 0) {
			perror("leak: socket");
			return 1;
		}
		if (!all && !(some && i % 4 == 3))
			close(fd);
		nanosleep(&pause, NULL);
	}
	/* Held until somebody has looked. */
	pause();
	return 0;
}
