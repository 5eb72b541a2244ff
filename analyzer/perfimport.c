// SPDX-License-Identifier: GPL-2.0-or-later
#include "perfimport.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/machine.h"
#include "capture/recording.h"
#include "capture/ringpage.h"
#include "decode/perfdata.h"

enum {
	MAX_CPUS = 1 << 16,
	MAX_FRAMES = 1024,
	/* Bytes of samples that wait for the end of a round; more are sorted as they are. */
	WAITING_MAX = 64 << 20,
	STACK_HEAD = 16,
	LEVEL = 3, /* of zstd */
};

/* The record of a call chain; no event has this number (ftrace's own are below 20). */
#define STACK_ID 4
static const char stack_format[] =
	"name: kernel_stack\nID: 4\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n\n"
	"print fmt: \"%p\", (void *)REC->caller[0]\n";

/* Marks in a call chain: what follows is of the kernel, of a program, … */
#define CONTEXT_MAX    (UINT64_MAX - 4094)
#define CONTEXT_KERNEL (UINT64_MAX - 127)

/* One CPU's pages on their way to the file. */
struct cpu {
	int fd;		       /* of a file without a name; -1: none yet */
	struct ringpage *page; /* begun, or NULL */
	uint64_t bytes, events, all_lost;
	uint64_t lost; /* in front of the next page */
	uint64_t last_ns;
};

/* A sample that waits for its round; its bytes are in the arena. */
struct waiting {
	uint64_t ns, nr;
	size_t off;
	uint32_t raw_len, chain_len;
	uint32_t cpu;
	uint64_t lost; /* it is no sample, but a gap */
};

struct task {
	int32_t pid, tid;
	char *comm;
};

struct importer {
	struct perfdata *perf;
	const char *dir; /* of the output, where files without a name go */
	struct cpu *cpu;
	size_t nr_cpus;

	struct waiting *waiting;
	size_t nr_waiting, cap_waiting;
	uint8_t *arena;
	size_t arena_len, arena_cap;
	uint64_t nr_records;
	uint64_t round_ns, last_round_ns; /* latest time of this round, of the one before */

	struct task *task;
	size_t nr_tasks, cap_tasks;
	struct text modules; /* as /proc/modules */
	uint64_t text_start; /* of the kernel */
	uint64_t unplaced, placed;
	struct perfimport_result result;
};

static void importer_deinit(struct importer *im)
{
	for (size_t i = 0; i < im->nr_cpus; i++) {
		if (im->cpu[i].fd >= 0)
			close(im->cpu[i].fd);
		free(im->cpu[i].page);
	}
	for (size_t i = 0; i < im->nr_tasks; i++)
		free(im->task[i].comm);
	free(im->cpu);
	free(im->waiting);
	free(im->arena);
	free(im->task);
	text_deinit(&im->modules);
	perfdata_close(im->perf);
}

static struct err *get_cpu(struct importer *im, uint32_t nr, struct cpu **ret)
{
	if (nr >= MAX_CPUS)
		return err_new(ERR_FORMAT, "a sample of CPU %" PRIu32, nr);
	if (nr >= im->nr_cpus) {
		im->cpu = xreallocarray(im->cpu, nr + 1, sizeof(*im->cpu));
		for (; im->nr_cpus <= nr; im->nr_cpus++)
			im->cpu[im->nr_cpus] = (struct cpu){ .fd = -1 };
	}
	*ret = &im->cpu[nr];
	return NULL;
}

static struct err *write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return err_os(errno, "cannot write");
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return NULL;
}

static struct err *end_page(struct importer *im, struct cpu *cpu)
{
	if (!cpu->page)
		return NULL;
	if (cpu->fd < 0) {
		cpu->fd = unnamed_open(im->dir);
		if (cpu->fd < 0)
			return err_os(errno, "%s", im->dir);
	}
	ringpage_end(cpu->page);
	TRY(err_wrap(write_all(cpu->fd, cpu->page->data, sizeof(cpu->page->data)), "%s",
		     im->dir));
	cpu->bytes += sizeof(cpu->page->data);
	free(take_ptr(cpu->page));
	return NULL;
}

