// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>

#include "base/xalloc.h"
#include "resolve/elfopen.h"

enum { MAX_SECTIONS = 4096 };

/* The address most functions of a section agree on (Boyer and Moore's vote). */
struct vote {
	uint64_t addr;
	size_t lead, nr, agree;
};

struct layout {
	Elf *elf;
	struct kallsyms *kallsyms;
	const char *module;
	struct vote vote[MAX_SECTIONS];
};

static void layout_free(struct layout *l)
{
	if (!l)
		return;
	elf_end(l->elf);
	free(l);
}
DEFINE_CLEANUP(struct layout *, layout, layout_free)

/* The only function of that name in the module; false for none or several. */
static bool recorded(struct layout *l, const char *name, uint64_t *ret)
{
	const struct ksym *sym;
	size_t nr = 0;

	for (size_t i = 0; (sym = kallsyms_find(l->kallsyms, name, i)); i++) {
		if (!sym->module || strcmp(sym->module, l->module))
			continue;
		*ret = sym->addr;
		nr++;
	}
	return nr == 1;
}

static void cast(struct vote *v, uint64_t addr, bool count)
{
	if (count) {
		v->nr++;
		v->agree += v->addr == addr;
	} else if (!v->lead) {
		v->addr = addr;
		v->lead = 1;
	} else {
		v->lead += v->addr == addr ? 1 : (size_t)-1;
	}
}

/* Once to elect, once more to @count who agrees. */
static void poll_symbols(struct layout *l, Elf_Scn *symtab, const GElf_Shdr *shdr, bool count)
{
	Elf_Data *data = elf_getdata(symtab, NULL);
	size_t nr = data && shdr->sh_entsize ? data->d_size / shdr->sh_entsize : 0;

	for (size_t i = 0; i < nr && i < INT32_MAX; i++) {
		GElf_Sym sym;
		uint64_t addr;

		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_shndx || sym.st_shndx >= MAX_SECTIONS)
			continue;
		const char *name = elf_strptr(l->elf, shdr->sh_link, sym.st_name);

		if (name && recorded(l, name, &addr))
			cast(&l->vote[sym.st_shndx], addr - sym.st_value, count);
	}
}

static struct err *collect(struct layout *l, struct pool *pool, struct module_section **ret,
			   size_t *ret_nr)
{
	auto_free struct module_section *section = NULL;
	size_t nr = 0, cap = 0, symbols = 0, agree = 0, strings;

	if (elf_getshdrstrndx(l->elf, &strings))
		return err_new(ERR_FORMAT, "no section names");
	for (size_t i = 1; i < MAX_SECTIONS; i++) {
		GElf_Shdr shdr;

		symbols += l->vote[i].nr;
		agree += l->vote[i].agree;
		if (!l->vote[i].nr || !gelf_getshdr(elf_getscn(l->elf, i), &shdr))
			continue;
		const char *name = elf_strptr(l->elf, strings, shdr.sh_name);

		if (!name)
			continue;
		vec_room(section, nr, cap);
		section[nr++] =
			(struct module_section){ pool_str(pool, name), l->vote[i].addr };
	}
	if (agree * 20 < symbols * 19)
		return err_new(ERR_FORMAT,
			       "another build: %zu of %zu functions lie elsewhere in the "
			       "recording's kallsyms",
			       symbols - agree, symbols);
	*ret = take_ptr(section);
	*ret_nr = nr;
	return NULL;
}

struct err *layout_guess(const char *path, const char *name, struct kallsyms *kallsyms,
			 struct pool *pool, struct module_section **ret, size_t *ret_nr)
{
	CLEANUP(layout_cleanup) struct layout *l = xcalloc(1, sizeof(*l));
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;

	if (fd < 0)
		return err_os(errno, "%s", path);
	l->elf = elfopen(&fd);
	l->kallsyms = kallsyms;
	l->module = name;
	while (l->elf && (scn = elf_nextscn(l->elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB)
			continue;
		poll_symbols(l, scn, &shdr, false);
		poll_symbols(l, scn, &shdr, true);
		break;
	}
	if (!l->elf)
		return err_new(ERR_FORMAT, "%s: not an ELF file", path);
	return err_wrap(collect(l, pool, ret, ret_nr), "%s", path);
}
