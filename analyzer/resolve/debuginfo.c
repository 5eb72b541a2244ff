// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/debuginfo.h"

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include "base/xalloc.h"
#include "resolve/dwset.h"
#include "resolve/elfopen.h"
#include "resolve/srcpath.h"

/* A section with instructions that the file does hold. */
struct code {
	uint64_t addr;
	struct span bytes;
};

struct debuginfo {
	struct pool *pool;
	int fd;
	Elf *elf;
	Dwfl *dwfl; /* a module: owns elf */
	struct dwset *dwarf;
	char build_id[DEBUGINFO_BUILD_ID];
	char root[SRCPATH_MAX]; /* of the kernel tree, "" when not known */
	Elf_Data *symtab;
	size_t nr_symbols;
	GElf_Shdr symtab_shdr;
	struct code *code;
	size_t nr_codes, cap_codes;
	uint16_t machine;
};

void debuginfo_close(struct debuginfo *di)
{
	if (!di)
		return;
	dwset_free(di->dwarf);
	free(di->code);
	if (di->dwfl)
		dwfl_end(di->dwfl);
	else
		elf_end(di->elf);
	if (di->fd >= 0)
		close(di->fd);
	free(di);
}

static void find_root(struct debuginfo *di)
{
	const struct dwunit *unit;

	for (size_t i = 0; (unit = dwset_unit(di->dwarf, i)); i++)
		if (srcpath_root(unit->comp_dir, unit->name, di->root))
			return;
}

static void load_build_id(Elf *elf, char ret[DEBUGINFO_BUILD_ID])
{
	const void *id;
	ssize_t len = dwelf_elf_gnu_build_id(elf, &id);

	*ret = '\0';
	for (ssize_t i = 0; i < len && i < 64; i++)
		snprintf(ret + 2 * i, 3, "%02x", ((const uint8_t *)id)[i]);
}

void debuginfo_peek(const char *path, char ret[DEBUGINFO_BUILD_ID])
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret = '\0';
	elf_version(EV_CURRENT);
	Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;

	if (elf && elf_kind(elf) == ELF_K_ELF)
		load_build_id(elf, ret);
	elf_end(elf);
}

static void load_symtab(struct debuginfo *di)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(di->elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		di->symtab = elf_getdata(scn, NULL);
		di->symtab_shdr = shdr;
		if (di->symtab)
			di->nr_symbols = di->symtab->d_size / shdr.sh_entsize;
		return;
	}
}

static void load_code(struct debuginfo *di)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr ehdr;

	/* A module's code still wants relocation. */
	if (di->dwfl || !gelf_getehdr(di->elf, &ehdr))
		return;
	di->machine = ehdr.e_machine;
	while ((scn = elf_nextscn(di->elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
		    !(shdr.sh_flags & SHF_EXECINSTR))
			continue;
		Elf_Data *data = elf_rawdata(scn, NULL);

		if (!data || !data->d_buf)
			continue;
		vec_room(di->code, di->nr_codes, di->cap_codes);
		di->code[di->nr_codes++] =
			(struct code){ shdr.sh_addr, { data->d_buf, data->d_size } };
	}
}

static struct err *open_kernel(struct debuginfo *di)
{
	di->elf = elfopen(&di->fd);
	if (!di->elf || elf_kind(di->elf) != ELF_K_ELF)
		return err_new(ERR_FORMAT, "not an ELF file");
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(di->elf, &ehdr) || (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN))
		return err_new(ERR_FORMAT, "not a linked kernel (vmlinux)");
	return NULL;
}

struct load {
	struct debuginfo *di;
	const struct module *module;
};

static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	struct load *load = *userdata;

	(void)mod, (void)name, (void)base, (void)file_name;
	*elf = elfopen(&load->di->fd);
	return -1;
}

/* Debug information lies in the file itself, or nowhere. */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file_name, (void)link;
	(void)crc, (void)ret;
	return -1;
}

static int section_address(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			   const char *section, GElf_Word index, const GElf_Shdr *shdr,
			   Dwarf_Addr *ret)
{
	const struct load *load = *userdata;

	(void)mod, (void)name, (void)base, (void)index, (void)shdr;
	*ret = (Dwarf_Addr)-1; /* not loaded */
	for (size_t i = 0; i < load->module->nr_sections; i++)
		if (!strcmp(load->module->section[i].name, section))
			*ret = load->module->section[i].addr;
	return 0;
}

