/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/cleanup.h - the one way to release what a scope holds
 *
 * Every resource of a function is declared with an attribute that releases it
 * when the scope ends, so that an early return can leak nothing:
 *
 *	auto_free char *name = xstrdup(path);
 *	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	CLEANUP(thing_deinit) struct thing t = {};
 *
 * To keep the resource, hand it over: `return take_ptr(name);`.
 * There is no `goto out` in this tree.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Defines name_cleanup(T **) for CLEANUP(): calls fn(*p); fn accepts NULL. */
#define DEFINE_CLEANUP(type, name, fn)             \
	static inline void name##_cleanup(type *p) \
	{                                          \
		fn(*p);                            \
	}

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file_(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define auto_free CLEANUP(cleanup_free_)
#define auto_fd	  CLEANUP(cleanup_fd_)
#define auto_file CLEANUP(cleanup_file_)

/* The value of @p, which the scope no longer owns. */
#define take_ptr(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* The descriptor in @fd, which the scope no longer owns. */
#define take_fd(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

#endif
