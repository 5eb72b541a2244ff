// SPDX-License-Identifier: GPL-2.0-or-later
#include "analyze.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/machine.h"
#include "details.h"
#include "facts.h"
#include "notes.h"
#include "resolve/rules.h"
#include "store/newfile.h"
#include "store/origin.h"
#include "tasks.h"
#include "zones.h"

/* Asks the clock once in so many events: a look costs as much as an event. */
enum { LOOK_EVERY = 1 << 16, SHOW_EVERY_NS = 100000000 };

/* The system may bring 16 pages of a file into memory for each event. */
enum { CHECK_EVERY = 1 << 8 };

/* One thread matches; a few of them decode as fast as it does. */
enum { MAX_THREADS = 8 };

/* What all but the tables of the matcher may take of a memory limit. */
enum { MEMORY_REST = 40 << 20 };
/* Mapped of the program and its libraries; what the database takes for a site, as written. */
enum { MEMORY_PROGRAM = 8 << 20, MEMORY_SITE = 250 };

/* A module that came or went. */
struct module_event {
	const char *name; /* of struct names */
	uint64_t ts_ns;
	bool load;
};

struct analysis {
	const struct analyze_opts *opts;
	bool live;
	struct origin origin;
	struct tracefile *file;
	struct names *names;
	struct merge *merge;
	struct resolver *resolver;
	struct match *match;
	struct tasks *tasks;
	uint64_t from_ns, until_ns;	   /* facts_window() */
	struct window part;		   /* of opts->from and to */
	uint8_t *cpu_node;		   /* that match borrows */
	char *spill_dir;		   /* likewise */
	struct audit audit;		   /* likewise */
	struct audit audit_start;	   /* likewise */
	struct module_event *module_event; /* of a live one */
	size_t nr_module_events, cap_module_events;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void show(const struct analyze_opts *opts, const char *stage, uint64_t done, uint64_t of,
		 uint64_t *last_ns)
{
	uint64_t now = now_ns();

	if (!opts->progress || now - *last_ns < SHOW_EVERY_NS)
		return;
	*last_ns = now;
	opts->progress(opts->progress_arg, stage, of ? (double)done / (double)of : 1);
}

/* Files of /proc have no size, so that only reading tells where they end. */
static struct err *read_file(const char *path, char **ret, size_t *ret_len)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0, cap = 0;

	if (fd < 0)
		return err_os(errno, "%s", path);
	for (;;) {
		if (len == cap) {
			cap = cap ? 2 * cap : 1 << 20;
			text = xreallocarray(text, cap, 1);
		}
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno != EINTR)
			return err_os(errno, "%s", path);
		if (!n)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret = take_ptr(text);
	*ret_len = len;
	return NULL;
}

static struct span text_of(const struct tracefile *file, const char *name)
{
	struct span text = {};

	tracefile_text(file, name, &text);
	return text;
}

static void show_download(void *arg, uint64_t done, uint64_t of)
{
	const struct analyze_opts *opts = arg;

	if (opts->progress)
		opts->progress(opts->progress_arg, "download",
			       of ? (double)done / (double)of : 0);
}

static struct err *open_resolver(const struct analyze_opts *opts, const struct tracefile *file,
				 struct resolver **ret)
{
	auto_free char *release = facts_release(file);
	auto_free char *kallsyms = NULL, *wrappers = NULL;
	struct resolver_opts resolver_opts = {
		.kallsyms = text_of(file, "kallsyms"),
		.modules = text_of(file, BLOB_MODULES),
		.sections = text_of(file, BLOB_SECTIONS),
		.build_ids = text_of(file, BLOB_BUILD_IDS),
		.release = release,
		.vmlinux = opts->vmlinux,
		.cache_dir = opts->cache_dir,
		.debug_dirs = opts->debug_dirs,
		.debuginfod = opts->debuginfod,
		.downloading = show_download,
		.downloading_arg = (void *)opts,
	};

