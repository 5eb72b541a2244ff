// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a perf.data: it opens or not, and what opens is read to its end. */
#include "decode/perfdata.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each byte that is handed out can be read. */
static unsigned int touch(struct span span)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < span.len; i++)
		sum += span.data[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fd int fd = memfd_create("perf.data", MFD_CLOEXEC);
	CLEANUP(perfdata_cleanup) struct perfdata *perf = NULL;
	struct perfdata_record record;
	volatile unsigned int sum = 0;
	const char *file, *hex;
	bool any = true;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	auto_err struct err *err = perfdata_open(path, &perf);

	if (err)
		return 0;
	for (size_t i = 0; perfdata_build_id(perf, i, &file, &hex); i++)
		assert(strlen(hex) <= 40);
	while (any) {
		auto_err struct err *end = perfdata_next(perf, &record, &any);

		if (end)
			return 0;
		if (any)
			sum += touch(record.raw) + touch(record.chain) + touch(record.name);
	}
	return 0;
}
