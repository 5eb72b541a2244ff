// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/xalloc.h"

#include <stdio.h>
#include <string.h>

enum { CACHE_LINE = 64 };

__attribute__((noreturn, cold)) static void out_of_memory(size_t size)
{
	fprintf(stderr, "allocprof: out of memory (%zu bytes asked for)\n", size);
	_exit(1);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *xcalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size ? size : 1);

	if (!p)
		out_of_memory(nr * size);
	return p;
}

void *xreallocarray(void *ptr, size_t nr, size_t size)
{
	void *p = reallocarray(ptr, nr ? nr : 1, size);

	if (!p)
		out_of_memory(nr * size);
	return p;
}

void *xlines(size_t nr, size_t size)
{
	void *p = NULL;

	if (size && nr > SIZE_MAX / size)
		out_of_memory(SIZE_MAX);
	if (posix_memalign(&p, CACHE_LINE, nr * size))
		out_of_memory(nr * size);
	return p;
}

void *xlines_grow(void *ptr, size_t nr, size_t new_nr, size_t size)
{
	void *p = xlines(new_nr, size);

	if (nr)
		memcpy(p, ptr, nr * size);
	free(ptr);
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory(0);
	return s;
}