static void begin_page(struct cpu *cpu, uint64_t ns)
{
	cpu->page = xmalloc(sizeof(*cpu->page));
	ringpage_begin(cpu->page, ns, cpu->lost);
	cpu->all_lost += cpu->lost;
	cpu->lost = 0;
}

static struct err *add_record(struct importer *im, struct cpu *cpu, uint64_t ns,
			      const void *data, size_t len)
{
	/* A gap stands in front of a page. */
	if (cpu->lost)
		TRY(end_page(im, cpu));
	if (!cpu->page)
		begin_page(cpu, ns);
	if (!ringpage_add(cpu->page, ns, data, len)) {
		TRY(end_page(im, cpu));
		begin_page(cpu, ns);
		if (!ringpage_add(cpu->page, ns, data, len))
			return err_new(ERR_FORMAT, "a sample of %zu bytes", len);
	}
	cpu->last_ns = ns;
	cpu->events++;
	return NULL;
}

/* The kernel's part of a call chain, as a kernel_stack of the same task. */
static struct err *add_chain(struct importer *im, struct cpu *cpu, uint64_t ns,
			     const uint8_t *raw, const uint8_t *chain, size_t nr)
{
	uint8_t record[STACK_HEAD + 8 * MAX_FRAMES] = {};
	const uint16_t type = STACK_ID;
	bool kernel = true;
	int32_t frames = 0;

	memcpy(record, raw, 8);
	memcpy(record, &type, sizeof(type));
	for (size_t i = 0; i < nr && frames < MAX_FRAMES; i++) {
		uint64_t addr;

		memcpy(&addr, chain + 8 * i, sizeof(addr));
		if (addr >= CONTEXT_MAX)
			kernel = addr == CONTEXT_KERNEL;
		else if (kernel)
			memcpy(record + STACK_HEAD + 8 * (size_t)frames++, &addr, sizeof(addr));
	}
	if (!frames)
		return NULL;
	memcpy(record + 8, &frames, sizeof(frames));
	return add_record(im, cpu, ns, record, STACK_HEAD + 8 * (size_t)frames);
}

static struct err *emit(struct importer *im, const struct waiting *w)
{
	const uint8_t *raw = im->arena + w->off;
	struct cpu *cpu;

	TRY(get_cpu(im, w->cpu, &cpu));
	if (w->lost) {
		cpu->lost += w->lost;
		return NULL;
	}
	/* What every record begins with; and no page is made for it to be longer. */
	if (w->raw_len < 8 || w->raw_len > RINGPAGE_MAX) {
		im->result.malformed++;
		cpu->lost++;
		return NULL;
	}
	TRY(add_record(im, cpu, w->ns, raw, w->raw_len));
	im->result.samples++;
	return w->chain_len ? add_chain(im, cpu, w->ns, raw, raw + w->raw_len, w->chain_len / 8)
			    : NULL;
}

