// SPDX-License-Identifier: GPL-2.0-or-later
#include "facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "snapshots.h"

/* A decimal number that is all of @text but blanks around it. */
static bool number(struct span text, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0, digits = 0;

	while (i < text.len && text.data[i] == ' ')
		i++;
	for (; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++, digits++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, text.data[i] - '0', &v))
			return false;
	while (i < text.len && text.data[i] == ' ')
		i++;
	if (!digits || i != text.len)
		return false;
	*ret = v;
	return true;
}

/* What follows @prefix in @line. */
static bool after(struct span line, const char *prefix, struct span *ret)
{
	size_t len = strlen(prefix);

	if (line.len < len || memcmp(line.data, prefix, len))
		return false;
	*ret = (struct span){ line.data + len, line.len - len };
	return true;
}

/* The @index-th word of a line; false when it has fewer. */
static bool word(struct span line, size_t index, struct span *ret)
{
	for (;;) {
		size_t n = 0;

		while (line.len && *line.data == ' ')
			line.data++, line.len--;
		while (n < line.len && line.data[n] != ' ' && line.data[n])
			n++;
		if (!n)
			return false;
		if (!index--) {
			*ret = (struct span){ line.data, n };
			return true;
		}
		line.data += n;
		line.len -= n;
	}
}

/* The number that a line "name N" of a text gives. */
static bool field(struct span text, const char *name, uint64_t *ret)
{
	struct span line, rest;

	while (span_line(&text, &line))
		if (after(line, name, &rest) && rest.len && rest.data[0] == ' ' &&
		    number(rest, ret))
			return true;
	return false;
}

/* "Linux host release machine" */
static bool uname_word(const struct tracefile *file, size_t index, struct span *ret)
{
	struct span text, line;

	return tracefile_text(file, "uname", &text) && span_line(&text, &line) &&
	       word(line, index, ret);
}

char *facts_release(const struct tracefile *file)
{
	struct span release;

	if (!uname_word(file, 2, &release))
		return NULL;
	return xstrndup((const char *)release.data, release.len);
}

int32_t *facts_self(const struct tracefile *file, size_t *ret_nr)
{
	int32_t *pid = NULL;
	size_t nr = 0, cap = 0;
	struct span text, line;
	uint64_t v;

	if (tracefile_text(file, BLOB_SELF, &text)) {
		while (span_line(&text, &line)) {
			/* Pid 0 is every CPU's idle task, and none of a recorder. */
			if (!number(line, &v) || !v || v > INT32_MAX)
				continue;
			vec_room(pid, nr, cap);
			pid[nr++] = (int32_t)v;
		}
	}
	*ret_nr = nr;
	return pid;
}

struct sample_rate facts_sample(const struct tracefile *file)
{
	struct span text, line, rest, w;
	uint64_t one_in, chunk;

	if (!tracefile_text(file, BLOB_RECORDER, &text))
		return (struct sample_rate){};
	while (span_line(&text, &line))
		if (after(line, "sample ", &rest) && word(rest, 0, &w) && number(w, &one_in) &&
		    word(rest, 1, &w) && number(w, &chunk) && one_in <= SAMPLE_MAX && one_in &&
		    !(one_in & (one_in - 1)) && chunk < one_in)
			return (struct sample_rate){ (uint32_t)one_in, (uint32_t)chunk };
	return (struct sample_rate){};
}

bool facts_filtered(const struct tracefile *file)
{
	struct span text, line, rest;

	if (!tracefile_text(file, BLOB_RECORDER, &text))
		return false;
	while (span_line(&text, &line))
		if (after(line, "filter ", &rest))
			return true;
	return false;
}

/* What was asked for: a condition a line, as the recorder put it. */
static struct err *write_filters(struct writer *writer, const struct tracefile *file)
{
	auto_free char *lines = xstrdup("");
	struct span text, line, rest;

	if (!tracefile_text(file, BLOB_RECORDER, &text))
		return NULL;
	while (span_line(&text, &line)) {
		const char *before = after(line, "filter ", &rest)	 ? ""
				     : after(line, "select pid ", &rest) ? "by process "
				     : after(line, "select cgroup ", &rest)
					     ? "by tasks of cgroup "
					     : NULL;

		if (!before)
			continue;
		char *longer =
			xasprintf("%s%s%s%.*s%s", lines, *lines ? "\n" : "", before,
				  (int)rest.len, (const char *)rest.data,
				  after(line, "select pid ", &rest) ? " and what it starts"
								    : "");

		free(lines);
		lines = longer;
	}
	return *lines ? writer_recording_text(writer, "filters", lines, strlen(lines)) : NULL;
}

