// SPDX-License-Identifier: GPL-2.0-or-later
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "decode/allocinfo.h"
#include "snapshots.h"
#include "store/intern.h"
#include "store/overtime.h"

/* One of the two numbers of a line, over all snapshots. */
struct course {
	int64_t first, last, highest;
	int64_t rises; /* sum */
	int64_t now;   /* in the snapshot that is being read */
};

/* Both numbers, as they were from a snapshot on. */
struct look {
	size_t snapshot;
	int64_t bytes, calls;
};

/* A line of source; names end in NUL. */
struct line {
	char *file, *func, *module;
	uint32_t line;
	bool inaccurate;
	struct course bytes, calls;
	int64_t highest_ns, first_ns, last_ns; /* last_ns: when it last changed */
	struct look *look;		       /* where it changed */
	size_t nr_looks, cap_looks;
};

struct history {
	struct intern keys;
	struct line *line;
	size_t nr_lines, cap_lines;
	size_t nr_snapshots, cap_snapshots;
	int64_t *ns; /* of each snapshot */
	int64_t first_ns, last_ns;
	char *first_text, *last_text; /* NUL-terminated */
	unsigned int major, minor;
};

struct history *history_new(void)
{
	return xcalloc(1, sizeof(struct history));
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->nr_lines; i++) {
		free(history->line[i].file);
		free(history->line[i].func);
		free(history->line[i].module);
		free(history->line[i].look);
	}
	free(history->ns);
	intern_deinit(&history->keys);
	free(history->first_text);
	free(history->last_text);
	free(history->line);
	free(history);
}

static char *copy(struct span text)
{
	return xstrndup((const char *)text.data, text.len);
}

static struct line *find_line(struct history *history, const struct allocinfo_row *row)
{
	auto_free char *key =
		xasprintf("%.*s:%" PRIu32 " %.*s %.*s", (int)row->file.len,
			  (const char *)row->file.data, row->line, (int)row->module.len,
			  row->module.len ? (const char *)row->module.data : "",
			  (int)row->func.len, (const char *)row->func.data);
	bool is_new;
	uint32_t id = intern_id(&history->keys, key, strlen(key), &is_new);

	if (is_new) {
		vec_room(history->line, history->nr_lines, history->cap_lines);
		history->line[history->nr_lines++] = (struct line){
			.file = copy(row->file),
			.func = copy(row->func),
			.module = row->module.len ? copy(row->module) : NULL,
			.line = row->line,
		};
	}
	return &history->line[id - 1];
}

/* Takes the snapshot that was read; true when it differs from the one before. */
static bool advance(struct course *course, bool first)
{
	bool changed = course->now != course->last;

	if (first)
		course->first = course->highest = course->now;
	else if (course->now > course->last)
		course->rises += course->now - course->last;
	if (course->now > course->highest)
		course->highest = course->now;
	course->last = course->now;
	course->now = 0;
	return changed;
}

static void end_snapshot(struct history *history, int64_t unix_ns)
{
	bool first = !history->nr_snapshots;

	for (size_t i = 0; i < history->nr_lines; i++) {
		struct line *line = &history->line[i];
		int64_t highest = line->bytes.highest;
		bool changed = advance(&line->bytes, first);

		changed |= advance(&line->calls, first);
		if (first || line->bytes.highest > highest)
			line->highest_ns = unix_ns;
		if (changed && !first) {
			line->first_ns = line->first_ns ? line->first_ns : unix_ns;
			line->last_ns = unix_ns;
			vec_room(line->look, line->nr_looks, line->cap_looks);
			line->look[line->nr_looks++] = (struct look){
				history->nr_snapshots,
				line->bytes.last,
				line->calls.last,
			};
		}
	}
	vec_room(history->ns, history->nr_snapshots, history->cap_snapshots);
	history->ns[history->nr_snapshots] = unix_ns;
}

struct err *history_add(struct history *history, struct span text, int64_t unix_ns)
{
	struct allocinfo info;
	struct allocinfo_row row;
	bool any = true;

