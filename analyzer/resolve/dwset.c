// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/dwset.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/thread.h"
#include "base/xalloc.h"
#include "resolve/elfopen.h"

enum {
	MAX_UNIT_RANGES = 1 << 22,
	MAX_FILES = 1 << 15,
	MAX_THREADS = 8,
	UNITS_PER_THREAD = 8, /* fewer are not worth one */
	MAX_HOPS = 16,
};

/* A file besides the first. */
struct other {
	struct elfdwarf ed;
	int fd;
	Elf *elf;
};

struct unit_range {
	uint64_t lo, hi;
	uint32_t unit;
};

struct dwset {
	struct elfdwarf main;
	struct other **other;
	size_t nr_others, cap_others;
	struct dwset_unit *unit;  /* as in main.file.unit */
	struct unit_range *range; /* by lo */
	size_t nr_ranges, cap_ranges;
	atomic_size_t line_work;
	char *dir; /* of the first file */
};

static void other_free(struct other *other)
{
	if (!other)
		return;
	elfdwarf_deinit(&other->ed);
	elf_end(other->elf);
	if (other->fd >= 0)
		close(other->fd);
	free(other);
}
DEFINE_CLEANUP(struct other *, other, other_free)

void dwset_free(struct dwset *set)
{
	if (!set)
		return;
	for (size_t i = 0; set->unit && i < set->main.file.nr_units; i++) {
		cuindex_deinit(&set->unit[i].index);
		dwline_deinit(&set->unit[i].line);
		free(set->unit[i].file);
	}
	free(set->unit);
	free(set->range);
	elfdwarf_deinit(&set->main);
	for (size_t i = 0; i < set->nr_others; i++)
		other_free(set->other[i]);
	free(set->other);
	free(set->dir);
	free(set);
}

/* A plain file: opening anything else might wait for ever. */
static struct other *open_other(const char *path, bool split)
{
	CLEANUP(other_cleanup) struct other *other = xcalloc(1, sizeof(*other));
	struct stat st;

