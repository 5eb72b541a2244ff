// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/cpulist.h"
#include "capture/instance.h"
#include "capture/kcore.h"
#include "capture/machine.h"
#include "capture/probes.h"
#include "capture/source.h"
#include "capture/tracedir.h"
#include "capture/tracepoints.h"
#include "resolve/debuginfo.h"
#include "resolve/resolver.h"
#include "resolve/search.h"

/* Below this a busy CPU fills its buffer faster than a reader is woken. */
#define SMALL_BUFFER (UINT64_C(16) << 20)
/* Names of modules that fit into a line. */
#define NAMES_MAX    8

void doctor_deinit(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nr; i++) {
		free(doctor->finding[i].found);
		free(doctor->finding[i].lost);
		free(doctor->finding[i].remedy);
	}
	free(doctor->finding);
	*doctor = (struct doctor){};
}

/* Valid until the next finding. */
ERR_PRINTF(4, 5)
static struct doctor_finding *add(struct doctor *doctor, const char *subject,
				  enum doctor_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *found = xvasprintf(fmt, ap);
	va_end(ap);
	vec_room(doctor->finding, doctor->nr, doctor->cap);
	doctor->finding[doctor->nr] = (struct doctor_finding){
		.subject = subject,
		.status = status,
		.found = found,
	};
	return &doctor->finding[doctor->nr++];
}

static void explain(struct doctor_finding *finding, const char *lost, const char *remedy)
{
	finding->lost = xstrdup(lost);
	finding->remedy = remedy ? xstrdup(remedy) : NULL;
}

static struct span span_of(const struct text *text)
{
	return text ? (struct span){ (const uint8_t *)text->data, text->len } : (struct span){};
}

/* Of "system:event on|missing [filter=…] [stack]". */
static bool is_on(const char *list, const char *event, const char *word)
{
	const char *line = strstr(list, event);
	size_t len = strlen(event);

	while (line && ((line != list && line[-1] != '\n') || line[len] != ' '))
		line = strstr(line + 1, event);
	if (!line)
		return false;
	size_t line_len = strcspn(line, "\n");
	auto_free char *s = xstrndup(line, line_len);

	return strstr(s, word) != NULL;
}

