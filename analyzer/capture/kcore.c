// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/kcore.h"

#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { HEAD = 1 << 16 };

/* A number in hex behind @key. */
static bool number_behind(struct span text, const char *key, uint64_t *ret)
{
	const char *pos = text.len ? memmem(text.data, text.len, key, strlen(key)) : NULL;
	char digits[17] = "";

	if (!pos)
		return false;
	pos += strlen(key);
	size_t left = text.len - (size_t)(pos - (const char *)text.data);

	memcpy(digits, pos, left < 16 ? left : 16);
	return sscanf(digits, "%" SCNx64, ret) == 1;
}

/* The address in a line of kallsyms, which ends with @name behind a blank. */
static bool symbol(struct span kallsyms, const char *name, uint64_t *ret)
{
	auto_free char *end = xasprintf(" %s\n", name);
	const uint8_t *pos =
		kallsyms.len ? memmem(kallsyms.data, kallsyms.len, end, strlen(end)) : NULL;

	if (!pos)
		return false;
	while (pos > kallsyms.data && pos[-1] != '\n')
		pos--;
	auto_free char *line = xstrndup((const char *)pos, 17);

	return sscanf(line, "%" SCNx64, ret) == 1 && *ret;
}

bool kcore_offset(struct span head, uint64_t addr, uint64_t *ret)
{
	Elf64_Ehdr elf;
	Elf64_Phdr part;

	if (head.len < sizeof(elf))
		return false;
	memcpy(&elf, head.data, sizeof(elf));
	if (memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.e_phentsize != sizeof(part))
		return false;
	for (size_t i = 0; i < elf.e_phnum; i++) {
		if (elf.e_phoff > head.len || i * sizeof(part) > head.len - elf.e_phoff ||
		    head.len - elf.e_phoff - i * sizeof(part) < sizeof(part))
			return false;
		memcpy(&part, head.data + elf.e_phoff + i * sizeof(part), sizeof(part));
		if (part.p_type != PT_LOAD || addr < part.p_vaddr ||
		    addr - part.p_vaddr >= part.p_memsz)
			continue;
		*ret = part.p_offset + (addr - part.p_vaddr);
		return true;
	}
	return false;
}

bool kcore_vmemmap(struct span kallsyms, uint64_t *ret)
{
	auto_fd int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	auto_free uint8_t *head = xcalloc(HEAD, 1);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, HEAD, 0);
	uint64_t addr, offset;

	if (len <= 0)
		return false;
	struct span span = { head, (size_t)len };

	/* The notes that debuggers of crashed kernels use have it since 6.7 or so. */
	if (number_behind(span, "SYMBOL(vmemmap)=", ret))
		return true;
	return symbol(kallsyms, "vmemmap_base", &addr) && kcore_offset(span, addr, &offset) &&
	       pread(fd, ret, sizeof(*ret), (off_t)offset) == sizeof(*ret) && *ret;
}
