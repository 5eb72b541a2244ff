/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/hint.h - which package has the debug information of a kernel
 *
 * In:     the release of a kernel, as uname -r prints it
 * Out:    one line for the user, by the distribution that the release tells of
 */
#ifndef RESOLVE_HINT_H
#define RESOLVE_HINT_H

#include "resolve/pool.h"

/* @release may be NULL. */
const char *hint_kernel(const char *release, struct pool *pool);

#endif