static void examine_events(struct doctor *doctor, const char *list)
{
	static const struct {
		const char *kind;
		const char *event[4];
		const char *stack; /* the event that needs one */
		const char *lost;
	} kinds[] = {
		{ "slab events",
		  { "kmem:kmalloc", "kmem:kmem_cache_alloc", "kmem:kfree",
		    "kmem:kmem_cache_free" },
		  NULL,
		  "kmalloc() and the caches: who holds them, or what is freed" },
		{ "page events",
		  { "kmem:mm_page_alloc", "kmem:mm_page_free" },
		  "kmem:mm_page_alloc",
		  "the page allocator: who holds pages" },
		{ "percpu events",
		  { "percpu:percpu_alloc_percpu", "percpu:percpu_free_percpu" },
		  NULL,
		  "alloc_percpu()" },
		{ "vmalloc events",
		  { "vmalloc:alloc_vmap_area", "vmalloc:free_vmap_area_noflush" },
		  "vmalloc:alloc_vmap_area",
		  "address space of vmalloc(); its pages are among the page events" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		auto_text missing = {};
		size_t nr = 0, there = 0;

		for (; nr < 4 && kinds[i].event[nr]; nr++) {
			if (is_on(list, kinds[i].event[nr], " on"))
				there++;
			else
				text_printf(&missing, "%s%s", missing.len ? ", " : "",
					    kinds[i].event[nr]);
		}
		if (there < nr) {
			explain(add(doctor, kinds[i].kind, there ? DOCTOR_LESS : DOCTOR_BLIND,
				    "this kernel lacks %s", missing.data),
				kinds[i].lost,
				"a kernel that has them (CONFIG_EVENT_TRACING; those of vmalloc "
				"are younger than the others)");
		} else if (kinds[i].stack && !is_on(list, kinds[i].stack, " stack")) {
			explain(add(doctor, kinds[i].kind, DOCTOR_LESS,
				    "no stack trigger for %s", kinds[i].stack),
				"call sites: there is only the sum",
				"a kernel with CONFIG_STACKTRACE");
		} else {
			add(doctor, kinds[i].kind, DOCTOR_OK, "%zu events%s", nr,
			    kinds[i].stack ? ", with stacks" : "");
		}
	}
}

static struct err *examine_instance(struct doctor *doctor, const struct instance *instance)
{
	auto_text list = {}, note = {};
	const char *clock;

	TRY(tracepoint_enable(instance->dir, TRACEPOINT_MEMORY, false, &(struct evfilter){},
			      &(struct tracepoint_stacks){}, &list, &note));
	examine_events(doctor, list.data ? list.data : "");
	TRY(instance_set_clock(instance, &clock));
	if (!strcmp(clock, "mono"))
		add(doctor, "clock", DOCTOR_OK, "mono");
	else
		explain(add(doctor, "clock", DOCTOR_LESS, "no mono, %s instead", clock),
			"the order of events on different CPUs is not certain",
			"a kernel of 4.1 or later");
	return NULL;
}

/* What of our probes this kernel takes. They are made as for a recording. */
static void examine_probes(struct doctor *doctor, const char *tracedir,
			   const struct instance *instance, const struct text *kallsyms,
			   struct probes *probes)
{
	auto_text list = {}, note = {};
	uint64_t vmemmap = 0;
	size_t nr = 0;

	probes_sweep(tracedir);
	probes_enable(
		&(struct probes_opts){
			.tracedir = tracedir,
			.instance = instance->dir,
			.kinds = TRACEPOINT_MEMORY,
			.kallsyms = span_of(kallsyms),
			.vmemmap = kcore_vmemmap(span_of(kallsyms), &vmemmap),
		},
		probes, &list, &note);
	for (const char *pos = list.data; pos && (pos = strstr(pos, " on ")); pos++)
		nr++;
	if (!probes->group)
		explain(add(doctor, "probes", DOCTOR_LESS, "this kernel has no kprobe events"),
			"frees in bulk and by RCU, allocations in bulk, pages that move: inferred as "
			"far as can be",
			"a kernel with CONFIG_KPROBE_EVENTS");
	else if (note.len)
		explain(add(doctor, "probes", DOCTOR_LESS, "%zu; %s", nr, note.data),
			"what these functions do, as far as it cannot be inferred", NULL);
	else
		add(doctor, "probes", DOCTOR_OK, "%zu", nr);
}

/* A reader that has to wait for its turn loses events on a busy machine. */
static void examine_realtime(struct doctor *doctor)
{
	struct sched_param was = {}, first = { .sched_priority = 1 };
	int policy = sched_getscheduler(0);

	sched_getparam(0, &was);
	if (policy >= 0 && !sched_setscheduler(0, SCHED_FIFO, &first)) {
		sched_setscheduler(0, policy, &was);
		add(doctor, "realtime", DOCTOR_OK, "readers go before other tasks");
		return;
	}
	explain(add(doctor, "realtime", DOCTOR_LESS, "SCHED_FIFO: %s", strerror(errno)),
		"events, when all CPUs are busy and a reader comes late",
		"root, CAP_SYS_NICE, or a limit (ulimit -r 1)");
}

static void examine_tracing(struct doctor *doctor, const char *tracedir,
			    const struct text *kallsyms)
{
	struct instance instance = {};
	struct probes probes = {};
	struct err *err = instance_create(tracedir, &instance);

	if (!err)
		err = examine_instance(doctor, &instance);
	if (!err)
		examine_probes(doctor, tracedir, &instance, kallsyms, &probes);
	if (err)
		explain(add(doctor, "events", DOCTOR_BLIND, "%s", err_text(err)),
			"everything: nothing can be recorded", NULL);
	err_free(err);
	err_free(instance_remove(&instance));
	probes_remove(&probes, tracedir);
}

static void examine_buffers(struct doctor *doctor)
{
	CLEANUP(cpulist_deinit) struct cpulist cpus = {};
	auto_text meminfo = {};
	auto_err struct err *no_cpus = cpulist_online(&cpus);
	auto_err struct err *no_meminfo = text_read_file(&meminfo, "/proc/meminfo");
	const char *pos = no_meminfo ? NULL : strstr(meminfo.data, "MemAvailable:");
	uint64_t kb;

	if (no_cpus || !pos || sscanf(pos, "MemAvailable: %" SCNu64, &kb) != 1)
		return;
	uint64_t size = source_default_buffer(kb * 1024, cpus.nr);
	struct doctor_finding *finding =
		add(doctor, "buffers", size < SMALL_BUFFER ? DOCTOR_LESS : DOCTOR_OK,
		    "%" PRIu64 " MB for each of %zu CPUs", size >> 20, cpus.nr);

	if (size < SMALL_BUFFER)
		explain(finding, "events of a busy CPU may be lost",
			"more memory, or record -m with more than an eighth of it");
}

static bool first_line_is(const char *path, const char *line)
{
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, path);
	size_t len = strlen(line);

	return !err && text.len >= len && !strncmp(text.data, line, len) &&
	       (text.len == len || text.data[len] == '\n');
}

