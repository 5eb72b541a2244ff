/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/describe.h - what a recording tells beside its events, at two times
 *
 * In:     tracefs, /proc and /sys of this machine
 * Out:    texts of a recording: formats, symbols, modules, tasks
 * Use:    describe_start before the first event; describe_now for each file that is
 *         written, on texts of its own
 * Rules:  (1) what was told at the start stays: a task or a module that is gone has
 *             its name
 */
#ifndef CAPTURE_DESCRIBE_H
#define CAPTURE_DESCRIBE_H

#include "capture/modwatch.h"
#include "capture/recording.h"

/* @instance is the folder that is recorded from. Only its header_* must be there. */
struct err *describe_start(struct recording *rec, const char *tracedir,
			   const char *instance) MUST_CHECK;

/* Adds who there was, and what came to be, since the start. @watch may be NULL. */
void describe_now(struct recording *rec, const char *tracedir, struct modwatch *watch);

#endif