	other->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (other->fd < 0 || fstat(other->fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	other->elf = elfopen(&other->fd);
	if (!other->elf || elf_kind(other->elf) != ELF_K_ELF)
		return NULL;
	/* There may be thousands: none keeps its descriptor. */
	if (elf_cntl(other->elf, ELF_C_FDREAD))
		return NULL;
	close(take_fd(other->fd));
	elfdwarf_init(&other->ed, other->elf, split);
	return take_ptr(other);
}

static struct dwfile *keep(struct dwset *set, struct other *other)
{
	vec_room(set->other, set->nr_others, set->cap_others);
	set->other[set->nr_others++] = other;
	other->ed.file.index = (uint16_t)set->nr_others;
	return &other->ed.file;
}

/* @name as it is, or below the directory of the first file. */
static char *beside(const struct dwset *set, const char *name)
{
	return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", set->dir, name);
}

static void open_alt(struct dwset *set, Elf *elf)
{
	const char *name;
	struct span want;

	if (!elfdwarf_alt(elf, &name, &want))
		return;
	auto_free char *path = beside(set, name);
	CLEANUP(other_cleanup) struct other *other = open_other(path, false);
	const void *id;
	ssize_t len = other ? dwelf_elf_gnu_build_id(other->elf, &id) : -1;

	if (len > 0 && (size_t)len == want.len && !memcmp(id, want.data, want.len))
		set->main.file.alt = keep(set, take_ptr(other));
}

/* The unit of @id in @file: a .dwo file has one. */
static struct dwunit *find_split(const struct dwfile *file, uint64_t id)
{
	for (size_t i = 0; i < file->nr_units; i++) {
		struct dwunit *unit = file->unit[i];

		if (unit->type != DW_UT_split_compile && unit->type != DW_UT_compile)
			continue;
		dwunit_read(unit);
		if (unit->dwo_id == id && unit->tag == DW_TAG_compile_unit)
			return unit;
	}
	return NULL;
}

/* The unit with the entries of @skeleton, which are in a file of its own. */
static struct dwunit *open_split(struct dwset *set, struct dwunit *skeleton)
{
	const char *name = skeleton->dwo_name;
	auto_free char *built =
		xasprintf("%s/%s", *name == '/' ? "" : skeleton->comp_dir, name);
	auto_free char *moved = beside(set, name);
	const char *const paths[] = { built, moved };

	for (size_t i = 0; i < 2 && set->nr_others < MAX_FILES; i++) {
		CLEANUP(other_cleanup) struct other *other = open_other(paths[i], true);
		struct dwunit *unit =
			other ? find_split(&other->ed.file, skeleton->dwo_id) : NULL;

		if (!unit)
			continue;
		keep(set, take_ptr(other));
		unit->skeleton = skeleton;
		unit->comp_dir = skeleton->comp_dir;
		return unit;
	}
	return skeleton;
}

static void add_ranges(struct dwset *set, uint32_t id)
{
	struct dwunit *unit = set->unit[id].skeleton;
	struct dwranges ranges = {};
	uint64_t lo, hi, budget = MAX_UNIT_RANGES;
	struct dwattr attr;
	struct dwdie die;

	if (!dwdie_at(unit, unit->first, &die))
		return;
	while (dwdie_next(&die, &attr))
		dwranges_attr(&ranges, unit, &attr);
	if (!ranges.unit)
		return;
	dwranges_start(&ranges);
	while (set->nr_ranges < MAX_UNIT_RANGES && dwranges_next(&ranges, &budget, &lo, &hi)) {
		/* Address 0 is where a linker leaves what it threw away. */
		if (!lo)
			continue;
		vec_room(set->range, set->nr_ranges, set->cap_ranges);
		set->range[set->nr_ranges++] = (struct unit_range){ lo, hi, id };
	}
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct unit_range *a = va, *b = vb;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* Work that several threads take from. */
struct work {
	struct dwset *set;
	const uint32_t *unit; /* NULL: all of them */
	size_t nr;
	void (*fn)(struct dwset *set, struct dwset_unit *unit);
	atomic_size_t next;
};

static void *run(void *arg)
{
	struct work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->nr)
		work->fn(work->set, &work->set->unit[work->unit ? work->unit[i] : i]);
	return NULL;
}

static void run_all(struct work *work)
{
	pthread_t thread[MAX_THREADS];
	size_t nr = 0, want = work->nr / UNITS_PER_THREAD;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		CPU_ZERO(&cpus);
	if (want > (size_t)CPU_COUNT(&cpus))
		want = (size_t)CPU_COUNT(&cpus);
	if (want > MAX_THREADS)
		want = MAX_THREADS;
	/* One of them is this one, which does it all where there is no other. */
	while (nr + 1 < want && !thread_start(&thread[nr], 0, run, work))
		nr++;
	run(work);
	while (nr)
		pthread_join(thread[--nr], NULL);
}

static void read_unit(struct dwset *set, struct dwset_unit *unit)
{
	(void)set;
	dwunit_read(unit->unit);
}

struct dwset *dwset_new(Elf *elf, const char *path)
{
	struct dwset *set = xcalloc(1, sizeof(*set));
	const char *slash = strrchr(path, '/');

	set->dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	elfdwarf_init(&set->main, elf, false);
	set->line_work = DWSET_LINE_WORK * set->main.file.section[DWSECTION_LINE].len;
	open_alt(set, elf);

	struct dwfile *file = &set->main.file;

	set->unit = xcalloc(file->nr_units + 1, sizeof(*set->unit));
	for (size_t i = 0; i < file->nr_units; i++)
		set->unit[i].unit = set->unit[i].skeleton = file->unit[i];
	struct work work = { .set = set, .nr = file->nr_units, .fn = read_unit };

	run_all(&work);
	for (uint32_t i = 0; i < file->nr_units; i++)
		if (file->unit[i]->tag == DW_TAG_compile_unit ||
		    file->unit[i]->tag == DW_TAG_skeleton_unit)
			add_ranges(set, i);
	if (set->nr_ranges)
		qsort(set->range, set->nr_ranges, sizeof(*set->range), compare_ranges);
	return set;
}

bool dwset_any(const struct dwset *set)
{
	return set->nr_ranges > 0;
}

const struct dwunit *dwset_unit(const struct dwset *set, size_t i)
{
	return i < set->main.file.nr_units ? set->main.file.unit[i] : NULL;
}

static void load_lines(struct dwset *set, struct dwset_unit *unit)
{
	size_t len;

	/* Others may take from it meanwhile: an estimate will do. */
	if (unit->skeleton->line == UINT64_MAX || !atomic_load(&set->line_work))
		return;
	dwline_init(&unit->line, unit->skeleton);
	len = bytes_left(&unit->line.program);
	atomic_store(&set->line_work, len < atomic_load(&set->line_work)
					      ? atomic_load(&set->line_work) - len
					      : 0);
}

static void load(struct dwset *set, struct dwset_unit *unit)
{
	cuindex_init(&unit->index, unit->unit);
	load_lines(set, unit);
	unit->file = xcalloc(unit->line.nr_files + 1, sizeof(*unit->file));
	unit->loaded = true;
}

/* Files are not opened by several threads. */
static void find_entries(struct dwset *set, struct dwset_unit *unit)
{
	if (unit->skeleton->dwo_name && unit->unit == unit->skeleton)
		unit->unit = open_split(set, unit->skeleton);
}

static uint32_t unit_at(const struct dwset *set, uint64_t pc)
{
	size_t lo = 0, hi = set->nr_ranges;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (set->range[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || pc >= set->range[lo - 1].hi)
		return UINT32_MAX;
	return set->range[lo - 1].unit;
}

void dwset_expect(struct dwset *set, const uint64_t *pc, size_t nr)
{
	auto_free uint32_t *unit = xreallocarray(NULL, nr + 1, sizeof(*unit));
	struct work work = { .set = set, .unit = unit, .fn = load };
	auto_free bool *seen = xcalloc(set->main.file.nr_units + 1, sizeof(*seen));

	for (size_t i = 0; i < nr; i++) {
		uint32_t id = unit_at(set, pc[i]);

		if (id == UINT32_MAX || seen[id] || set->unit[id].loaded)
			continue;
		seen[id] = true;
		find_entries(set, &set->unit[id]);
		unit[work.nr++] = id;
	}
	run_all(&work);
}

struct dwset_unit *dwset_at(struct dwset *set, uint64_t pc)
{
	uint32_t id = unit_at(set, pc);

	if (id == UINT32_MAX)
		return NULL;
	if (!set->unit[id].loaded) {
		find_entries(set, &set->unit[id]);
		load(set, &set->unit[id]);
	}
	return &set->unit[id];
}

static const struct dwfile *file_of(const struct dwset *set, dwref ref)
{
	size_t i = dwref_file(ref);

	if (!i)
		return &set->main.file;
	return i <= set->nr_others ? &set->other[i - 1]->ed.file : NULL;
}

const char *dwset_name(const struct dwset *set, dwref ref)
{
	for (int hops = 0; ref && hops < MAX_HOPS; hops++) {
		const struct dwfile *file = file_of(set, ref);
		struct dwunit *unit = file ? dwfile_unit(file, dwref_off(ref)) : NULL;
		struct dwattr attr;
		struct dwdie die;

		if (!unit)
			return NULL;
		dwunit_read(unit);
		if (!dwdie_at(unit, dwref_off(ref), &die))
			return NULL;
		ref = 0;
		while (dwdie_next(&die, &attr)) {
			if (attr.name == DW_AT_name)
				return dwattr_str(unit, &attr);
			if (attr.name == DW_AT_abstract_origin ||
			    attr.name == DW_AT_specification)
				ref = dwattr_ref(unit, &attr);
		}
	}
	return NULL;
}
