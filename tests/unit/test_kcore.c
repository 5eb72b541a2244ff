// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/kcore.h"

#include <elf.h>
#include <string.h>

#include "tests/lib/test.h"

static struct core {
	Elf64_Ehdr elf;
	Elf64_Phdr part[3];
} core;

static struct span a_core(void)
{
	core = (struct core){
		.elf = {
			.e_ident = ELFMAG,
			.e_phoff = sizeof(core.elf),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3,
		},
		.part = {
			{ .p_type = PT_NOTE, .p_vaddr = 0, .p_memsz = 0x1000 },
			{ .p_type = PT_LOAD, .p_vaddr = 0xffff888000000000, .p_memsz = 0x1000,
			  .p_offset = 0x4000 },
			{ .p_type = PT_LOAD, .p_vaddr = 0xffffffff80000000, .p_memsz = 0x2000,
			  .p_offset = 0x9000 },
		},
	};
	core.elf.e_ident[EI_CLASS] = ELFCLASS64;
	return (struct span){ (const uint8_t *)&core, sizeof(core) };
}

TEST(an_address_is_found_in_the_part_that_holds_it)
{
	struct span head = a_core();
	uint64_t offset;

	CHECK(kcore_offset(head, 0xffffffff80000ff8, &offset));
	CHECK_EQ(offset, 0x9ff8);
	CHECK(kcore_offset(head, 0xffff888000000fff, &offset));
	CHECK_EQ(offset, 0x4fff);
	CHECK(!kcore_offset(head, 0xffff888000001000, &offset));
	CHECK(!kcore_offset(head, 0xffff887fffffffff, &offset));
	/* Notes are not memory. */
	CHECK(!kcore_offset(head, 0x10, &offset));
}

TEST(a_core_that_is_cut_or_is_none_has_no_addresses)
{
	uint64_t offset;

	for (size_t len = 0; len < sizeof(core); len++) {
		struct span head = a_core();

		head.len = len;
		CHECK(!kcore_offset(head, 0xffffffff80000000, &offset));
	}
	struct span head = a_core();

	core.elf.e_phoff = UINT64_MAX - 8;
	CHECK(!kcore_offset(head, 0xffffffff80000000, &offset));
	head = a_core();
	core.elf.e_ident[EI_CLASS] = ELFCLASS32;
	CHECK(!kcore_offset(head, 0xffffffff80000000, &offset));
	head = a_core();
	core.elf.e_phentsize = 32;
	CHECK(!kcore_offset(head, 0xffffffff80000000, &offset));
}