static int compare(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* Hands on what waits, up to @until_ns. */
static struct err *flush(struct importer *im, uint64_t until_ns)
{
	size_t done = 0, len = 0;

	if (im->nr_waiting)
		qsort(im->waiting, im->nr_waiting, sizeof(*im->waiting), compare);
	for (; done < im->nr_waiting && im->waiting[done].ns <= until_ns; done++)
		TRY(emit(im, &im->waiting[done]));
	im->nr_waiting -= done;
	memmove(im->waiting, im->waiting + done, im->nr_waiting * sizeof(*im->waiting));
	if (!im->nr_waiting) {
		im->arena_len = 0;
		return NULL;
	}
	/* What still waits moves to the front of a new arena, by its time. */
	uint8_t *arena = xmalloc(im->arena_cap);

	for (size_t i = 0; i < im->nr_waiting; i++) {
		struct waiting *w = &im->waiting[i];
		size_t size = (size_t)w->raw_len + w->chain_len;

		memcpy(arena + len, im->arena + w->off, size);
		w->off = len;
		len += size;
	}
	free(im->arena);
	im->arena = arena;
	im->arena_len = len;
	return NULL;
}

static struct err *wait_for_round(struct importer *im, const struct perfdata_record *record)
{
	size_t size = record->raw.len + record->chain.len;

	if (im->arena_len + size > im->arena_cap) {
		im->arena_cap = 2 * (im->arena_len + size);
		im->arena = xreallocarray(im->arena, im->arena_cap, 1);
	}
	vec_room(im->waiting, im->nr_waiting, im->cap_waiting);
	im->waiting[im->nr_waiting++] = (struct waiting){
		.ns = record->ns,
		.nr = im->nr_records++,
		.off = im->arena_len,
		.raw_len = (uint32_t)record->raw.len,
		.chain_len = (uint32_t)record->chain.len,
		.cpu = record->cpu,
		.lost = record->type == PERFDATA_LOST ? record->lost : 0,
	};
	if (record->raw.len)
		memcpy(im->arena + im->arena_len, record->raw.data, record->raw.len);
	if (record->chain.len)
		memcpy(im->arena + im->arena_len + record->raw.len, record->chain.data,
		       record->chain.len);
	im->arena_len += size;
	if (record->ns > im->round_ns)
		im->round_ns = record->ns;
	return im->arena_len > WAITING_MAX ? flush(im, UINT64_MAX) : NULL;
}

static void add_task(struct importer *im, const struct perfdata_record *record)
{
	enum { MANY = 1 << 20 };

	if (im->nr_tasks == MANY)
		return;
	vec_room(im->task, im->nr_tasks, im->cap_tasks);
	im->task[im->nr_tasks++] = (struct task){
		.pid = record->pid,
		.tid = record->tid,
		.comm = xstrndup((const char *)record->name.data, record->name.len),
	};
}

/* "[kernel.kallsyms]_text", or the file of a module. */
static void add_mmap(struct importer *im, const struct perfdata_record *record)
{
	auto_free char *name = xstrndup((const char *)record->name.data, record->name.len);
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	size_t len = strcspn(base, ".");

	if (!strncmp(name, "[kernel.kallsyms]", strlen("[kernel.kallsyms]"))) {
		im->text_start = record->start;
		return;
	}
	if (*name == '[' && base == name) {
		base = name + 1;
		len = strcspn(base, "]");
	}
	if (!len || strcspn(base, " \n\t") < len || im->modules.len > 1 << 24)
		return;
	text_printf(&im->modules, "%.*s %" PRIu64 " 0 - Live 0x%016" PRIx64 "\n", (int)len,
		    base, record->length, record->start);
}

static struct err *take(struct importer *im, const struct perfdata_record *record)
{
	switch (record->type) {
	case PERFDATA_LOST:
		im->placed += record->lost;
		return wait_for_round(im, record);
	case PERFDATA_SAMPLE:
		return wait_for_round(im, record);
	case PERFDATA_UNPLACED:
		im->unplaced += record->lost;
		return NULL;
	case PERFDATA_ROUND:
		/* Another buffer may still have had events of this round's times. */
		TRY(flush(im, im->last_round_ns));
		im->last_round_ns = im->round_ns;
		return NULL;
	case PERFDATA_COMM:
		add_task(im, record);
		return NULL;
	case PERFDATA_MMAP:
		add_mmap(im, record);
		return NULL;
	}
	return NULL;
}

/* perf counts each loss when it ends, and again in its place if there was room. */
static struct err *end_data(struct importer *im)
{
	struct cpu *cpu;

	TRY(flush(im, UINT64_MAX));
	if (im->unplaced > im->placed) {
		TRY(get_cpu(im, 0, &cpu));
		cpu->lost += im->unplaced - im->placed;
	}
	im->result.lost = im->unplaced > im->placed ? im->unplaced : im->placed;
	for (size_t i = 0; i < im->nr_cpus; i++) {
		TRY(end_page(im, &im->cpu[i]));
		if (!im->cpu[i].lost)
			continue;
		begin_page(&im->cpu[i], im->cpu[i].last_ns);
		TRY(end_page(im, &im->cpu[i]));
	}
	return NULL;
}

static void add_text(struct texts *texts, const char *name, const char *text)
{
	text_add(texts_new(texts, name), text, strlen(text));
}

static void add_formats(struct recording *recording, const struct container *c)
{
	char name[64];

	for (size_t i = 0; i < c->nr_formats; i++) {
		/* The writer wants them by system. */
		snprintf(name, sizeof(name), "%.40s/%zu", c->format[i].system, i);
		text_add(texts_new(&recording->formats, name), c->format[i].text.data,
			 c->format[i].text.len);
	}
	add_text(&recording->ftrace_formats, "ftrace/kernel_stack", stack_format);
}

/* perf's own tasks: those that had no other name. */
static bool is_self(const struct importer *im, size_t task)
{
	for (size_t i = 0; i < im->nr_tasks; i++)
		if (im->task[i].tid == im->task[task].tid && strcmp(im->task[i].comm, "perf"))
			return false;
	return true;
}

static void add_tasks(struct importer *im, struct recording *recording)
{
	struct text *tasks = texts_new(&recording->blobs, BLOB_TASKS "end");

	for (size_t i = 0; i < im->nr_tasks; i++)
		text_printf(tasks, "%" PRId32 " %" PRId32 " %s\t\n", im->task[i].tid,
			    im->task[i].pid, im->task[i].comm);
	struct text *self = texts_new(&recording->blobs, BLOB_SELF);

	for (size_t i = 0; i < im->nr_tasks; i++)
		if (!strcmp(im->task[i].comm, "perf") && is_self(im, i))
			text_printf(self, "%" PRId32 "\n", im->task[i].tid);
}

static void add_cpustats(const struct importer *im, struct recording *recording)
{
	for (size_t i = 0; i < im->nr_cpus; i++) {
		const struct cpu *cpu = &im->cpu[i];
		auto_free char *name = xasprintf(BLOB_CPUSTAT "%zu", i);

		text_printf(texts_new(&recording->blobs, name),
			    "entries: 0\noverrun: %" PRIu64
			    "\ncommit overrun: 0\ndropped events: 0\nread events: %" PRIu64
			    "\n",
			    cpu->all_lost, cpu->events);
	}
}

static const char *kernel_build_id(const struct perfdata *perf)
{
	const char *file, *hex;

	for (size_t i = 0; perfdata_build_id(perf, i, &file, &hex); i++)
		if (!strncmp(file, "[kernel.kallsyms]", strlen("[kernel.kallsyms]")))
			return hex;
	return NULL;
}

/* The address of _text in this machine's symbols; 0 where they are hidden. */
static uint64_t text_address(const struct text *kallsyms)
{
	static const char name[] = " T _text\n";
	const char *at = kallsyms->len
				 ? memmem(kallsyms->data, kallsyms->len, name, strlen(name))
				 : NULL;

	return at && at - (const char *)kallsyms->data >= 16 ? strtoull(at - 16, NULL, 16) : 0;
}

/*
 * Rule 4. The build-id alone does not say it: the same kernel lies elsewhere after
 * every boot. Where perf wrote none, the place is that of a boot all the same.
 */
static bool add_symbols_of_here(struct importer *im, struct recording *recording)
{
	const char *wanted = kernel_build_id(im->perf);
	auto_text kallsyms = {};
	auto_text notes = {};
	auto_text here = {};

	err_free(text_read_file(&kallsyms, "/proc/kallsyms"));
	err_free(text_read_file(&notes, "/sys/kernel/notes"));
	if (!im->text_start || text_address(&kallsyms) != im->text_start)
		return false;
	if (wanted &&
	    (!machine_build_id((struct span){ (const uint8_t *)notes.data, notes.len },
			       &here) ||
	     here.len != strlen(wanted) || memcmp(here.data, wanted, here.len)))
		return false;
	struct text *text = texts_new(&recording->standard, "kallsyms");

	text_add(text, kallsyms.data, kallsyms.len);
	machine_describe(&recording->blobs);
	return true;
}

static void add_symbols(struct importer *im, struct recording *recording)
{
	const char *id = kernel_build_id(im->perf);

	if (add_symbols_of_here(im, recording))
		return;
	text_add(texts_new(&recording->blobs, BLOB_MODULES), im->modules.data, im->modules.len);
	if (id)
		text_printf(texts_new(&recording->blobs, BLOB_BUILD_IDS), "vmlinux %s\n", id);
}

static void describe(struct importer *im, struct recording *recording)
{
	const struct perfdata_facts *facts = perfdata_facts(im->perf);
	const struct container *c = perfdata_formats(im->perf);
	const char *host = *facts->hostname ? facts->hostname : "(none)";

	add_text(&recording->standard, "header_page", ringpage_header);
	add_text(&recording->standard, "header_event", "");
	add_text(&recording->standard, "trace_clock",
		 facts->clock_is_mono ? "[mono]\n" : "[perf]\n");
	text_printf(texts_new(&recording->standard, "uname"), "Linux %s %s %s", host,
		    *facts->release ? facts->release : "unknown", facts->arch);
	add_formats(recording, c);
	text_printf(texts_new(&recording->blobs, BLOB_IMPORTED), "perf %s\n", facts->version);
	add_symbols(im, recording);
	if (!texts_find(&recording->blobs, BLOB_PAGE_SIZE))
		text_printf(texts_new(&recording->blobs, BLOB_PAGE_SIZE), "%" PRIu32 "\n",
			    c->page_size);
	add_tasks(im, recording);
	add_cpustats(im, recording);
	recording->clock = facts->clock_is_mono ? "mono" : "perf";
	recording->subbuf_size = RINGPAGE_SIZE;
	recording->nr_cpus = (uint32_t)im->nr_cpus;
	recording->cpus.v = xcalloc(im->nr_cpus + 1, sizeof(*recording->cpus.v));
	recording->cpus.cap = im->nr_cpus + 1;
	for (; recording->cpus.nr < im->nr_cpus; recording->cpus.nr++)
		recording->cpus.v[recording->cpus.nr] = (unsigned int)recording->cpus.nr;
}

static struct err *copy_cpu(const struct cpu *cpu, uint32_t nr, struct datfile *file)
{
	enum { CHUNK = DATFILE_CHUNK / RINGPAGE_SIZE * RINGPAGE_SIZE };
	auto_free uint8_t *chunk = xmalloc(CHUNK);

	TRY(datfile_cpu_begin(file, nr, (cpu->bytes + CHUNK - 1) / CHUNK));
	for (uint64_t off = 0; off < cpu->bytes;) {
		size_t want = cpu->bytes - off < CHUNK ? (size_t)(cpu->bytes - off) : CHUNK;
		ssize_t n = pread(cpu->fd, chunk, want, (off_t)off);

		if (n != (ssize_t)want)
			return err_os(n < 0 ? errno : EIO, "cannot read back");
		TRY(datfile_cpu_add(file, chunk, want));
		off += want;
	}
	datfile_cpu_end(file);
	return NULL;
}

static struct err *write_file(struct importer *im, struct datfile *file)
{
	for (size_t i = 0; i < im->nr_cpus; i++)
		TRY(copy_cpu(&im->cpu[i], (uint32_t)i, file));
	TRY(datfile_data_end(file));
	return datfile_finish(file);
}

static struct err *read_records(struct importer *im)
{
	struct perfdata_record record;
	bool any;

	for (;;) {
		TRY(perfdata_next(im->perf, &record, &any));
		if (!any)
			return end_data(im);
		TRY(take(im, &record));
	}
}

DEFINE_CLEANUP(struct datfile *, datfile, datfile_close)

struct err *perfimport(const char *path, const char *dir, int *ret_fd,
		       struct perfimport_result *ret)
{
	CLEANUP(recording_deinit) struct recording recording = {};
	CLEANUP(importer_deinit) struct importer im = {};
	CLEANUP(datfile_cleanup) struct datfile *file = NULL;

	im.dir = dir;
	TRY(perfdata_open(path, &im.perf));
	TRY(err_wrap(read_records(&im), "%s", path));
	if (!im.result.samples)
		return err_new(ERR_FORMAT, "%s: no sample of an allocation event", path);
	im.result.malformed += perfdata_malformed(im.perf);
	describe(&im, &recording);
	auto_fd int fd = unnamed_open(dir);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return err_os(errno, "%s", dir);
	TRY(err_wrap(recording_create(&recording, copy, LEVEL, &file), "%s", dir));
	TRY(err_wrap(write_file(&im, file), "%s", dir));
	*ret = im.result;
	*ret_fd = fd;
	fd = -1;
	return NULL;
}
