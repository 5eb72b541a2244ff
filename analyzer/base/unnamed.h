/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/unnamed.h - files that are gone with their descriptor
 *
 * Use:    for what does not fit in memory, or is only of use until the end
 * Rules:  nothing of them stays, however the process ends
 */
#ifndef BASE_UNNAMED_H
#define BASE_UNNAMED_H

/* One on the file system of @dir, to read and write; below 0, and errno, when there is none. */
int unnamed_open(const char *dir);

#endif