static struct err *write_span(struct writer *writer, const char *column, struct span text)
{
	return writer_recording_text(writer, column, (const char *)text.data, text.len);
}

static struct err *write_text(struct writer *writer, const char *column, const char *text)
{
	if (!text || !*text)
		return NULL;
	return writer_recording_text(writer, column, text, strlen(text));
}

static struct err *write_machine(struct writer *writer, const struct tracefile *file)
{
	static const char *const columns[] = { NULL, "hostname", "release", "machine" };
	struct span text, line, id;

	for (size_t i = 1; i < sizeof(columns) / sizeof(*columns); i++)
		/* "(none)" is the kernel's word for a machine without a name. */
		if (uname_word(file, i, &text) && text.data[0] != '(')
			TRY(write_span(writer, columns[i], text));
	if (!tracefile_text(file, BLOB_BUILD_IDS, &text))
		return NULL;
	while (span_line(&text, &line))
		if (after(line, "vmlinux ", &id))
			return write_span(writer, "kernel_build_id", id);
	return NULL;
}

static struct err *write_recorder(struct writer *writer, const struct tracefile *file)
{
	struct span text, line, version;

	if (tracefile_text(file, BLOB_IMPORTED, &text) && span_line(&text, &line))
		return write_span(writer, "recorder", line);
	if (tracefile_text(file, BLOB_RECORDER, &text)) {
		while (span_line(&text, &line)) {
			if (!after(line, "version ", &version))
				continue;
			auto_free char *name = xasprintf("allocprof %.*s", (int)version.len,
							 (const char *)version.data);

			return write_text(writer, "recorder", name);
		}
	}
	if (!tracefile_text(file, "version", &text) || !span_line(&text, &line))
		return NULL;
	auto_free char *name =
		xasprintf("trace-cmd %.*s", (int)line.len, (const char *)line.data);

	return write_text(writer, "recorder", name);
}

/* The clock of the first buffer with data; all events are merged by it. */
static const char *clock_of(const struct tracefile *file)
{
	return tracefile_nr_buffers(file) ? tracefile_buffer_clock(file, 0) : "";
}

bool facts_times(const struct tracefile *file, uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	struct span times;

	/* Of a chain without its end, the times are those of the last file that is there. */
	return !tracefile_unfinished(file) && tracefile_text(file, BLOB_TIMES, &times) &&
	       !strcmp(clock_of(file), "mono") && field(times, "start_mono_ns", ret_start_ns) &&
	       field(times, "end_mono_ns", ret_end_ns);
}

/* When recording ended; only where the events have the same clock do times compare. */
static uint64_t end_of(const struct tracefile *file, const struct match_totals *totals)
{
	uint64_t end_ns = totals->last_ns;
	struct span times;

	if (tracefile_text(file, BLOB_TIMES, &times) && !strcmp(clock_of(file), "mono"))
		field(times, "end_mono_ns", &end_ns);
	return end_ns > totals->last_ns ? end_ns : totals->last_ns;
}

void facts_window(const struct tracefile *file, uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	struct span text;

	*ret_start_ns = 0;
	*ret_end_ns = UINT64_MAX;
	if (!tracefile_text(file, BLOB_WINDOW, &text) || strcmp(clock_of(file), "mono"))
		return;
	field(text, "start_mono_ns", ret_start_ns);
	field(text, "end_mono_ns", ret_end_ns);
}

static struct err *write_times(struct writer *writer, const struct tracefile *file,
			       const struct match_totals *totals)
{
	uint64_t start_ns = totals->first_ns, end_ns = totals->last_ns, v;
	uint64_t first_ns = start_ns;
	struct span times = {};

	if (tracefile_text(file, BLOB_TIMES, &times)) {
		/* Only where the events have the same clock do they compare. */
		if (!strcmp(clock_of(file), "mono")) {
			field(times, "start_mono_ns", &start_ns);
			field(times, "end_mono_ns", &end_ns);
		}
		if (field(times, "start_unix_ns", &v))
			TRY(writer_recording_int(writer, "start_unix_ns", (int64_t)v));
		if (field(times, "end_unix_ns", &v))
			TRY(writer_recording_int(writer, "end_unix_ns", (int64_t)v));
	}
	/* Of a chain without its end, the times are those of the last file that is there. */
	if (first_ns && start_ns > first_ns)
		start_ns = first_ns;
	TRY(writer_recording_int(writer, "start_ns", (int64_t)start_ns));
	return writer_recording_int(writer, "end_ns", (int64_t)end_ns);
}

