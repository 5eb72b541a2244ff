/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/test.h - the harness of the C tests
 *
 * A test program is one file of TEST(behaviour_as_a_sentence) { … } blocks and
 * nothing else: main is in test.c, registration is by constructor, each test
 * runs in a process of its own, so that a crash costs one test. Output is one
 * line a test, "ok NAME", "not ok NAME" or "skip NAME: reason"; tests/run adds
 * them up.
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef void test_fn(void);
void test_register(const char *name, test_fn *fn);

/* These end the running test. */
__attribute__((noreturn, format(printf, 3, 4))) void test_fail(const char *file, int line,
							       const char *fmt, ...);
__attribute__((noreturn, format(printf, 1, 2))) void test_skip(const char *fmt, ...);

/* A directory for this test's files, removed when it ends. */
const char *test_dir(void);

#define TEST(name)                                                     \
	static void test_##name(void);                                 \
	__attribute__((constructor)) static void register_##name(void) \
	{                                                              \
		test_register(#name, test_##name);                     \
	}                                                              \
	static void test_##name(void)

#define CHECK(cond)                                                 \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

#define CHECK_EQ(a, b)                                                                 \
	do {                                                                           \
		int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                          \
		if (a_ != b_)                                                          \
			test_fail(__FILE__, __LINE__,                                  \
				  "%s is %" PRId64 " (%#" PRIx64 "), not %s: %" PRId64 \
				  " (%#" PRIx64 ")",                                   \
				  #a, a_, (uint64_t)a_, #b, b_, (uint64_t)b_);         \
	} while (0)

#define CHECK_STR(a, b)                                                               \
	do {                                                                          \
		const char *a_ = (a), *b_ = (b);                                      \
		if (!a_ || strcmp(a_, b_))                                            \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #a, \
				  a_ ? a_ : "(null)", b_);                            \
	} while (0)

/* The call succeeds; its error is the message otherwise. */
#define CHECK_OK(expr)                                                                \
	do {                                                                          \
		struct err *e_ = (expr);                                              \
		if (e_)                                                               \
			test_fail(__FILE__, __LINE__, "%s: %s", #expr, err_text(e_)); \
	} while (0)

/* The call fails with a text that holds @part. */
#define CHECK_ERR(expr, part)                                                           \
	do {                                                                            \
		struct err *e_ = (expr);                                                \
		if (!e_)                                                                \
			test_fail(__FILE__, __LINE__, "%s did not fail", #expr);        \
		if (!strstr(err_text(e_), part))                                        \
			test_fail(__FILE__, __LINE__, "%s: \"%s\" lacks \"%s\"", #expr, \
				  err_text(e_), part);                                  \
		err_free(e_);                                                           \
	} while (0)

#endif
