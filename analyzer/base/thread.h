/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/thread.h - the one way to start a thread
 *
 * Signals are for the thread that has set something up for them, which is the main one: all
 * others begin, and stay, with every signal blocked.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* With a stack of @stack_bytes, 0: the system's size. 0, or an errno: nothing was started. */
int thread_start(pthread_t *ret, size_t stack_bytes, void *(*main)(void *arg), void *arg);

#endif