bool facts_cpu_stats(struct span *text, struct cpu_stats *ret)
{
	struct cpu_stats stats = { .cpu = ret->cpu };
	struct span line, rest;
	bool any = false;
	uint64_t v;

	for (;;) {
		struct span before = *text;

		if (!span_line(text, &line))
			break;
		if (after(line, "CPU:", &rest) && number(rest, &v)) {
			if (any) {
				*text = before;
				break;
			}
			stats.cpu = (unsigned int)v;
			any = true;
		} else if (after(line, "entries:", &rest)) {
			any |= number(rest, &stats.entries);
		} else if (after(line, "overrun:", &rest)) {
			any |= number(rest, &stats.overrun);
		} else if (after(line, "commit overrun:", &rest)) {
			any |= number(rest, &stats.commit_overrun);
		} else if (after(line, "dropped events:", &rest)) {
			any |= number(rest, &stats.dropped);
		} else if (after(line, "read events:", &rest)) {
			any |= number(rest, &stats.read_events);
		}
	}
	if (any)
		*ret = stats;
	return any;
}

/* A set of CPUs of which each is written once: a second one is not the kernel's. */
struct cpu_list {
	unsigned int *cpu;
	size_t nr, cap;
	uint64_t lost;
};

static void cpu_list_deinit(struct cpu_list *list)
{
	free(list->cpu);
}

static struct err *write_cpu(struct writer *writer, struct cpu_list *list,
			     const struct cpu_stats *stats)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->cpu[i] == stats->cpu)
			return NULL;
	vec_room(list->cpu, list->nr, list->cap);
	list->cpu[list->nr++] = stats->cpu;
	list->lost += stats->overrun + stats->commit_overrun + stats->dropped;
	return writer_cpu(writer, stats);
}

static struct err *write_cpus(struct writer *writer, const struct tracefile *file,
			      struct cpu_list *list)
{
	struct cpu_stats stats;
	struct span text, number_of;
	const char *name;
	uint64_t cpu;

	for (size_t i = 0; tracefile_blob(file, i, &name, &text); i++) {
		struct span whole = { (const uint8_t *)name, strlen(name) };

		if (!after(whole, BLOB_CPUSTAT, &number_of) || !number(number_of, &cpu))
			continue;
		stats.cpu = (unsigned int)cpu;
		if (facts_cpu_stats(&text, &stats))
			TRY(write_cpu(writer, list, &stats));
	}
	if (list->nr || !tracefile_text(file, "cpustat", &text))
		return NULL;
	stats.cpu = 0;
	while (facts_cpu_stats(&text, &stats)) {
		TRY(write_cpu(writer, list, &stats));
		stats.cpu++;
	}
	return NULL;
}

static struct err *write_snapshots(struct writer *writer, const struct tracefile *file)
{
	static const char *const when[] = { "start", "end" };
	struct span text;
	const char *name;

	for (size_t i = 0; tracefile_blob(file, i, &name, &text); i++) {
		for (size_t w = 0; w < 2; w++) {
			auto_free char *prefix = xasprintf(BLOB_SNAPSHOT "%s/", when[w]);
			struct span earlier;

			if (strncmp(name, prefix, strlen(prefix)))
				continue;
			/* The first of two blobs with one name counts. */
			if (tracefile_text(file, name, &earlier) && earlier.data != text.data)
				continue;
			TRY(writer_snapshot(writer, name + strlen(prefix), when[w], text));
			TRY(snapshots_write(writer, name + strlen(prefix), when[w], text));
		}
	}
	return NULL;
}

ERR_PRINTF(2, 3) static struct err *note(struct writer *writer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	return writer_note(writer, text);
}

/* How the recording ended, where it was not as it should have. */
static struct err *note_end(struct writer *writer, const struct tracefile *file, bool live)
{
	struct span text, line, why, times;
	uint64_t bytes;

	if (!tracefile_text(file, BLOB_RECORDER, &text))
		text = (struct span){};
	if (tracefile_unfinished(file) && !live && tracefile_text(file, BLOB_TIMES, &times))
		TRY(note(writer,
			 "the recorder came to the end of the recorded time, but not to "
			 "writing its file; no event is missing for that"));
	else if (tracefile_unfinished(file) && !live && field(text, "buffer_bytes", &bytes))
		TRY(note(writer,
			 "the recording is not finished: its recorder %s; what was in the "
			 "kernel's buffers, up to %" PRIu64 " MB per CPU, is not in it",
			 tracefile_growing(file) ? "is at work" : "was killed, or had no room",
			 bytes >> 20));
	while (span_line(&text, &line))
		if (after(line, "cut ", &why))
			TRY(note(writer, "the recording ended before it should have: %.*s",
				 (int)why.len, (const char *)why.data));
	return NULL;
}