/* Others do not disturb us, but all of us take time of the traced tasks. */
static void examine_others(struct doctor *doctor, const char *tracedir)
{
	auto_free char *instances = xasprintf("%s/instances", tracedir);
	auto_free char *tracer = xasprintf("%s/current_tracer", tracedir);
	auto_free char *set_event = xasprintf("%s/set_event", tracedir);
	auto_text names = {}, events = {};
	DIR *dir = opendir(instances);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			text_printf(&names, "%sinstance %s", names.len ? ", " : "",
				    entry->d_name);
	if (dir)
		closedir(dir);
	err_free(text_read_file(&events, set_event));
	if (events.len)
		text_printf(&names, "%sevents of the top level", names.len ? ", " : "");
	if (tracedir_has(tracedir, "current_tracer") && !first_line_is(tracer, "nop"))
		text_printf(&names, "%sa tracer of the top level", names.len ? ", " : "");
	if (!names.len) {
		add(doctor, "other tracers", DOCTOR_OK, "none in tracefs");
		return;
	}
	explain(add(doctor, "other tracers", DOCTOR_OK, "%s", names.data),
		"no event, but time: each of them slows down what is recorded",
		"ending them; an instance allocprof.PID whose process is gone goes with the next "
		"record");
}

static void examine_symbols(struct doctor *doctor, const struct text *kallsyms)
{
	if (!kallsyms || !kallsyms->len)
		explain(add(doctor, "symbols", DOCTOR_BLIND, "no /proc/kallsyms"),
			"names of call sites", "a kernel with CONFIG_KALLSYMS");
	else if (machine_symbols_hidden(span_of(kallsyms)))
		explain(add(doctor, "symbols", DOCTOR_BLIND, "addresses are hidden"),
			"names of call sites", "sysctl kernel.kptr_restrict=1, and root");
	else
		add(doctor, "symbols", DOCTOR_OK, "/proc/kallsyms");
	if (access("/proc/allocinfo", R_OK))
		explain(add(doctor, "allocinfo", DOCTOR_OK, "no /proc/allocinfo"),
			"a second opinion of the kernel on the figures; the figures themselves "
			"do without",
			"a kernel of 6.10 or later with CONFIG_MEM_ALLOC_PROFILING, booted with "
			"sysctl.vm.mem_profiling=1");
	else
		add(doctor, "allocinfo", DOCTOR_OK, "/proc/allocinfo");
}

static void examine_page_flags(struct doctor *doctor)
{
	static const char path[] = "/proc/kpageflags";

	if (!access(path, R_OK))
		add(doctor, "page flags", DOCTOR_OK, "%s", path);
	else
		explain(add(doctor, "page flags", DOCTOR_LESS, "%s: %s", path, strerror(errno)),
			"which older pages were slabs, when they are freed; what is gone of what "
			"lived while events were lost",
			"root, and a kernel with CONFIG_PROC_PAGE_MONITOR");
}

static void examine_kernel(struct doctor *doctor, const struct resolver_opts *opts)
{
	CLEANUP(resolver_cleanup) struct resolver *resolver = NULL;
	auto_err struct err *err = resolver_open(opts, &resolver);
	const char *path = err ? NULL : resolver_vmlinux(resolver);

	if (path) {
		add(doctor, "kernel lines", DOCTOR_OK, "%s", path);
		return;
	}
	const char *note = err ? err_text(err) : resolver_note(resolver, 0);

	explain(add(doctor, "kernel lines", DOCTOR_LESS, "%s",
		    note ? note : "no debug information found"),
		"file and line of call sites, and functions that were inlined",
		"the debug package of this kernel (linux-image-…-dbg, kernel-debuginfo), or "
		"analyze --vmlinux");
}