	/* Recorded with the rights to tracing, but not to symbols. */
	if (machine_symbols_hidden(resolver_opts.kallsyms))
		resolver_opts.kallsyms = (struct span){};
	if (opts->kallsyms) {
		size_t len = 0;

		TRY(read_file(opts->kallsyms, &kallsyms, &len));
		resolver_opts.kallsyms = (struct span){ (const uint8_t *)kallsyms, len };
	}
	if (opts->wrappers) {
		CLEANUP(rules_cleanup) struct rules *rules = NULL;
		size_t len = 0;

		/* A mistake in it is the file's, not the recording's. */
		TRY(read_file(opts->wrappers, &wrappers, &len));
		resolver_opts.rules = (struct span){ (const uint8_t *)wrappers, len };
		TRY(err_wrap(rules_parse(resolver_opts.rules, 0, 0, &rules), "%s",
			     opts->wrappers));
	}
	return err_wrap(resolver_open(&resolver_opts, ret), "%s", opts->input);
}

static enum code_class classify(void *resolver, uint64_t addr)
{
	unsigned int rules = resolver_rules_at(resolver, addr);

	if (rules & RULE_VMALLOC)
		return CODE_VMALLOC;
	if (rules & RULE_DROP)
		return CODE_ALLOCATOR;
	return rules & (RULE_AREA | RULE_PLUMBING) ? CODE_INNER : CODE_OTHER;
}

static bool is_wanted(void *tasks, const struct event *ev)
{
	return tasks_wanted(tasks, ev);
}

/* Kinds of events that tell something else. */
#define NOTICED (-(UINT32_C(1) << EVENT_MODULE_LOAD))

static_assert(EVENT_MODULE_LOAD + 5 == NR_EVENT_KINDS, "the last five are noticed");

/* What an event tells besides memory. */
static void notice(struct analysis *a, const struct event *ev)
{
	tasks_event(a->tasks, ev);
	if (ev->kind != EVENT_MODULE_LOAD && ev->kind != EVENT_MODULE_FREE)
		return;
	struct module_event module = { names_text(a->names, ev->cache), ev->ts_ns,
				       ev->kind == EVENT_MODULE_LOAD };

	resolver_module_event(a->resolver, module.name, module.ts_ns, module.load);
	if (a->live) {
		vec_room(a->module_event, a->nr_module_events, a->cap_module_events);
		a->module_event[a->nr_module_events++] = module;
	}
}

/* Whose an allocation is, is asked at its time. */
static void match_some(struct analysis *a, const struct merge_run *run)
{
	for (size_t i = 0; i < run->nr; i++) {
		notice(a, run->item[i].event);
		match_event(a->match, run->item[i].event);
	}
}

/* Leaves of @run what lies in the window. */
static void clip(const struct analysis *a, struct merge_run *run)
{
	size_t nr = 0;

	if (run->earliest_ns >= a->from_ns && run->latest_ns <= a->until_ns)
		return;
	for (size_t i = 0; i < run->nr; i++) {
		uint64_t ts_ns = run->item[i].event->ts_ns;

		if (ts_ns >= a->from_ns && ts_ns <= a->until_ns)
			run->item[nr++] = run->item[i];
	}
	run->nr = nr;
}

/* All that the merge has for now. */
static struct err *match_all(struct analysis *a)
{
	uint64_t last_ns = now_ns(), nr = 0, unchecked = 0;
	struct merge_run run;

	for (;;) {
		TRY(merge_next_run(a->merge, &run));
		if (!run.nr)
			return NULL;
		clip(a, &run);
		if (!run.nr)
			continue;
		if (tasks_choose(a->tasks)) {
			match_some(a, &run);
		} else {
			for (size_t i = 0; run.kinds & NOTICED && i < run.nr; i++)
				notice(a, run.item[i].event);
			match_run(a->match, &run);
		}
		nr += run.nr;
		unchecked += run.nr;
		if (a->opts->memory_limit && unchecked >= CHECK_EVERY) {
			unchecked = 0;
			TRY(match_check_memory(a->match, a->opts->memory_limit));
		}
		if (nr >= LOOK_EVERY) {
			nr = 0;
			show(a->opts, "reading", merge_bytes(a->merge),
			     tracefile_data_bytes(a->file), &last_ns);
		}
	}
}

