/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flight.h - the options of record that make several files, and what becomes of them */
#ifndef FLIGHT_H
#define FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/recorder.h"
#include "capture/trigger.h"
#include "opt.h"

struct flight_args {
	const char *rotate; /* NULL: one file */
	uint64_t window_ns; /* 0: none */
	struct opt_list triggers;
};

struct flight {
	struct trigger *trigger;
	size_t nr_triggers;
	int meminfo_fd;
	char *meminfo;
	bool several; /* files */
};

/* Fills in what @recorder has to know; ERR_USAGE where options do not go together. */
struct err *flight_open(const struct flight_args *args, struct recorder_opts *recorder,
			struct flight *ret) MUST_CHECK;
void flight_close(struct flight *flight);

/* The condition that has become true, or NULL. */
const char *flight_trigger(struct flight *flight);
/* Tells which files there are since the last call. */
void flight_report(struct recorder *recorder, bool terminal);

#endif
