/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/download.h - debug information from debuginfod servers
 *
 * In:     a build-id; the servers are those of DEBUGINFOD_URLS
 * Out:    the path of a file in the cache that all programs share
 * Not:    a part of the build: libdebuginfod is looked for when it is needed
 * Rules:  (1) nothing is asked of a server but a build-id, and only on request
 *         (2) what comes is checked like any other file by who opens it
 */
#ifndef RESOLVE_DOWNLOAD_H
#define RESOLVE_DOWNLOAD_H

#include <stdint.h>

#include "base/cleanup.h"

struct download;

/* @progress may be NULL; @of is 0 while it is not known. NULL without the library. */
struct download *download_new(void (*progress)(void *arg, uint64_t done, uint64_t of),
			      void *arg);
void download_free(struct download *download);
DEFINE_CLEANUP(struct download *, download, download_free)

/* Path of the debug information of @build_id, in hexadecimal; owned by the caller; or NULL. */
char *download_debuginfo(struct download *download, const char *build_id);

#endif
