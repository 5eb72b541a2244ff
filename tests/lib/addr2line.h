/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/addr2line.h - inline chains beside those of eu-addr2line
 */
#ifndef TESTS_LIB_ADDR2LINE_H
#define TESTS_LIB_ADDR2LINE_H

#include "resolve/debuginfo.h"

struct addr2line {
	size_t same;
	size_t longer; /* theirs leaves out frames that ours has */
	size_t other;  /* these are printed */
};

bool addr2line_exists(void);

/*
 * Asks eu-addr2line about @path for the addresses in file @sites, hexadecimal and
 * one a line, and @di for the same. False when it fails.
 */
bool addr2line_compare(struct debuginfo *di, const char *path, const char *sites,
		       struct addr2line *ret);

#endif
