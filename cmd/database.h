/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * database.h - the database that a command reads, made first where it must be
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "analyze.h"
#include "opt.h"
#include "store/query.h"

/* The options of an analysis, which every command has that may need one. */
struct database_args {
	const char *input; /* a recording or a database; NULL: allocprof.dat or .db */
	const char *vmlinux;
	const char *kallsyms;
	const char *wrappers;
	bool no_cache;
	const char *from, *to; /* of a window */
	bool debuginfod;
	uint64_t memory_limit; /* bytes; 0: none */
	uint64_t threads;      /* 0: as many as there are CPUs */
	struct opt_list debug_dirs;
};

#define DATABASE_OPTS(s, member)                                                        \
	{ 0, "vmlinux", "FILE", OPT_TEXT(s, member.vmlinux),                            \
	  "the recorded kernel with its debug information" },                           \
		{ 0, "debug-dir", "DIR", OPT_LIST(s, member.debug_dirs),                \
		  "look there first for debug information; may be repeated" },          \
		{ 0, "kallsyms", "FILE", OPT_TEXT(s, member.kallsyms),                  \
		  "symbols to use instead of the recording's own" },                    \
		{ 0, "debuginfod", NULL, OPT_FLAG(s, member.debuginfod),                \
		  "ask debuginfod servers for debug information, as is done\n"          \
		  "when DEBUGINFOD_URLS is set" },                                      \
		{ 0, "wrappers", "FILE", OPT_TEXT(s, member.wrappers),                  \
		  "functions to charge to their callers, besides the\nbuilt-in ones" }, \
	{                                                                               \
		0, "no-cache", NULL, OPT_FLAG(s, member.no_cache),                      \
			"neither take nor keep the lines that addresses lead to"        \
	}

/* Of commands that can be of a part of a recording. */
#define DATABASE_WINDOW_OPTS(s, member)                                                               \
	{                                                                                             \
		0, "from", "TIME", OPT_TEXT(s, member.from),                                          \
		"only what happened from then on: seconds since the\nstart, or -SECONDS from the end" \
	},                                                                                            \
	{                                                                                             \
		0, "to", "TIME", OPT_TEXT(s, member.to), "only what happened before then"             \
	}

/* Each --debug-dir is a directory. */
struct err *database_check_dirs(const struct opt_list *dirs) MUST_CHECK;
/* That, and ERR_USAGE for a time that is none. */
struct err *database_check(const struct database_args *args) MUST_CHECK;

/* The database of a recording: X.db beside X.dat; owned by the caller. */
char *database_path(const char *recording);

/* What the options say of an analysis of @input; all of it borrowed. */
void database_analyze_opts(const struct database_args *args, const char *input,
			   const char *cache_dir, struct analyze_opts *ret);

/* Analyses the recording into @output; says in a line on stderr what came out. */
struct err *database_make(const struct database_args *args, const char *recording,
			  const char *output) MUST_CHECK;

/* The same, of a recording that was made of @origin, which the database is then of. */
struct err *database_make_of(const struct database_args *args, const char *recording,
			     const char *origin, const char *output) MUST_CHECK;

/* An error that says what to do where neither allocprof.dat nor a part of it is here. */
struct err *database_default(void) MUST_CHECK;

/*
 * Opens the database that args->input is or, for a recording, stands for: it is
 * made anew when there is none of this very recording, or one made with other
 * options. Where none can be kept beside the recording, it is one without a name.
 */
struct err *database_open(const struct database_args *args, struct query_db **ret) MUST_CHECK;

#endif
