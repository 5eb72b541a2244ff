// SPDX-License-Identifier: GPL-2.0-or-later
#include "facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "base/xalloc.h"
#include "capture/blobs.h"
#include "snapshots.h"

/* "Linux host release machine" */
static bool uname_word(const struct tracefile *file, size_t index, struct span *ret)
{
	struct span text, line;

	return tracefile_text(file, "uname", &text) && span_line(&text, &line) &&
	       words_at(line, index, ret);
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
			if (!words_number(line, &v) || !v || v > INT32_MAX)
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
		if (words_after(line, "sample ", &rest) && words_at(rest, 0, &w) &&
		    words_number(w, &one_in) && words_at(rest, 1, &w) &&
		    words_number(w, &chunk) && one_in <= SAMPLE_MAX && one_in &&
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
		if (words_after(line, "filter ", &rest))
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
		const char *before = words_after(line, "filter ", &rest)       ? ""
				     : words_after(line, "select pid ", &rest) ? "by process "
				     : words_after(line, "select cgroup ", &rest)
					     ? "by tasks of cgroup "
					     : NULL;

		if (!before)
			continue;
		char *longer = xasprintf(
			"%s%s%s%.*s%s", lines, *lines ? "\n" : "", before, (int)rest.len,
			(const char *)rest.data,
			words_after(line, "select pid ", &rest) ? " and what it starts" : "");

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
		if (words_after(line, "vmlinux ", &id))
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
			if (!words_after(line, "version ", &version))
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
	       !strcmp(clock_of(file), "mono") &&
	       words_field(times, "start_mono_ns", ret_start_ns) &&
	       words_field(times, "end_mono_ns", ret_end_ns);
}

uint64_t facts_end(const struct tracefile *file, uint64_t last_ns)
{
	uint64_t end_ns = last_ns;
	struct span times;

	if (tracefile_text(file, BLOB_TIMES, &times) && !strcmp(clock_of(file), "mono"))
		words_field(times, "end_mono_ns", &end_ns);
	return end_ns > last_ns ? end_ns : last_ns;
}

void facts_window(const struct tracefile *file, uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	struct span text;

	*ret_start_ns = 0;
	*ret_end_ns = UINT64_MAX;
	if (!tracefile_text(file, BLOB_WINDOW, &text) || strcmp(clock_of(file), "mono"))
		return;
	words_field(text, "start_mono_ns", ret_start_ns);
	words_field(text, "end_mono_ns", ret_end_ns);
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
			words_field(times, "start_mono_ns", &start_ns);
			words_field(times, "end_mono_ns", &end_ns);
		}
		if (words_field(times, "start_unix_ns", &v))
			TRY(writer_recording_int(writer, "start_unix_ns", (int64_t)v));
		if (words_field(times, "end_unix_ns", &v))
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
		if (words_after(line, "CPU:", &rest) && words_number(rest, &v)) {
			if (any) {
				*text = before;
				break;
			}
			stats.cpu = (unsigned int)v;
			any = true;
		} else if (words_after(line, "entries:", &rest)) {
			any |= words_number(rest, &stats.entries);
		} else if (words_after(line, "overrun:", &rest)) {
			any |= words_number(rest, &stats.overrun);
		} else if (words_after(line, "commit overrun:", &rest)) {
			any |= words_number(rest, &stats.commit_overrun);
		} else if (words_after(line, "dropped events:", &rest)) {
			any |= words_number(rest, &stats.dropped);
		} else if (words_after(line, "read events:", &rest)) {
			any |= words_number(rest, &stats.read_events);
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

		if (!words_after(whole, BLOB_CPUSTAT, &number_of) ||
		    !words_number(number_of, &cpu))
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

uint64_t facts_continues(const struct tracefile *file)
{
	struct span text;
	uint64_t index;
	bool broken;

	if (tracefile_chain(file, &broken) || !tracefile_text(file, BLOB_CHAIN, &text) ||
	    !words_field(text, "index", &index))
		return 0;
	return index;
}

uint64_t facts_probe_misses(const struct tracefile *file)
{
	struct span text, line, rest;
	uint64_t ret = 0;

	if (!tracefile_text(file, BLOB_EVENTS, &text))
		return 0;
	while (span_line(&text, &line))
		if (words_after(line, "probes missed ", &rest) && words_number(rest, &ret))
			return ret;
	return 0;
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

struct err *facts_write(struct writer *writer, const struct tracefile *file,
			const struct merge *merge, const struct match_totals *totals,
			uint64_t *ret_lost)
{
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
	TRY(writer_recording_int(writer, "events", (int64_t)merge_stats(merge)->events));
	TRY(writer_recording_int(writer, "lost_events", (int64_t)lost));
	return write_snapshots(writer, file);
}