static struct err *open_module(struct debuginfo *di, const struct module *module)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = find_debuginfo,
		.section_address = section_address,
	};
	struct load load = { di, module };

	di->dwfl = dwfl_begin(&callbacks);
	if (!di->dwfl)
		return err_new(ERR_FORMAT, "%s", dwfl_errmsg(-1));
	dwfl_report_begin(di->dwfl);

	/* libdwfl asks for a range; only its relocation is wanted, so any will do. */
	Dwfl_Module *mod = dwfl_report_module(di->dwfl, module->name, 1, UINT64_MAX);
	void **userdata;

	if (!mod)
		return err_new(ERR_FORMAT, "%s", dwfl_errmsg(-1));
	dwfl_report_end(di->dwfl, NULL, NULL);
	dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = &load;

	GElf_Addr bias;

	di->elf = dwfl_module_getelf(mod, &bias);
	if (!di->elf)
		return err_new(ERR_FORMAT, "not an ELF file: %s", dwfl_errmsg(-1));
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(di->elf, &ehdr) || ehdr.e_type != ET_REL)
		return err_new(ERR_FORMAT, "not a kernel module");
	/* Relocates the debug sections, where they are; it is not asked for more. */
	dwfl_module_getdwarf(mod, &bias);
	*userdata = NULL;
	return NULL;
}

struct err *debuginfo_open(const char *path, const struct module *module, struct pool *pool,
			   struct debuginfo **ret)
{
	CLEANUP(debuginfo_cleanup) struct debuginfo *di = xcalloc(1, sizeof(*di));

	elf_version(EV_CURRENT);
	di->pool = pool;
	di->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (di->fd < 0)
		return err_os(errno, "%s", path);
	TRY(err_wrap(module ? open_module(di, module) : open_kernel(di), "%s", path));
	load_build_id(di->elf, di->build_id);
	load_symtab(di);
	load_code(di);
	di->dwarf = dwset_new(di->elf, path);
	find_root(di);
	*ret = take_ptr(di);
	return NULL;
}

const char *debuginfo_build_id(const struct debuginfo *di)
{
	return di->build_id;
}

bool debuginfo_has_dwarf(const struct debuginfo *di)
{
	return dwset_any(di->dwarf);
}

