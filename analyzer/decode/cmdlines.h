/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/cmdlines.h - the names of tasks by pid
 *
 * In:     the text of tracefs' saved_cmdlines, "PID NAME" a line: any bytes
 * Rules:  (1) a line that is none is left out; of two for one pid the first counts
 */
#ifndef DECODE_CMDLINES_H
#define DECODE_CMDLINES_H

#include "base/bytes.h"
#include "base/cleanup.h"

struct cmdlines;

struct cmdlines *cmdlines_parse(struct span text);
void cmdlines_free(struct cmdlines *cmdlines);
DEFINE_CLEANUP(struct cmdlines *, cmdlines, cmdlines_free)

/* The name of the task @pid, or NULL; pid 0 is "swapper". O(log n). */
const char *cmdlines_name(const struct cmdlines *cmdlines, int32_t pid);

#endif
