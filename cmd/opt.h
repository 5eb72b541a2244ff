/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opt.h - a table of options that parses the command line and prints the help
 *
 *	struct args { const char *input; struct opt_list dirs; uint64_t count; };
 *
 *	static const struct opt opts[] = {
 *		{ 'i', "input", "FILE", OPT_TEXT(struct args, input), "the recording" },
 *		{ 0, "debug-dir", "DIR", OPT_LIST(struct args, dirs), "…" },
 *		{ 'n', NULL, "COUNT", OPT_NUMBER(struct args, count), "…" },
 *		{}
 *	};
 *
 * Accepted: -iFILE, -i FILE, --input=FILE, --input FILE, -ab for two flags. An
 * arg in brackets ("[LEVEL]") is optional and must then touch its option:
 * -z3, --compress=3; without it the text is "". "--" ends the options. An
 * option given twice keeps the last value, a list keeps all.
 */
#ifndef OPT_H
#define OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt_type {
	OPT_END,
	OPT_IS_FLAG,	/* bool */
	OPT_IS_TEXT,	/* const char *, borrowed from the command line */
	OPT_IS_LIST,	/* struct opt_list */
	OPT_IS_NUMBER,	/* uint64_t */
	OPT_IS_SIZE,	/* uint64_t bytes: 4096, 64K, 16M, 2G */
	OPT_IS_SECONDS, /* uint64_t ns: 10, 0.5, 2m, 1h */
};

struct opt_list {
	const char **item; /* NULL-terminated; NULL when empty */
	size_t nr;
};

struct opt {
	char letter;	  /* 0 for none */
	const char *name; /* NULL for none */
	const char *arg;  /* what the help calls it; NULL for a flag */
	enum opt_type type;
	size_t off; /* in the struct of the command */
	const char *help;
};

#define OPT_MEMBER_(s, member, ctype) \
	(offsetof(s, member) + 0 * sizeof((ctype *)0 == &((s *)0)->member))
#define OPT_FLAG(s, m)	  OPT_IS_FLAG, OPT_MEMBER_(s, m, bool)
#define OPT_TEXT(s, m)	  OPT_IS_TEXT, OPT_MEMBER_(s, m, const char *)
#define OPT_LIST(s, m)	  OPT_IS_LIST, OPT_MEMBER_(s, m, struct opt_list)
#define OPT_NUMBER(s, m)  OPT_IS_NUMBER, OPT_MEMBER_(s, m, uint64_t)
#define OPT_SIZE(s, m)	  OPT_IS_SIZE, OPT_MEMBER_(s, m, uint64_t)
#define OPT_SECONDS(s, m) OPT_IS_SECONDS, OPT_MEMBER_(s, m, uint64_t)

enum opt_wish { OPT_RUN, OPT_HELP, OPT_VERSION };

/**
 * opt_parse() - fill @args from the command line
 * @opts:    the table
 * @options_first: stop at the first word that is no option; otherwise words and
 *           options mix
 * @argv:    NULL-terminated, without program and command name; what is left
 *           when the options are taken out is moved to its front
 * @args:    the struct that the table describes
 * @ret:     OPT_HELP and OPT_VERSION when -h, --help or --version was met:
 *           nothing behind it has been looked at
 *
 * Return: ERR_USAGE naming the option.
 */
struct err *opt_parse(const struct opt *opts, bool options_first, char **argv, void *args,
		      enum opt_wish *ret) MUST_CHECK;

/* As the values of OPT_SIZE and OPT_SECONDS; false where @text is none. */
bool opt_size(const char *text, uint64_t *ret);
bool opt_seconds(const char *text, uint64_t *ret_ns);

/* Frees the lists in @args. */
void opt_release(const struct opt *opts, void *args);

/* The table as the lines of a help text, on stdout. */
void opt_print(const struct opt *opts);

#endif