bool debuginfo_next_symbol(struct debuginfo *di, size_t *i, struct debuginfo_symbol *ret)
{
	for (; *i < di->nr_symbols && *i < INT32_MAX; ++*i) {
		GElf_Sym sym;

		if (!gelf_getsym(di->symtab, (int)*i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_BIND(sym.st_info) != STB_GLOBAL)
			continue;
		const char *name = elf_strptr(di->elf, di->symtab_shdr.sh_link, sym.st_name);

		/* _stext and _etext have no type. */
		if (!name || !*name || (GELF_ST_TYPE(sym.st_info) != STT_FUNC && *name != '_'))
			continue;
		*ret = (struct debuginfo_symbol){ name, sym.st_value };
		++*i;
		return true;
	}
	return false;
}

void debuginfo_expect(struct debuginfo *di, const uint64_t *pc, size_t nr)
{
	dwset_expect(di->dwarf, pc, nr);
}

/* The name of file @i of the unit's line table. */
static const char *file_name(struct debuginfo *di, struct dwset_unit *unit, uint64_t i)
{
	char relative[SRCPATH_MAX];
	const char *dir, *name;

	if (!dwline_name(&unit->line, i, &dir, &name))
		return NULL;
	if (!unit->file[i]) {
		auto_free char *path =
			*dir && *name != '/' ? xasprintf("%s/%s", dir, name) : xstrdup(name);

		srcpath_relative(di->root, unit->skeleton->comp_dir, path, relative);
		unit->file[i] = pool_str(di->pool, relative);
	}
	return unit->file[i];
}

static const char *scope_name(struct debuginfo *di, const struct scope *scope)
{
	const char *name = dwset_name(di->dwarf, scope->origin);

	return name ? name : dwset_name(di->dwarf, scope->die);
}

size_t debuginfo_chain(struct debuginfo *di, uint64_t pc, struct debuginfo_frame *ret,
		       size_t max)
{
	struct dwset_unit *unit = dwset_at(di->dwarf, pc);
	struct debuginfo_frame frame = {};
	uint32_t file;
	size_t nr = 0;

	if (!unit || !max)
		return 0;
	if (dwline_at(&unit->line, pc, &file, &frame.line))
		frame.file = file_name(di, unit, file);
	if (frame.line > INT32_MAX)
		frame.line = 0;
	uint32_t id = cuindex_scope(&unit->index, pc);

	if (id == SCOPE_NONE) {
		ret[0] = frame;
		return frame.file != NULL;
	}
	while (id != SCOPE_NONE && nr < max) {
		const struct scope *scope = &unit->index.scope[id];

		frame.func = scope_name(di, scope);
		frame.inlined = scope->parent != SCOPE_NONE;
		ret[nr++] = frame;
		frame.file = file_name(di, unit, scope->call_file);
		frame.line = scope->call_line;
		id = scope->parent;
	}
	return nr;
}

static void fill_call(struct debuginfo *di, const struct cucall *call,
		      struct debuginfo_call *ret)
{
	*ret = (struct debuginfo_call){
		.ret_pc = call->ret_pc,
		.callee = dwset_name(di->dwarf, call->callee),
		.die = call->callee,
		.tail = call->tail,
	};
}

bool debuginfo_call_at(struct debuginfo *di, uint64_t ret_pc, struct debuginfo_call *ret)
{
	/* The instruction behind the last one of a function may be another unit's. */
	struct dwset_unit *unit = dwset_at(di->dwarf, ret_pc - 1);
	const struct cucall *call = unit ? cuindex_call(&unit->index, ret_pc) : NULL;

	if (!call)
		return false;
	fill_call(di, call, ret);
	return true;
}

/* @len bytes of code at @pc, or NULL where the file does not hold them. */
static const uint8_t *code_at(const struct debuginfo *di, uint64_t pc, size_t len)
{
	for (size_t i = 0; i < di->nr_codes; i++) {
		const struct code *code = &di->code[i];

		if (pc >= code->addr && pc - code->addr < code->bytes.len &&
		    code->bytes.len - (pc - code->addr) >= len)
			return code->bytes.data + (pc - code->addr);
	}
	return NULL;
}

/* Code is little-endian on both machines. */
#define CODE_SWAP (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)

static bool branch_x86(const struct debuginfo *di, uint64_t ret_pc, uint64_t *ret,
		       bool *ret_tail)
{
	const uint8_t *code = code_at(di, ret_pc - 5, 5);

	if (code && (*code == 0xe8 || *code == 0xe9)) { /* call, jmp rel32 */
		struct bytes b = bytes_of(code + 1, 4, CODE_SWAP);
		uint32_t rel;

		*ret_tail = *code == 0xe9;
		if (!bytes_u32(&b, &rel))
			return false;
		*ret = ret_pc + (uint64_t)(int64_t)(int32_t)rel;
		return true;
	}
	code = code_at(di, ret_pc - 2, 2);
	if (!code || *code != 0xeb) /* jmp rel8 */
		return false;
	*ret_tail = true;
	*ret = ret_pc + (uint64_t)(int64_t)(int8_t)code[1];
	return true;
}

static bool branch_arm64(const struct debuginfo *di, uint64_t ret_pc, uint64_t *ret,
			 bool *ret_tail)
{
	const uint8_t *code = code_at(di, ret_pc - 4, 4);
	struct bytes b = bytes_of(code, code ? 4 : 0, CODE_SWAP);
	uint32_t word;

	/* bl and b: opcode in the upper 6 bits, a word offset in the lower 26 */
	if (ret_pc % 4 || !bytes_u32(&b, &word) || (word & 0x7c000000) != 0x14000000)
		return false;
	*ret_tail = !(word >> 31);
	*ret = ret_pc - 4 + (uint64_t)((int64_t)(int32_t)(word << 6) >> 4);
	return true;
}

bool debuginfo_branch_at(struct debuginfo *di, uint64_t ret_pc, uint64_t *ret, bool *ret_tail)
{
	if (di->machine == EM_X86_64)
		return branch_x86(di, ret_pc, ret, ret_tail);
	return di->machine == EM_AARCH64 && branch_arm64(di, ret_pc, ret, ret_tail);
}

size_t debuginfo_entries(struct debuginfo *di, const struct debuginfo_call *call, uint64_t *ret,
			 size_t max)
{
	struct dwset_unit *unit = dwset_at(di->dwarf, call->ret_pc - 1);
	size_t nr = 0;

	for (size_t i = 0; unit && i < unit->index.nr_scopes && nr < max; i++) {
		const struct scope *scope = &unit->index.scope[i];

		if (scope->parent == SCOPE_NONE &&
		    (scope->die == call->die || scope->origin == call->die))
			ret[nr++] = scope->entry;
	}
	return nr;
}

bool debuginfo_call_in(struct debuginfo *di, uint64_t pc, size_t *i, struct debuginfo_call *ret)
{
	struct dwset_unit *unit = dwset_at(di->dwarf, pc);
	uint32_t id = unit ? cuindex_scope(&unit->index, pc) : SCOPE_NONE;

	if (id == SCOPE_NONE)
		return false;
	for (; *i < unit->index.nr_calls; ++*i) {
		const struct cucall *call = &unit->index.call[*i];

		if (call->function != unit->index.scope[id].function)
			continue;
		fill_call(di, call, ret);
		++*i;
		return true;
	}
	return false;
}
