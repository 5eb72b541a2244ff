/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/instance.h - a tracefs instance of our own
 *
 * In:     the path of tracefs
 * Out:    a directory below instances/ with buffers, clock and events that
 *         nobody else uses; nothing outside of it is changed
 * Use:    instance_sweep, instance_create, set up, instance_switch, …,
 *         instance_remove
 * Rules:  (1) the name tells the owner by pid and start time, so that what a
 *             killed recorder left is known from what a living one uses
 *         (2) until instance_switch(on) it does not record
 *         (3) all files in it have to be closed before instance_remove()
 */
#ifndef CAPTURE_INSTANCE_H
#define CAPTURE_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/cpulist.h"

struct instance {
	char *dir; /* NULL: there is none */
};

/* Removes the instances whose owner is gone; those it cannot remove stay. */
void instance_sweep(const char *tracedir);
/* Whether @name is that of an instance of ours whose owner is gone. */
bool instance_is_stale(const char *name);

struct err *instance_create(const char *tracedir, struct instance *ret) MUST_CHECK;
/* The instance is gone; accepts one that never was. */
struct err *instance_remove(struct instance *instance) MUST_CHECK;

/* The first of mono, local that this kernel has; *ret is static. */
struct err *instance_set_clock(const struct instance *instance, const char **ret) MUST_CHECK;
/* Records on @cpus only; @all says that they are all there are. */
struct err *instance_set_cpus(const struct instance *instance, const struct cpulist *cpus,
			      bool all) MUST_CHECK;
/* @bytes of buffer for each of @cpus; gives what the kernel made of it. Sets the sub-buffers. */
struct err *instance_set_buffer(const struct instance *instance, const struct cpulist *cpus,
				bool all, uint64_t bytes, uint64_t *ret) MUST_CHECK;
struct err *instance_switch(const struct instance *instance, bool on) MUST_CHECK;

/* Bytes of a sub-buffer with its header, from the instance's own header_page. */
struct err *instance_subbuf_size(const struct instance *instance, uint32_t *ret) MUST_CHECK;

struct instance_stats {
	uint64_t entries; /* in the buffer, not read */
	uint64_t bytes;	  /* of these */
	uint64_t read;
	uint64_t overrun;
	uint64_t commit_overrun;
	uint64_t dropped;
};

/* What the kernel counts for @cpu. */
struct err *instance_stats(const struct instance *instance, unsigned int cpu,
			   struct instance_stats *ret) MUST_CHECK;
uint64_t instance_lost(const struct instance_stats *stats);

#endif