	TRY(allocinfo_open(&info, text));
	for (;;) {
		TRY(allocinfo_next(&info, &row, &any));
		if (!any)
			break;
		struct line *line = find_line(history, &row);

		if (__builtin_add_overflow(line->bytes.now, row.bytes, &line->bytes.now) ||
		    __builtin_add_overflow(line->calls.now, row.calls, &line->calls.now) ||
		    llabs(line->bytes.now) > INT64_MAX / 4 ||
		    llabs(line->calls.now) > INT64_MAX / 4)
			return err_new(ERR_FORMAT, "line %u: no kernel counts so far",
				       info.line);
		line->inaccurate |= row.inaccurate;
	}
	end_snapshot(history, unix_ns);
	if (!history->nr_snapshots++) {
		history->first_ns = unix_ns;
		history->first_text = copy(text);
	}
	history->last_ns = unix_ns;
	free(history->last_text);
	history->last_text = copy(text);
	history->major = info.major;
	history->minor = info.minor;
	return NULL;
}

/* What a recording would have seen of it, in the terms of a site. */
struct seen {
	uint64_t alloc, net, free, older;
};

static struct seen seen(const struct course *course, bool since_boot)
{
	int64_t base = since_boot ? 0 : course->first, change = course->last - base;
	int64_t rises = course->rises + (since_boot && course->first > 0 ? course->first : 0);
	struct seen ret = {
		.net = change > 0 ? (uint64_t)change : 0,
		.older = change < 0 ? (uint64_t)-change : 0,
	};

	/* What rose and fell again between two looks was not seen. */
	ret.alloc = rises > change ? (uint64_t)rises : ret.net;
	ret.free = ret.alloc - ret.net;
	return ret;
}

static struct err *write_line(const struct line *line, bool since_boot, struct writer *writer,
			      bool *ret_written)
{
	struct seen bytes = seen(&line->bytes, since_boot);
	struct seen calls = seen(&line->calls, since_boot);
	int64_t base = since_boot ? 0 : line->bytes.first;
	bool doubt = line->inaccurate;
	struct frame frame = {
		.func = line->func,
		.file = line->file,
		.module = line->module,
		.line = line->line,
	};
	const struct callsite callsite = {
		.frame = &frame,
		.nr_frames = 1,
		.primary = frame,
		.caller = 1,
		.resolved_by = RESOLVED_TAG,
		.attributed_by = ATTRIBUTED_TAG,
	};
	const struct site site = {
		.kind = NR_SITE_KINDS,
		.allocs = calls.alloc,
		.alloc_bytes = bytes.alloc,
		.bytes_req = bytes.alloc,
		.frees = calls.free,
		.free_bytes = bytes.free,
		.preexisting_frees = calls.older,
		.preexisting_bytes = bytes.older,
		.live = calls.net,
		.live_bytes = bytes.net,
		.uncertain = doubt ? calls.net : 0,
		.uncertain_bytes = doubt ? bytes.net : 0,
		.lower = doubt ? 0 : calls.net,
		.lower_bytes = doubt ? 0 : bytes.net,
		.upper = calls.net,
		.upper_bytes = bytes.net,
		.peak_bytes =
			line->bytes.highest > base ? (uint64_t)(line->bytes.highest - base) : 0,
		.peak_ns = (uint64_t)line->highest_ns,
		.first_ns = (uint64_t)line->first_ns,
		.last_ns = (uint64_t)line->last_ns,
	};

	*ret_written = false;
	/* Most lines of source never allocate, or not meanwhile. */
	if (!bytes.alloc && !bytes.older && !calls.alloc && !calls.older)
		return NULL;
	TRY(writer_site(writer, &site, &callsite, NULL));
	*ret_written = true;
	return NULL;
}

/* Buckets of time: as many as there are steps, of equal width; none for one moment. */
struct buckets {
	int64_t width_ns;
	int64_t nr;
};

static struct buckets buckets_of(const struct history *history)
{
	int64_t length = history->last_ns - history->first_ns;
	int64_t nr = (int64_t)history->nr_snapshots - 1;

	nr = nr < SERIES_BUCKETS ? nr : SERIES_BUCKETS;
	if (nr < 1 || length < nr)
		return (struct buckets){};
	return (struct buckets){ (length + nr - 1) / nr, nr };
}

static int64_t above(int64_t value, int64_t base)
{
	return value > base ? value - base : 0;
}

