// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/elfdwarf.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/xalloc.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* What deflate can do at best is 1,032 times; debug sections are never near it. */
enum { MAX_RATIO = 1032 };

static const char *const names[NR_DWSECTIONS] = {
	[DWSECTION_INFO] = "info",	   [DWSECTION_ABBREV] = "abbrev",
	[DWSECTION_LINE] = "line",	   [DWSECTION_STR] = "str",
	[DWSECTION_LINE_STR] = "line_str", [DWSECTION_STR_OFFSETS] = "str_offsets",
	[DWSECTION_ADDR] = "addr",	   [DWSECTION_RANGES] = "ranges",
	[DWSECTION_RNGLISTS] = "rnglists",
};

/* Which section @name is; NR_DWSECTIONS for none that is wanted. */
static enum dwsection section_of(const char *name, bool split, bool *ret_old)
{
	size_t len = strlen(name);

	*ret_old = !strncmp(name, ".zdebug_", 8);
	if (!*ret_old && strncmp(name, ".debug_", 7))
		return NR_DWSECTIONS;
	name += 7 + *ret_old;
	len -= 7u + *ret_old;
	if (split != (len > 4 && !strcmp(name + len - 4, ".dwo")))
		return NR_DWSECTIONS;
	len -= split ? 4 : 0;
	for (enum dwsection i = 0; i < NR_DWSECTIONS; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return i;
	return NR_DWSECTIONS;
}

static bool plausible(uint64_t size, uint64_t packed)
{
	return size && size / MAX_RATIO <= packed;
}

/* libelf of this age knows no zstd. */
static struct span unpack_zstd(const Elf_Data *data, size_t header, uint64_t size, void **ret)
{
	if (header > data->d_size || !plausible(size, data->d_size) || !(*ret = malloc(size)))
		return (struct span){};
	size_t len = ZSTD_decompress(*ret, size, (const char *)data->d_buf + header,
				     data->d_size - header);

	return ZSTD_isError(len) ? (struct span){} : (struct span){ *ret, len };
}

/* Packed as the file's header of the section says. */
static struct span unpack(Elf *elf, Elf_Scn *scn, void **ret)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	GElf_Chdr chdr;

	if (!data || !data->d_buf || !gelf_getchdr(scn, &chdr))
		return (struct span){};
	if (chdr.ch_type == ELFCOMPRESS_ZSTD)
		return unpack_zstd(data,
				   gelf_getclass(elf) == ELFCLASS64 ? sizeof(Elf64_Chdr)
								    : sizeof(Elf32_Chdr),
				   chdr.ch_size, ret);
	if (!plausible(chdr.ch_size, data->d_size) || elf_compress(scn, 0, 0) < 0)
		return (struct span){};
	data = elf_getdata(scn, NULL);
	return data && data->d_buf ? (struct span){ data->d_buf, data->d_size }
				   : (struct span){};
}

/* "ZLIB", the size with its highest byte first, then the stream. */
static struct span unpack_old(Elf_Scn *scn)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	uint64_t size;

	if (!data || !data->d_buf)
		return (struct span){};
	struct bytes b =
		bytes_of(data->d_buf, data->d_size, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	if (!bytes_skip(&b, 4) || !bytes_u64(&b, &size) || !plausible(size, data->d_size) ||
	    elf_compress_gnu(scn, 0, 0) < 0)
		return (struct span){};
	data = elf_getdata(scn, NULL);
	return data && data->d_buf ? (struct span){ data->d_buf, data->d_size }
				   : (struct span){};
}

void elfdwarf_init(struct elfdwarf *ed, Elf *elf, bool split)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr ehdr;
	size_t strings;

	*ed = (struct elfdwarf){ .file.split = split };
	if (!gelf_getehdr(elf, &ehdr) || elf_getshdrstrndx(elf, &strings))
		return;
	ed->file.swap = (ehdr.e_ident[EI_DATA] == ELFDATA2LSB) !=
			(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *name = gelf_getshdr(scn, &shdr)
					   ? elf_strptr(elf, strings, shdr.sh_name)
					   : NULL;
		bool old;
		enum dwsection i = name ? section_of(name, split, &old) : NR_DWSECTIONS;

		if (i == NR_DWSECTIONS || shdr.sh_type == SHT_NOBITS || ed->file.section[i].len)
			continue;
		if (old) {
			ed->file.section[i] = unpack_old(scn);
		} else if (shdr.sh_flags & SHF_COMPRESSED) {
			ed->file.section[i] = unpack(elf, scn, &ed->unpacked[i]);
		} else {
			Elf_Data *data = elf_getdata(scn, NULL);

			if (data && data->d_buf)
				ed->file.section[i] =
					(struct span){ data->d_buf, data->d_size };
		}
	}
	dwfile_init(&ed->file);
}

void elfdwarf_deinit(struct elfdwarf *ed)
{
	dwfile_deinit(&ed->file);
	for (size_t i = 0; i < NR_DWSECTIONS; i++)
		free(ed->unpacked[i]);
}

bool elfdwarf_alt(Elf *elf, const char **ret_name, struct span *ret_build_id)
{
	Elf_Scn *scn = NULL;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *name = gelf_getshdr(scn, &shdr)
					   ? elf_strptr(elf, strings, shdr.sh_name)
					   : NULL;
		Elf_Data *data =
			name && !strcmp(name, ".gnu_debugaltlink") && shdr.sh_type != SHT_NOBITS
				? elf_rawdata(scn, NULL)
				: NULL;

		if (!data || !data->d_buf)
			continue;
		struct bytes b = bytes_of(data->d_buf, data->d_size, false);

		return bytes_str(&b, ret_name) && **ret_name &&
		       bytes_span(&b, bytes_left(&b), ret_build_id);
	}
	return false;
}
