// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a vmlinux and as a module: whatever opens answers for any address. */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>

#include "resolve/debuginfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ADDR = 256, MAX_CHAIN = 64 };

static void ask(struct debuginfo *di, uint64_t pc)
{
	struct debuginfo_frame chain[MAX_CHAIN];
	struct debuginfo_call call;
	uint64_t entry[8], target;
	size_t i = 0;
	bool tail;

	assert(debuginfo_chain(di, pc, chain, MAX_CHAIN) <= MAX_CHAIN);
	debuginfo_branch_at(di, pc, &target, &tail);
	for (int n = 0; n < 64 && debuginfo_call_in(di, pc, &i, &call); n++) {
		struct debuginfo_call again;

		debuginfo_call_at(di, call.ret_pc, &again);
		assert(debuginfo_entries(di, &call, entry, 8) <= 8);
		debuginfo_chain(di, call.ret_pc - 1, chain, MAX_CHAIN);
	}
}

static void ask_all(const char *path, const struct module *module, const uint8_t *data,
		    size_t size)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
	auto_err struct err *err = debuginfo_open(path, module, pool, &di);
	struct debuginfo_symbol sym;

	if (err)
		return;
	size_t n = 0;

	for (size_t i = 0; n < MAX_ADDR && debuginfo_next_symbol(di, &i, &sym); n++)
		ask(di, sym.value);
	/* Any eight bytes may be an address that it knows. */
	for (size_t off = 0; n < 2 * MAX_ADDR && off + 8 <= size; off += 8, n++) {
		uint64_t pc;

		memcpy(&pc, data + off, 8);
		ask(di, pc);
	}
	for (uint64_t pc = 0x1000; pc < 0x1100; pc++)
		ask(di, pc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct module_section section[] = { { ".text", 0x1000 }, { ".init.text", 0x2000 } };
	struct module module = { .name = "m", .section = section, .nr_sections = 2 };
	auto_fd int fd = memfd_create("elf", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ask_all(path, NULL, data, size);
	ask_all(path, &module, data, size);
	return 0;
}