/* The return addresses that a site is told by, innermost first. */
static const uint64_t *site_addresses(const struct match *match, const struct site *site,
				      size_t *ret_nr)
{
	if (site->stack != SITE_NO_STACK)
		return stacks_frames(match_stacks(match), site->stack, ret_nr);
	*ret_nr = site->call_site != 0;
	return &site->call_site;
}

static void resolve_site(const struct match *match, const struct site *site,
			 struct resolver *resolver, struct callsite *ret)
{
	size_t nr;
	const uint64_t *addr = site_addresses(match, site, &nr);

	resolver_site_at(resolver, addr, nr, site->first_ns, site->last_ns, ret);
}

/* Debug information is read by several threads when it is known what is wanted of it. */
static void expect_sites(const struct match *match, const struct site *site, size_t nr,
			 struct resolver *resolver)
{
	auto_free uint64_t *all = NULL;
	size_t nr_all = 0, cap = 0, nr_addr;

	for (size_t i = 0; i < nr; i++) {
		const uint64_t *addr = site_addresses(match, &site[i], &nr_addr);

		for (size_t n = 0; n < nr_addr; n++) {
			vec_room(all, nr_all, cap);
			all[nr_all++] = addr[n];
		}
	}
	resolver_expect(resolver, all, nr_all);
}

/*
 * With @nr sites still to be written. What is mapped of the kernel's debug information the
 * system takes back when it wants to.
 */
static struct err *check_memory(const struct analyze_opts *opts, size_t nr)
{
	uint64_t own;

	if (!opts->memory_limit)
		return NULL;
	spill_resident(&own);
	return spill_check(own + nr * MEMORY_SITE, opts->memory_limit - MEMORY_PROGRAM);
}

static struct err *write_sites(const struct analyze_opts *opts, struct match *match,
			       struct resolver *resolver, const struct names *names,
			       uint64_t lost, struct writer *writer)
{
	size_t nr;
	const struct site *site = match_sites(match, &nr);
	auto_free uint32_t *group = xcalloc(nr + 1, sizeof(*group));
	uint64_t last_ns = now_ns();
	struct callsite callsite;

	expect_sites(match, site, nr, resolver);
	for (size_t i = 0; i < nr; i++) {
		resolve_site(match, &site[i], resolver, &callsite);
		TRY(writer_callsite(writer, site[i].kind, &callsite, &group[i]));
		if (i % CHECK_EVERY == 0)
			TRY(check_memory(opts, nr));
		show(opts, "resolving", i, nr, &last_ns);
	}
	match_judge(match, group, lost);
	for (size_t i = 0; i < nr; i++) {
		/* Known by now. */
		resolve_site(match, &site[i], resolver, &callsite);
		TRY(writer_site(writer, &site[i], &callsite, names_text(names, site[i].cache)));
	}
	return NULL;
}

static bool says(struct span text, const char *words)
{
	return text.len && memmem(text.data, text.len, words, strlen(words));
}

/* Whether RCU can free what no event tells: in bulk, or since 6.18 by sheaf. */
static bool frees_silently(const struct tracefile *file)
{
	struct span events = text_of(file, BLOB_EVENTS);

	return !says(events, ":bulk_free on") ||
	       (says(text_of(file, "kallsyms"), " rcu_free_sheaf\n") &&
		!says(events, ":sheaf_free on"));
}

/* Threads beside this one. CPUs that this process may not use are no use. */
static size_t nr_helpers(const struct analyze_opts *opts)
{
	cpu_set_t set;
	size_t nr = opts->threads;

	if (!nr)
		nr = sched_getaffinity(0, sizeof(set), &set) ? 1 : (size_t)CPU_COUNT(&set);
	return (nr < MAX_THREADS ? nr : MAX_THREADS) - 1;
}

