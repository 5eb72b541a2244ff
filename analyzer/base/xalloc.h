/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/xalloc.h - memory whose size the program itself chose
 *
 * These end the program with a message when memory runs out. A size that comes
 * from a file is first compared with what the file can hold; what may then
 * still be large is asked for with plain malloc and checked.
 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t nr, size_t size) __attribute__((malloc, returns_nonnull));
/* @ptr resized to @nr members of @size bytes; checks the product. */
void *xreallocarray(void *ptr, size_t nr, size_t size);
/* @nr members of @size bytes, the first at the start of a cache line. */
void *xlines(size_t nr, size_t size) __attribute__((malloc, returns_nonnull));
/* Such memory, of @nr members, with room for @new_nr, which are more. */
void *xlines_grow(void *ptr, size_t nr, size_t new_nr, size_t size)
	__attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
/* At most @len bytes of @s, NUL-terminated. */
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) ERR_PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list ap) ERR_PRINTF(1, 0);

/*
 * Makes room for one more member in the array @p of *@cap members, @nr of
 * them in use: amortised O(1).
 */
#define vec_room(p, nr, cap)                                          \
	do {                                                          \
		if ((nr) >= (cap)) {                                  \
			size_t cap_ = (cap) ? (size_t)(cap)*2 : 16;   \
			(p) = xreallocarray((p), cap_, sizeof(*(p))); \
			(cap) = (__typeof__(cap))cap_;                \
		}                                                     \
	} while (0)

#endif