/* What is live, as write_line() has it, by when it came and went. */
static void add_changes(const struct history *history, const struct line *line,
			const struct buckets *buckets, struct overtime *overtime)
{
	struct look was = { 0, line->bytes.first, line->calls.first };

	for (size_t i = 0; buckets->nr && i < line->nr_looks; i++) {
		const struct look *look = &line->look[i];
		int64_t since = history->ns[look->snapshot] - history->first_ns;
		int64_t bucket = since > 0 ? (since - 1) / buckets->width_ns : 0;

		/* Of snapshots that come in another order, some are later than the last. */
		if (bucket >= buckets->nr)
			bucket = buckets->nr - 1;
		overtime_add_change(overtime, (uint32_t)bucket,
				    above(look->bytes, line->bytes.first) -
					    above(was.bytes, line->bytes.first),
				    above(look->calls, line->calls.first) -
					    above(was.calls, line->calls.first),
				    above(look->bytes, was.bytes),
				    above(look->calls, was.calls));
		was = *look;
	}
}

static struct err *write_text(struct writer *writer, const char *column, const char *text)
{
	return text ? writer_recording_text(writer, column, text, strlen(text)) : NULL;
}

static struct err *write_recording(const struct history *history, const char *host,
				   struct writer *writer)
{
	auto_free char *format =
		xasprintf("/proc/allocinfo %u.%u, %zu snapshot%s", history->major,
			  history->minor, history->nr_snapshots,
			  history->nr_snapshots == 1 ? "" : "s");
	static const char *const times[] = { "start_ns", "start_unix_ns" };
	static const char *const ends[] = { "end_ns", "end_unix_ns" };

	TRY(write_text(writer, "hostname", host));
	TRY(write_text(writer, "clock", "unix"));
	TRY(write_text(writer, "input_format", format));
	TRY(write_text(writer, "recorder", "/proc/allocinfo"));
	for (size_t i = 0; i < 2; i++) {
		TRY(writer_recording_int(writer, times[i], history->first_ns));
		TRY(writer_recording_int(writer, ends[i], history->last_ns));
	}
	TRY(writer_recording_int(writer, "events", 0));
	return writer_recording_int(writer, "lost_events", 0);
}

static struct err *write_notes(const struct history *history, struct writer *writer)
{
	size_t inaccurate = 0;

	for (size_t i = 0; i < history->nr_lines; i++)
		inaccurate += history->line[i].inaccurate;
	TRY(writer_note(
		writer,
		history->nr_snapshots == 1
			? "one snapshot of /proc/allocinfo: net is all that was live then"
			: "snapshots of /proc/allocinfo: net is the growth from the first "
			  "to the last; what came and went between two is not in any figure"));
	if (!inaccurate)
		return NULL;
	auto_free char *text =
		xasprintf("the kernel calls %zu of its counters inaccurate: call sites with "
			  "confidence uncertain",
			  inaccurate);

	return writer_note(writer, text);
}

static struct err *write_snapshot(struct writer *writer, const char *at, const char *text)
{
	struct span span = { (const uint8_t *)text, strlen(text) };

	TRY(writer_snapshot(writer, "allocinfo", at, span));
	return snapshots_write(writer, "allocinfo", at, span);
}

struct err *history_write(const struct history *history, const char *host,
			  struct writer *writer)
{
	TRY(write_recording(history, host, writer));
	if (history->nr_snapshots > 1)
		TRY(write_snapshot(writer, "start", history->first_text));
	TRY(write_snapshot(writer, "end", history->last_text));
	struct buckets buckets = buckets_of(history);
	auto_free struct overtime *overtime = xcalloc(1, sizeof(*overtime));

	if (buckets.nr) {
		TRY(writer_recording_int(writer, "bucket_start_ns", history->first_ns));
		TRY(writer_recording_int(writer, "bucket_ns", buckets.width_ns));
		TRY(writer_recording_int(writer, "buckets", buckets.nr));
	}
	for (size_t i = 0; i < history->nr_lines; i++) {
		bool written = false;

		TRY(write_line(&history->line[i], history->nr_snapshots == 1, writer,
			       &written));
		if (!written)
			continue;
		add_changes(history, &history->line[i], &buckets, overtime);
		TRY(overtime_write(overtime, writer,
				   writer_call_site(writer, writer_nr_raw_sites(writer)),
				   false));
	}
	return write_notes(history, writer);
}
