/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/modwatch.h - modules that come while something is recorded, and may go again
 *
 * In:     the kernel's word that a module was loaded (a uevent)
 * Out:    what /proc and /sys say of it at that time
 * Not:    wakes up for anything else; a module that is gone within a moment has no
 *         name
 * Use:    modwatch_start, modwatch_add, modwatch_stop
 * Rules:  (1) without uevents, as in a container, nothing is seen, and nothing fails
 */
#ifndef CAPTURE_MODWATCH_H
#define CAPTURE_MODWATCH_H

#include <sys/types.h>

#include "capture/texts.h"

struct modwatch;

/* NULL where there are no uevents. Waits until the thread has told its tid. */
struct modwatch *modwatch_start(void);
/* Accepts NULL. */
void modwatch_stop(struct modwatch *watch);
DEFINE_CLEANUP(struct modwatch *, modwatch, modwatch_stop)

/* The thread that watches; 0 for NULL. */
pid_t modwatch_tid(const struct modwatch *watch);

/*
 * Appends to the texts of a recording's start the lines of modules that came
 * since and are not there: BLOB_MODULES, _SECTIONS and _BUILD_IDS of @blobs, and
 * @kallsyms. Accepts NULL.
 */
void modwatch_add(struct modwatch *watch, struct texts *blobs, struct text *kallsyms);

/* Whether a uevent of @len bytes says that a module was loaded. */
bool modwatch_is_load(const char *event, size_t len);

#endif