static void parse_audits(struct analysis *a, const struct tracefile *file)
{
	audit_deinit(&a->audit);
	audit_deinit(&a->audit_start);
	audit_parse(&a->audit, text_of(file, BLOB_PAGEFLAGS));
	/* Of the start of all files; in what those before one told, much may have changed. */
	if (!facts_continues(file))
		audit_parse(&a->audit_start, text_of(file, BLOB_PAGEFLAGS_START));
}

struct err *analysis_open(const struct analyze_opts *opts, bool live, struct analysis **ret)
{
	CLEANUP(analysis_cleanup) struct analysis *a = xcalloc(1, sizeof(*a));

	a->opts = opts;
	a->live = live;
	a->names = names_new();
	if (!live)
		TRY(origin_init(&a->origin, opts->origin ? opts->origin : opts->input,
				opts->vmlinux, opts->kallsyms, opts->wrappers,
				opts->debug_dirs));
	if (!live && opts->from.given)
		origin_window(&a->origin, "from", opts->from.ns, opts->from.from_end);
	if (!live && opts->to.given)
		origin_window(&a->origin, "to", opts->to.ns, opts->to.from_end);
	TRY(tracefile_open(opts->input, &a->file));
	TRY(live ? merge_open_live(a->file, a->names, &a->merge)
		 : merge_open(a->file, a->names, &a->merge));
	/* What is there of a live one is read at once, and not much at a time. */
	if (!live)
		merge_threads(a->merge, nr_helpers(opts));
	TRY(open_resolver(opts, a->file, &a->resolver));

	TRY(err_wrap(window_find(opts->from, opts->to, a->file, a->names, &a->part), "%s",
		     opts->input));

	size_t nr_self;
	auto_free int32_t *self = facts_self(a->file, &nr_self);

	facts_window(a->file, &a->from_ns, &a->until_ns);
	size_t nr_cpu_node;

	a->cpu_node = details_cpu_nodes(a->file, &nr_cpu_node);

	a->tasks = tasks_new(a->file, a->names);
	const char *slash = opts->output ? strrchr(opts->output, '/') : NULL;

	a->spill_dir = slash ? xstrndup(opts->output, (size_t)(slash - opts->output + 1))
			     : xstrdup(".");
	parse_audits(a, a->file);
	a->match = match_new(&(struct match_opts){
		.page_size = merge_page_size(a->merge),
		.classify = classify,
		.classify_arg = a->resolver,
		.self = self,
		.nr_self = nr_self,
		.rcu_silent = frees_silently(a->file),
		.audit = a->part.to_ns ? NULL : &a->audit,
		.audit_start = &a->audit_start,
		.from_ns = a->part.from_ns,
		.until_ns = a->part.to_ns,
		.cpu_node = a->cpu_node,
		.nr_cpu_node = nr_cpu_node,
		.sample = facts_sample(a->file),
		.filtered = facts_filtered(a->file),
		.wanted = tasks_choose(a->tasks) ? is_wanted : NULL,
		.wanted_arg = a->tasks,
		.memory_limit = opts->memory_limit ? (opts->memory_limit - MEMORY_REST) / 2 : 0,
		.spill_dir = a->spill_dir,
	});
	*ret = take_ptr(a);
	return NULL;
}

void analysis_close(struct analysis *a)
{
	if (!a)
		return;
	tasks_free(a->tasks);
	match_free(a->match);
	resolver_close(a->resolver);
	merge_close(a->merge);
	names_free(a->names);
	tracefile_close(a->file);
	origin_deinit(&a->origin);
	free(a->cpu_node);
	audit_deinit(&a->audit);
	audit_deinit(&a->audit_start);
	free(a->module_event);
	free(a->spill_dir);
	free(a);
}

struct err *analysis_extend(struct analysis *a, uint64_t until_ns)
{
	TRY(merge_extend(a->merge, until_ns));
	return match_all(a);
}

