/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/err.h - the one way to fail
 *
 * A function that can fail returns `struct err *`: NULL is success, anything
 * else is owned by the caller, who returns it, wraps it or frees it. Results
 * go through last parameters named `ret`, which a failing function leaves
 * untouched. Whoever knows more than the callee wraps, so that main prints one
 * line from the outside in:
 *
 *	allocprof: trace.dat: cpu 2: page 17: event of 260 bytes passes the
 *	commit mark at 0xf80
 *
 * Nothing below cmd/ prints an error or exits.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/cleanup.h"

enum err_kind {
	ERR_OS,		 /* the system refused: a path, a permission, a full disk */
	ERR_FORMAT,	 /* the input is wrong */
	ERR_UNSUPPORTED, /* the input is right, but beyond this program */
	ERR_DB,		 /* SQLite refused */
	ERR_USAGE,	 /* the command line is wrong: exit status 2 */
};

struct err;

#define ERR_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define MUST_CHECK	 __attribute__((warn_unused_result))

/* A new error with the given text; never NULL. */
struct err *err_new(enum err_kind kind, const char *fmt, ...) ERR_PRINTF(2, 3) MUST_CHECK;

/* A new ERR_OS error, "text: strerror(errnum)"; never NULL. */
struct err *err_os(int errnum, const char *fmt, ...) ERR_PRINTF(2, 3) MUST_CHECK;

/* @err with "text: " put before its own; consumes @err, passes NULL through. */
struct err *err_wrap(struct err *err, const char *fmt, ...) ERR_PRINTF(2, 3) MUST_CHECK;

/* The text of one line, without a line feed; owned by @err. */
const char *err_text(const struct err *err);
enum err_kind err_kind(const struct err *err);
/* The errno of an ERR_OS error, else 0. */
int err_errno(const struct err *err);

/* Accepts NULL. */
void err_free(struct err *err);
DEFINE_CLEANUP(struct err *, err, err_free)
#define auto_err CLEANUP(err_cleanup)

/* Returns from the calling function when @expr fails. */
#define TRY(expr)                              \
	do {                                   \
		struct err *try_err_ = (expr); \
		if (try_err_)                  \
			return try_err_;       \
	} while (0)

#endif
