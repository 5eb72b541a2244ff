// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include <sys/random.h>
#include <time.h>

struct hash_secret hash_secret(void)
{
	struct hash_secret s;

	/* Where the system has no randomness, the time is better than a constant. */
	if (getrandom(&s, sizeof(s), 0) != (ssize_t)sizeof(s)) {
		struct timespec ts = { 0 };

		clock_gettime(CLOCK_MONOTONIC, &ts);
		s.add = (uint64_t)ts.tv_nsec;
		s.mul = ((uint64_t)ts.tv_nsec + (uint64_t)ts.tv_sec) * 0xd6e8feb86659fd93;
	}
	s.mul |= 1;
	return s;
}