bool analysis_consumed(const struct analysis *a, size_t i, unsigned int *ret_cpu,
		       uint64_t *ret_bytes)
{
	return merge_consumed(a->merge, i, ret_cpu, ret_bytes);
}

const struct match *analysis_match(const struct analysis *a)
{
	return a->match;
}

const struct merge_stats *analysis_stats(const struct analysis *a)
{
	return merge_stats(a->merge);
}

void analysis_resolve(struct analysis *a, const struct site *site, struct callsite *ret)
{
	resolve_site(a->match, site, a->resolver, ret);
}

/*
 * What is known of the recording by its end: its texts, and with them the symbols and
 * which memory is free.
 */
static struct err *reopen(struct analysis *a, const char *recording,
			  struct tracefile **ret_file, struct resolver **ret_resolver)
{
	if (recording)
		TRY(origin_init(&a->origin, recording, a->opts->vmlinux, a->opts->kallsyms,
				a->opts->wrappers, a->opts->debug_dirs));
	TRY(tracefile_open(recording ? recording : a->opts->input, ret_file));
	TRY(open_resolver(a->opts, *ret_file, ret_resolver));
	for (size_t i = 0; i < a->nr_module_events; i++) {
		const struct module_event *module = &a->module_event[i];

		resolver_module_event(*ret_resolver, module->name, module->ts_ns, module->load);
	}
	parse_audits(a, *ret_file);
	return NULL;
}

struct err *analysis_write(struct analysis *a, const char *recording, const char *output,
			   struct analyze_result *ret)
{
	CLEANUP(tracefile_cleanup) struct tracefile *last_file = NULL;
	CLEANUP(resolver_cleanup) struct resolver *last_resolver = NULL;
	CLEANUP(writer_cleanup) struct writer *writer = NULL;
	const struct tracefile *file = a->file;
	struct resolver *resolver = a->resolver;
	uint64_t lost;

	if (a->live) {
		TRY(reopen(a, recording, &last_file, &last_resolver));
		file = last_file;
		resolver = last_resolver;
	}
	TRY(match_error(a->match));
	match_finish(a->match);
	TRY(writer_open(output, &writer));
	TRY(origin_write(&a->origin, writer));
	TRY(facts_write(writer, file, a->merge, match_totals(a->match), &lost));
	TRY(notes_write(writer, file, a->live, a->merge, a->match, lost));
	TRY(tasks_write(a->tasks, file, writer));
	TRY(zones_write(writer, file));
	if (a->part.from_ns)
		TRY(writer_recording_int(writer, "from_ns", (int64_t)a->part.from_ns));
	if (a->part.to_ns)
		TRY(writer_recording_int(writer, "to_ns", (int64_t)a->part.to_ns));
	/* What the kernel counts as lost is of the whole recording. */
	TRY(write_sites(a->opts, a->match, resolver, a->names,
			a->part.from_ns || a->part.to_ns ? 0 : lost, writer));
	TRY(details_write(writer, file, a->match, a->names, resolver));
	TRY(check_memory(a->opts, 0));
	TRY(facts_write_symbols(writer, resolver));
	TRY(writer_quality(writer, match_totals(a->match), merge_stats(a->merge),
			   tracefile_truncated_bytes(file),
			   tracefile_unfinished(file) && !a->live, facts_probe_misses(file)));
	TRY(writer_commit(writer));
	ret->events = merge_stats(a->merge)->events;
	ret->sites = writer_nr_call_sites(writer);
	return NULL;
}

struct err *analyze(const struct analyze_opts *opts, struct analyze_result *ret)
{
	CLEANUP(analysis_cleanup) struct analysis *a = NULL;

	TRY(newfile_check(opts->output));
	if (opts->memory_limit && opts->memory_limit < ANALYZE_LEAST_MEMORY)
		return err_new(ERR_USAGE, "--memory-limit: less than %d MB is not enough",
			       ANALYZE_LEAST_MEMORY >> 20);
	TRY(analysis_open(opts, false, &a));
	TRY(match_all(a));
	return analysis_write(a, opts->input, opts->output, ret);
}
