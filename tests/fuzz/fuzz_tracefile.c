// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a trace.dat: it opens or not, and what opens is read to its end. */
#include "decode/tracefile.h"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cpu(const struct tracefile *file, size_t buffer, size_t i)
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	struct span page = {};
	uint64_t damaged;

	err_free(page_reader_open(file, buffer, i, &reader));
	do {
		auto_err struct err *err = page_reader_next(reader, &page, &damaged);

		if (err)
			return;
		assert(!page.data || page.len == tracefile_subbuf_size(file, buffer));
	} while (page.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fd int fd = memfd_create("trace.dat", MFD_CLOEXEC);
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	auto_err struct err *err = tracefile_open(path, &file);

	if (err)
		return 0;
	for (size_t b = 0; b < tracefile_nr_buffers(file); b++)
		for (size_t i = 0; i < tracefile_nr_cpus(file, b); i++)
			read_cpu(file, b, i);
	return 0;
}