uint64_t facts_continues(const struct tracefile *file)
{
	struct span text;
	uint64_t index;
	bool broken;

	if (tracefile_chain(file, &broken) || !tracefile_text(file, BLOB_CHAIN, &text) ||
	    !field(text, "index", &index))
		return 0;
	return index;
}

static struct err *note_chain(struct writer *writer, const struct tracefile *file)
{
	uint64_t index = facts_continues(file);
	bool broken;
	uint32_t files = tracefile_chain(file, &broken);

	if (files && broken && !tracefile_unfinished(file))
		TRY(note(writer,
			 "the recording goes on in another file, .%" PRIu32
			 ", which is not there",
			 files));
	if (!index)
		return NULL;
	return note(writer,
		    "this is number %" PRIu64
		    " of several files of a recording: what was allocated "
		    "in those before it counts as older; the first of them reads like all",
		    index + 1);
}

uint64_t facts_probe_misses(const struct tracefile *file)
{
	struct span text, line, rest;
	uint64_t ret = 0;

	if (!tracefile_text(file, BLOB_EVENTS, &text))
		return 0;
	while (span_line(&text, &line))
		if (after(line, "probes missed ", &rest) && number(rest, &ret))
			return ret;
	return 0;
}

static struct err *note_missing_events(struct writer *writer, const struct tracefile *file)
{
	struct span text, line, name, state;

	if (!tracefile_text(file, BLOB_EVENTS, &text))
		return NULL;
	while (span_line(&text, &line)) {
		if (!word(line, 0, &name) || !word(line, 1, &state) || state.len != 7 ||
		    memcmp(state.data, "missing", 7) != 0)
			continue;
		/* "kprobes missing" is of no event of its own. */
		bool event = memchr(name.data, ':', name.len);

		TRY(note(writer, "the recorded kernel has no %s%.*s", event ? "event " : "",
			 (int)name.len, (const char *)name.data));
	}
	return NULL;
}

static uint64_t sum_inferred(const struct match *match, uint64_t *ret_missing_stacks)
{
	size_t nr;
	const struct site *site = match_sites(match, &nr);
	uint64_t sum = 0;

	*ret_missing_stacks = 0;
	for (size_t i = 0; i < nr; i++) {
		for (int rule = 0; rule < NR_END_RULES; rule++)
			sum += site[i].inferred_frees[rule];
		*ret_missing_stacks += site[i].missing_stacks;
	}
	return sum;
}

/*
 * Nanoseconds from the last allocation at a site whose objects are freed
 * silently, as RCU does it, to @end_ns; UINT64_MAX when there is none.
 */
static uint64_t since_silent(const struct match *match, uint64_t end_ns)
{
	size_t nr;
	const struct site *site = match_sites(match, &nr);
	uint64_t ret = UINT64_MAX;

	for (size_t i = 0; i < nr; i++) {
		uint64_t silent = site[i].inferred_frees[END_REUSE] +
				  site[i].inferred_frees[END_SLAB_PAGE];

		if (silent && site[i].live && end_ns - site[i].last_ns < ret)
			ret = end_ns - site[i].last_ns;
	}
	return ret;
}

/*
 * Of @n chunks one in N is seen; that it is none has the probability of three
 * standard errors when @n is 6 N.
 */
static struct err *note_sample(struct writer *writer, const struct tracefile *file,
			       uint32_t page_size)
{
	uint64_t one_in = facts_sample(file).one_in;
	uint64_t bytes = 6 * one_in * ((uint64_t)page_size << SAMPLE_ORDER);

	if (one_in <= 1)
		return NULL;
	return note(writer,
		    "of slab objects and pages one chunk in %" PRIu64
		    " was recorded: what a call site holds in few chunks, less than %" PRIu64
		    " KB in all, may be missing altogether",
		    one_in, bytes >> 10);
}

