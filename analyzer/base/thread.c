// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret, size_t stack_bytes, void *(*main)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;

	pthread_attr_init(&attr);
	if (stack_bytes)
		pthread_attr_setstacksize(&attr, stack_bytes);
	/* It inherits what is blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(ret, &attr, main, arg);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return error;
}
