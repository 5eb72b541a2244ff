// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

#define NOTE_GNU_BUILD_ID 3

static size_t align4(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

bool machine_build_id(struct span notes, struct text *ret)
{
	struct bytes b = bytes_of(notes.data, notes.len, false);
	uint32_t name_len, desc_len, type;
	struct span name, desc;

	/* A Xen-capable vmlinux has its build-id behind many other notes. */
	while (bytes_u32(&b, &name_len) && bytes_u32(&b, &desc_len) && bytes_u32(&b, &type) &&
	       bytes_span(&b, align4(name_len), &name)) {
		size_t padded = align4(desc_len);

		/* The last description may lack its padding. */
		if (padded > bytes_left(&b) && desc_len <= bytes_left(&b))
			padded = desc_len;
		if (!bytes_span(&b, padded, &desc))
			return false;
		if (type != NOTE_GNU_BUILD_ID || name_len != 4 || memcmp(name.data, "GNU", 4))
			continue;
		for (size_t i = 0; i < desc_len; i++)
			text_printf(ret, "%02x", desc.data[i]);
		return desc_len > 0;
	}
	return false;
}

static void add_build_id(struct text *ids, const char *name, const char *path)
{
	auto_text notes = {}, hex = {};
	auto_err struct err *err = text_read_file(&notes, path);

	if (err)
		return;
	if (machine_build_id(text_span(&notes), &hex))
		text_printf(ids, "%s %s\n", name, hex.data);
}

static bool is_code_section(const char *name)
{
	return !strncmp(name, ".text", 5) || !strncmp(name, ".init.text", 10) ||
	       !strncmp(name, ".exit.text", 10) || !strcmp(name, ".noinstr.text");
}

static void add_sections(struct text *sections, const char *module)
{
	auto_free char *path = xasprintf("/sys/module/%s/sections", module);
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!is_code_section(entry->d_name))
			continue;
		auto_free char *file = xasprintf("%s/%s", path, entry->d_name);
		auto_text addr = {};
		auto_err struct err *err = text_read_file(&addr, file);

		if (err || !addr.len)
			continue;
		addr.data[strcspn(addr.data, "\n")] = '\0';
		text_printf(sections, "%s %s %s\n", module, entry->d_name, addr.data);
	}
	closedir(dir);
}

/* Built-in modules have a directory too, but neither sections nor notes. */
static void describe_modules(struct text *sections, struct text *ids)
{
	DIR *dir = opendir("/sys/module");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		auto_free char *notes =
			xasprintf("/sys/module/%s/notes/.note.gnu.build-id", entry->d_name);

		add_sections(sections, entry->d_name);
		add_build_id(ids, entry->d_name, notes);
	}
	closedir(dir);
}

/* Which CPUs are of which NUMA node. */
static void describe_nodes(struct text *ret)
{
	enum { MAX_NODES = 256 };

	for (int node = 0; node < MAX_NODES; node++) {
		auto_free char *path =
			xasprintf("/sys/devices/system/node/node%d/cpulist", node);
		auto_text list = {};
		auto_err struct err *err = text_read_file(&list, path);

		/* A node of memory only has an empty list. */
		if (!err && list.len > 1)
			text_printf(ret, "%d %s", node, list.data);
	}
}

void machine_describe(struct texts *ret)
{
	auto_text sections = {}, ids = {};

	text_printf(texts_new(ret, BLOB_PAGE_SIZE), "%ld\n", sysconf(_SC_PAGESIZE));
	texts_file(ret, BLOB_MODULES, "/proc/modules");
	add_build_id(&ids, "vmlinux", "/sys/kernel/notes");
	describe_nodes(texts_new(ret, BLOB_NODES));
	texts_file(ret, BLOB_PAGETYPES, "/proc/pagetypeinfo");
	describe_modules(&sections, &ids);
	if (sections.len)
		text_add(texts_new(ret, BLOB_SECTIONS), sections.data, sections.len);
	if (ids.len)
		text_add(texts_new(ret, BLOB_BUILD_IDS), ids.data, ids.len);
}

void machine_uname(struct text *ret)
{
	struct utsname u;

	if (uname(&u) == 0)
		text_printf(ret, "%s %s %s %s", u.sysname, u.nodename, u.release, u.machine);
}

bool machine_symbols_hidden(struct span kallsyms)
{
	struct span line;
	bool any = false;

	while (span_line(&kallsyms, &line)) {
		any = true;
		for (size_t i = 0; i < line.len && isxdigit(line.data[i]); i++)
			if (line.data[i] != '0')
				return false;
	}
	return any;
}

/* Ascending numbers at the heads of lines. */
struct tids {
	int *v;
	size_t nr, cap;
};

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

static void known_tids(const struct text *cmdlines, struct tids *ret)
{
	struct span text = text_span(cmdlines), line;

	while (span_line(&text, &line)) {
		auto_free char *s = xstrndup((const char *)line.data, line.len);

		vec_room(ret->v, ret->nr, ret->cap);
		ret->v[ret->nr++] = atoi(s);
	}
	if (ret->nr)
		qsort(ret->v, ret->nr, sizeof(*ret->v), compare);
}

static void add_task(struct text *ret, const struct tids *known, int pid, int tid)
{
	if (known->nr && bsearch(&tid, known->v, known->nr, sizeof(tid), compare))
		return;
	auto_free char *path = xasprintf("/proc/%d/task/%d/comm", pid, tid);
	auto_text comm = {};
	auto_err struct err *gone = text_read_file(&comm, path);

	if (gone || !comm.len)
		return;
	comm.data[strcspn(comm.data, "\n")] = '\0';
	text_printf(ret, "%d %s\n", tid, comm.data);
}

static void add_threads(struct text *ret, const struct tids *known, int pid)
{
	auto_free char *path = xasprintf("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			add_task(ret, known, pid, atoi(entry->d_name));
	closedir(dir);
}

void machine_add_tasks(struct text *ret)
{
	struct tids known = {};
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		return;
	known_tids(ret, &known);
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			add_threads(ret, &known, atoi(entry->d_name));
	closedir(dir);
	free(known.v);
}

void machine_merge_tasks(struct text *ret, struct span earlier)
{
	struct tids known = {};
	struct span line;

	known_tids(ret, &known);
	while (span_line(&earlier, &line)) {
		auto_free char *s = xstrndup((const char *)line.data, line.len);
		int tid = atoi(s);

		if (!known.nr || !bsearch(&tid, known.v, known.nr, sizeof(tid), compare))
			text_printf(ret, "%s\n", s);
	}
	free(known.v);
}