static struct err *write_notes(struct writer *writer, const struct tracefile *file, bool live,
			       const struct match *match, const struct merge_stats *merge,
			       uint32_t page_size, uint64_t lost)
{
	const struct match_totals *totals = match_totals(match);
	uint64_t truncated = tracefile_truncated_bytes(file), missing_stacks;
	uint64_t inferred = sum_inferred(match, &missing_stacks);
	uint64_t silent_ns = since_silent(match, end_of(file, totals));
	uint64_t unknown = totals->unknown_frees[SITE_SLAB];
	uint64_t allocs = totals->events[EVENT_KMALLOC] + totals->events[EVENT_CACHE_ALLOC];

	TRY(note_end(writer, file, live));
	TRY(note_chain(writer, file));
	if (!merge->events)
		TRY(note(writer, "the recording holds no events"));
	/* A larger buffer does not help against damage. */
	if (lost || totals->lost_gaps)
		TRY(note(writer, "events are missing: what lived across a gap is uncertain%s",
			 lost ? "; record with a larger buffer (record -m)" : ""));
	if (truncated)
		TRY(note(writer,
			 "the recording is cut short: of its data %" PRIu64
			 " bytes are missing",
			 truncated));
	if (merge->damaged_pages || totals->damaged_bytes)
		TRY(note(writer,
			 "pages of the recording that would not decode: %" PRIu64
			 "; they count as lost; if this is a copy, make a new one",
			 merge->damaged_pages));
	TRY(note_sample(writer, file, page_size));
	TRY(note_missing_events(writer, file));
	if (inferred)
		TRY(note(
			writer,
			"objects freed without an event of their own (in bulk, by RCU): %" PRIu64
			"; they count as freed when their memory was used anew",
			inferred));
	/* The kernel lets what RCU frees wait for 5 s. */
	if (silent_ns < UINT64_C(6000000000))
		TRY(note(
			writer,
			"the recording ends %.1f s after the last allocation of objects that are "
			"freed so, which takes up to 6 s: some that seem to live may only wait for it",
			(double)silent_ns / 1e9));
	/* Of what was not asked for, frees are recorded as a matter of course. */
	if (unknown > allocs / 100 && !facts_filtered(file))
		TRY(note(writer,
			 "frees of slab objects that no event allocated (before the recording, "
			 "in bulk): %" PRIu64 "; they are in no figure but unknown_frees",
			 unknown));
	if (missing_stacks)
		TRY(note(
			writer,
			"allocations without the stack that would name their call site: %" PRIu64,
			missing_stacks));
	return NULL;
}

struct err *facts_write_symbols(struct writer *writer, const struct resolver *resolver)
{
	const char *text;

	TRY(write_text(writer, "vmlinux", resolver_vmlinux(resolver)));
	TRY(write_text(writer, "vmlinux_build_id", resolver_vmlinux_build_id(resolver)));
	for (size_t i = 0; (text = resolver_note(resolver, i)); i++)
		TRY(writer_note(writer, text));
	return NULL;
}

struct err *facts_write(struct writer *writer, const struct tracefile *file, bool live,
			const struct merge *merge, const struct match *match,
			uint64_t *ret_lost)
{
	const struct match_totals *totals = match_totals(match);
	const struct merge_stats *stats = merge_stats(merge);
	CLEANUP(cpu_list_deinit) struct cpu_list cpus = {};
	auto_free char *format = xasprintf("trace.dat version %u", tracefile_version(file));

	TRY(write_machine(writer, file));
	TRY(write_recorder(writer, file));
	TRY(write_times(writer, file, totals));

	struct sample_rate sample = facts_sample(file);

	if (sample.one_in > 1)
		TRY(writer_recording_int(writer, "sample", sample.one_in));
	TRY(write_filters(writer, file));
	TRY(write_text(writer, "clock", clock_of(file)));
	TRY(write_text(writer, "input_format", format));
	TRY(writer_recording_int(writer, "page_size", merge_page_size(merge)));
	TRY(write_cpus(writer, file, &cpus));

	size_t nr_cpus = cpus.nr;

	for (size_t i = 0; i < tracefile_nr_buffers(file); i++)
		if (tracefile_nr_cpus(file, i) > nr_cpus)
			nr_cpus = tracefile_nr_cpus(file, i);
	/* Gaps that carry a count are a part of what the kernel counted. */
	uint64_t lost = cpus.lost > totals->lost_counted ? cpus.lost : totals->lost_counted;

	*ret_lost = lost;
	TRY(writer_recording_int(writer, "cpus", (int64_t)nr_cpus));
	TRY(writer_recording_int(writer, "events", (int64_t)stats->events));
	TRY(writer_recording_int(writer, "lost_events", (int64_t)lost));
	TRY(write_snapshots(writer, file));
	return write_notes(writer, file, live, match, stats, merge_page_size(merge), lost);
}
