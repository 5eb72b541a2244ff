/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/tally.h - what the kernel counts of each CPU's ring buffer
 *
 * In:     an instance's per_cpu/cpuN/stats
 * Out:    events recorded and lost; at the end also the texts, into the recording
 * Rules:  (1) what could not be drained is lost
 *         (2) a CPU that nobody reads, since it came online while recording, has lost all
 *             it had
 */
#ifndef CAPTURE_TALLY_H
#define CAPTURE_TALLY_H

#include "capture/instance.h"
#include "capture/recording.h"

struct tally {
	struct instance_stats *cpu; /* in the order of the recording's CPUs */
	size_t nr;
	uint64_t late_lost; /* on CPUs that came online while recording */
};

struct tally_sum {
	uint64_t events; /* recorded, lost ones not among them */
	uint64_t lost;
	uint64_t waiting; /* bytes of events that are in the buffers */
};

/* While recording. A count that cannot be had now is missing. */
struct tally_sum tally_now(const struct instance *instance, const struct cpulist *cpus);

/* Once all is read; @all: every CPU that was online at the start is recorded. */
struct err *tally_end(const struct instance *instance, bool all, struct recording *rec,
		      struct tally *ret) MUST_CHECK;
struct tally_sum tally_sum(const struct tally *tally);
/* Accepts one of zeros. */
void tally_deinit(struct tally *tally);

#endif
