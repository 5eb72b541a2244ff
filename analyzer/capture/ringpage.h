/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/ringpage.h - a sub-buffer as the kernel lays it out, on a 64-bit machine
 *
 * In:     the events of one CPU, in their order
 * Out:    pages that ringpage_header() describes
 * Use:    ringpage_begin, ringpage_add until it says that the page is full,
 *         ringpage_end; again
 * Rules:  (1) a step back in time is an absolute time stamp, as the kernel has it
 */
#ifndef CAPTURE_RINGPAGE_H
#define CAPTURE_RINGPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RINGPAGE_SIZE = 16384, RINGPAGE_MAX = 12000 /* bytes of an event */ };

struct ringpage {
	uint64_t ts;
	uint64_t lost; /* events, in front of the page; 0: none */
	size_t len;
	uint8_t data[RINGPAGE_SIZE];
};

/* The text of events/header_page. */
extern const char ringpage_header[];

void ringpage_begin(struct ringpage *page, uint64_t ts, uint64_t lost);
/* @len is at most RINGPAGE_MAX; false when the page has no room for it. */
bool ringpage_add(struct ringpage *page, uint64_t ts, const void *event, size_t len);
/* page->data is whole. */
void ringpage_end(struct ringpage *page);

#endif