static bool module_has_lines(struct search *search, const struct module *module,
			     struct pool *pool)
{
	const char *path;

	for (size_t i = 0; (path = search_module(search, module->name, module->build_id, i));
	     i++) {
		CLEANUP(debuginfo_cleanup) struct debuginfo *di = NULL;
		auto_err struct err *err = debuginfo_open(path, module, pool, &di);

		if (!err && debuginfo_has_dwarf(di) &&
		    (!module->build_id || !strcmp(module->build_id, debuginfo_build_id(di))))
			return true;
	}
	return false;
}

static void examine_modules(struct doctor *doctor, const struct resolver_opts *opts)
{
	CLEANUP(pool_cleanup) struct pool *pool = pool_new();
	CLEANUP(search_cleanup)
	struct search *search = search_new(opts->release, opts->debug_dirs, pool);
	CLEANUP(modules_cleanup)
	struct modules *modules = modules_parse(opts->modules, opts->sections, opts->build_ids);
	struct span text = opts->modules, line;
	auto_text missing = {};
	size_t nr = 0, lacking = 0;

	while (span_line(&text, &line)) {
		auto_free char *name = xstrndup((const char *)line.data, line.len);

		name[strcspn(name, " ")] = '\0';
		const struct module *module = modules_find(modules, name);

		if (!module)
			continue;
		nr++;
		if (module_has_lines(search, module, pool))
			continue;
		if (lacking++ < NAMES_MAX)
			text_printf(&missing, "%s%s", missing.len ? ", " : "", name);
	}
	if (!lacking) {
		add(doctor, "module lines", DOCTOR_OK, "all of %zu loaded modules", nr);
		return;
	}
	explain(add(doctor, "module lines", DOCTOR_LESS,
		    "not for %zu of %zu loaded modules: %s%s", lacking, nr, missing.data,
		    lacking > NAMES_MAX ? ", …" : ""),
		"file and line of call sites in these",
		"the debug package of this kernel, or of whoever built the modules; "
		"analyze --debug-dir");
}

static void examine_debuginfo(struct doctor *doctor, const char *vmlinux,
			      const char *const *debug_dirs, const struct text *kallsyms)
{
	CLEANUP(texts_deinit) struct texts machine = {};
	struct utsname u = {};

	machine_describe(&machine);
	if (uname(&u) < 0)
		u.release[0] = '\0';
	struct resolver_opts opts = {
		.kallsyms = span_of(kallsyms),
		.modules = span_of(texts_find(&machine, BLOB_MODULES)),
		.sections = span_of(texts_find(&machine, BLOB_SECTIONS)),
		.build_ids = span_of(texts_find(&machine, BLOB_BUILD_IDS)),
		.release = u.release,
		.vmlinux = vmlinux,
		.debug_dirs = debug_dirs,
	};

	examine_kernel(doctor, &opts);
	examine_modules(doctor, &opts);
}

void doctor_examine(const char *vmlinux, const char *const *debug_dirs, struct doctor *ret)
{
	auto_free char *tracedir = NULL;
	auto_text kallsyms = {};
	auto_err struct err *no_tracefs = tracedir_find(&tracedir);

	*ret = (struct doctor){};
	err_free(text_read_file(&kallsyms, "/proc/kallsyms"));
	if (no_tracefs) {
		explain(add(ret, "tracefs", DOCTOR_BLIND, "%s", err_text(no_tracefs)),
			"everything: nothing can be recorded", NULL);
	} else {
		add(ret, "tracefs", DOCTOR_OK, "%s", tracedir);
		/* First: our own instance is none of the others. */
		examine_others(ret, tracedir);
		examine_tracing(ret, tracedir, &kallsyms);
	}
	examine_realtime(ret);
	examine_buffers(ret);
	examine_page_flags(ret);
	examine_symbols(ret, &kallsyms);
	examine_debuginfo(ret, vmlinux, debug_dirs, &kallsyms);
}
