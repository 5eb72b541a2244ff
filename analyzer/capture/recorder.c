// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "base/xalloc.h"
#include "capture/backlog.h"
#include "capture/blobs.h"
#include "capture/describe.h"
#include "capture/machine.h"
#include "capture/modwatch.h"
#include "capture/pageflags.h"
#include "capture/pagescan.h"
#include "capture/recording.h"
#include "capture/editions.h"
#include "capture/snapshot.h"
#include "capture/source.h"
#include "capture/squeeze.h"
#include "capture/streams.h"
#include "capture/tally.h"
#include "capture/tracepoints.h"

/* The texts of the machine, again at the end: they shall not take time. */
#define META_LEVEL 1

/* What page flags may cost, beyond the time that the recorder waits for the kernel. */
#define SCAN_NS 100000000

struct recorder {
	struct recording recording;
	struct snapshot snapshot;
	struct source source;
	struct modwatch *modwatch;
	struct part part;
	struct squeeze *squeeze;
	struct segments *segments; /* of each CPU, after the stop */
	struct streams *streams;
	struct editions *editions; /* NULL: one file */
	char *path;		   /* of the last file */
	struct recording_writer *writer;
	struct texts notes;
	struct tally tally; /* after the stop */
	uint64_t probe_misses;
	uint64_t data_bytes; /* moved, once it is stopped */
	uint64_t file_bytes;
	uint64_t start_mono_ns, start_unix_ns;
	uint64_t end_mono_ns;
	char *cut; /* why it ended before it should have */
	int level;
	bool packed; /* the part's segments */
	bool flight; /* files are windows */
	bool started;
	bool stopped;
};

/* Writers know the errno, but not the name that the user gave. */
static bool is_full(const struct err *err)
{
	int errnum = err_errno(err);

	return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

static struct err *explain(const char *output, struct err *err)
{
	int errnum = err ? err_errno(err) : 0;

	if (!err || !is_full(err))
		return err;
	err_free(err);
	return err_new(ERR_OS, "%s: %s; choose another place with -o", output,
		       errnum == ENOSPC ? "the disk is full" : strerror(errnum));
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void check_symbols(struct recorder *r)
{
	const struct text *text = texts_find(&r->recording.standard, "kallsyms");

	if (!text)
		text_printf(texts_new(&r->notes, "symbols"),
			    "no /proc/kallsyms (CONFIG_KALLSYMS): call sites will "
			    "have no names without analyze --kallsyms");
	else if (machine_symbols_hidden(text_span(text)))
		text_printf(texts_new(&r->notes, "symbols"),
			    "the kernel hides its addresses: call sites will have no names; "
			    "sysctl kernel.kptr_restrict=1 shows them");
}

/* One line, however the command looks. */
static void add_command(struct text *text, char *const *command)
{
	text_printf(text, "command");
	for (; *command; command++)
		text_printf(text, " %s", *command);
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] == '\n')
			text->data[i] = ' ';
	text_printf(text, "\n");
}

static void describe_self(struct recorder *r, const struct recorder_opts *opts)
{
	struct recording *rec = &r->recording;
	auto_free char *events = tracepoint_list(r->source.kinds);
	auto_text command = {};
	struct text *text = texts_new(&rec->blobs, BLOB_RECORDER);

	text_printf(text,
		    "version " VERSION "\n"
		    "events %s\n"
		    "clock %s\n"
		    "buffer_bytes %" PRIu64 "\n"
		    "subbuf_bytes %" PRIu32 "\n"
		    "realtime %d\n"
		    "probes %d\n"
		    "compression %d\n",
		    events, rec->clock, r->source.buffer_bytes, rec->subbuf_size,
		    streams_realtime(r->streams), r->source.probes.group != NULL, opts->level);
	text_printf(text, "cpus ");
	for (size_t i = 0; i < rec->cpus.nr; i++)
		text_printf(text, "%s%u", i ? "," : "", rec->cpus.v[i]);
	text_printf(text, "\n");
	wishes_describe(&opts->wishes, &r->source.filter, text);
	if (opts->command)
		add_command(&command, opts->command);
	text_add(text, command.data, command.len);

	text = texts_new(&rec->blobs, BLOB_SELF);
	text_printf(text, "%d\n", getpid());
	for (size_t i = 0; i < rec->cpus.nr; i++)
		text_printf(text, "%d\n", streams_tid(r->streams, i));
	if (r->modwatch)
		text_printf(text, "%d\n", modwatch_tid(r->modwatch));
	for (size_t i = 0; squeeze_tid(r->squeeze, i); i++)
		text_printf(text, "%d\n", squeeze_tid(r->squeeze, i));
	if (r->editions)
		text_printf(text, "%d\n", editions_tid(r->editions));
}

static void describe_edition(void *arg, struct recording *edition, uint64_t start_ns,
			     uint64_t end_ns);

static struct err *open_streams(struct recorder *r, const struct recorder_opts *opts)
{
	struct recording *rec = &r->recording;

	TRY(squeeze_open(
		&(struct squeeze_opts){
			.dir_fd = r->part.dir_fd,
			.cpus = &rec->cpus,
			.subbuf_size = rec->subbuf_size,
			/* Who reads along reads plain data. */
			.level = opts->live ? 0 : opts->level,
			.early = opts->live,
			/* As much as comes at once: a buffer is moved when half full. */
			.memory = r->source.buffer_bytes / 2,
		},
		&r->squeeze));
	struct sink sink = squeeze_sink(r->squeeze);

	TRY(streams_open(r->source.instance.dir, &rec->cpus, &sink, rec->subbuf_size,
			 r->source.buffer_bytes, !opts->no_realtime, &r->streams));
	if (!opts->rotate_bytes && !opts->rotate_ns && !opts->flight_ns)
		return NULL;
	return editions_open(
		&(struct editions_opts){
			.rotate_bytes = opts->rotate_bytes,
			.rotate_ns = opts->rotate_ns,
			.flight_ns = opts->flight_ns,
			.ring_bytes = opts->ring_bytes,
			.level = opts->level,
			.packed = r->packed,
			.part = &r->part,
			.recording = rec,
			.squeeze = r->squeeze,
			.streams = r->streams,
			.describe = describe_edition,
			.describe_arg = r,
		},
		&r->editions);
}

static struct err *set_up(struct recorder *r, const struct recorder_opts *opts)
{
	struct recording *rec = &r->recording;
	struct source_opts source = {
		.cpus = opts->cpus,
		.events = opts->events,
		.buffer_bytes = opts->buffer_bytes,
		.no_probes = opts->no_probes,
		.wishes = &opts->wishes,
	};

	TRY(source_plan(&source, rec, &r->source));
	TRY(part_open(opts->output, &r->part));
	texts_file(&rec->standard, "kallsyms", "/proc/kallsyms");
	TRY(source_open(&r->source, &source, rec, &r->notes));
	TRY(describe_start(rec, r->source.tracedir, r->source.instance.dir));
	check_symbols(r);
	if (getrandom(&rec->trace_id, sizeof(rec->trace_id), GRND_NONBLOCK) < 0)
		rec->trace_id = now_ns(CLOCK_REALTIME);
	TRY(open_streams(r, opts));
	r->modwatch = modwatch_start();
	describe_self(r, opts);
	TRY(recording_write_meta(rec, &r->part, META_LEVEL));
	snapshot_prepare(&r->snapshot);
	/* A reader that waits for its own code to be read in loses events meanwhile. */
	mlockall(MCL_CURRENT);
	return NULL;
}

struct err *recorder_open(const struct recorder_opts *opts, struct recorder **ret)
{
	struct recorder *r = xcalloc(1, sizeof(*r));

	r->level = opts->level;
	r->packed = opts->level && !opts->live;
	r->flight = opts->flight_ns != 0;
	r->part.dir_fd = -1;
	struct err *err = set_up(r, opts);

	if (err) {
		recorder_close(r);
		return explain(opts->output, err);
	}
	*ret = r;
	return NULL;
}

void recorder_close(struct recorder *r)
{
	if (!r)
		return;
	if (r->source.instance.dir && !r->stopped)
		err_free(instance_switch(&r->source.instance, false));
	modwatch_stop(r->modwatch);
	editions_close(r->editions);
	streams_close(r->streams);
	squeeze_close(r->squeeze);
	err_free(source_end(&r->source));
	recording_write_close(r->writer);
	part_remove(&r->part);
	snapshot_deinit(&r->snapshot);
	source_deinit(&r->source);
	for (size_t i = 0; r->segments && i < r->recording.cpus.nr; i++)
		segments_deinit(&r->segments[i]);
	recording_deinit(&r->recording);
	texts_deinit(&r->notes);
	free(r->segments);
	free(r->path);
	tally_deinit(&r->tally);
	free(r->cut);
	free(r);
}

uint64_t recorder_moved(const struct recorder *r)
{
	return r->streams ? streams_bytes(r->streams) : r->data_bytes;
}

bool recorder_brimming(const struct recorder *r, size_t i, unsigned int *ret_cpu)
{
	*ret_cpu = r->recording.cpus.v[i];
	return streams_brimming(r->streams, i);
}

size_t recorder_nr_cpus(const struct recorder *r)
{
	return r->recording.cpus.nr;
}

const char *recorder_note(const struct recorder *r, size_t i)
{
	return i < r->notes.nr ? r->notes.v[i].text.data : NULL;
}

static void scan_meanwhile(void *scan, int64_t until_ns)
{
	pagescan_some(scan, until_ns);
}

struct err *recorder_start(struct recorder *r)
{
	/* What a window holds was not there when it began. */
	struct pagescan *scan = r->flight ? NULL : pagescan_open("/proc/kpageflags");

	backlog_drain(&r->recording.cpus, scan_meanwhile, scan);
	pagescan_some(scan, (int64_t)now_ns(CLOCK_MONOTONIC) + SCAN_NS);
	pagescan_end(scan, texts_get(&r->recording.blobs, BLOB_PAGEFLAGS_START));
	snapshot_take(&r->snapshot, SNAPSHOT_START);
	r->start_unix_ns = now_ns(CLOCK_REALTIME);
	r->start_mono_ns = now_ns(CLOCK_MONOTONIC);
	TRY(instance_switch(&r->source.instance, true));
	r->started = true;
	if (r->editions)
		editions_start(r->editions, r->start_mono_ns);
	return NULL;
}

struct err *recorder_tick(struct recorder *r)
{
	return r->editions ? editions_tick(r->editions) : NULL;
}

struct err *recorder_mark(struct recorder *r)
{
	return r->editions ? editions_mark(r->editions) : NULL;
}

bool recorder_written(struct recorder *r, char **ret_path, uint64_t *ret_bytes,
		      struct err **ret_err)
{
	return r->editions && editions_poll(r->editions, ret_path, ret_bytes, ret_err);
}

const char *recorder_path(const struct recorder *r)
{
	return r->path;
}

const char *recorder_part(const struct recorder *r)
{
	return r->part.dir;
}

struct err *recorder_flush(struct recorder *r, uint64_t *ret_ns)
{
	if (strcmp(r->recording.clock, "mono"))
		return err_new(
			ERR_UNSUPPORTED,
			"this kernel has no trace clock mono, by which events can be "
			"matched while they are recorded; analyze the recording instead");
	*ret_ns = now_ns(CLOCK_MONOTONIC);
	return streams_flush(r->streams);
}

void recorder_forget(struct recorder *r, unsigned int cpu, uint64_t bytes)
{
	for (size_t i = 0; i < r->recording.cpus.nr; i++)
		if (r->recording.cpus.v[i] == cpu)
			squeeze_forget(r->squeeze, i, bytes);
}

int recorder_fd(const struct recorder *r)
{
	return streams_fd(r->streams);
}

void recorder_progress(const struct recorder *r, struct recorder_progress *ret)
{
	uint64_t end = r->stopped ? r->end_mono_ns : now_ns(CLOCK_MONOTONIC);
	struct tally_sum sum = r->stopped ? tally_sum(&r->tally)
					  : tally_now(&r->source.instance, &r->recording.cpus);

	*ret = (struct recorder_progress){
		.elapsed_ns = end - r->start_mono_ns,
		.events = sum.events,
		.lost = sum.lost,
		.bytes = sum.waiting + (r->streams ? streams_bytes(r->streams) : r->data_bytes),
	};
}

static void add_times(const struct recorder *r, struct recording *rec, uint64_t start_ns,
		      uint64_t end_ns)
{
	text_printf(texts_new(&rec->blobs, BLOB_TIMES),
		    "start_mono_ns %" PRIu64 "\nend_mono_ns %" PRIu64 "\n"
		    "start_unix_ns %" PRIu64 "\nend_unix_ns %" PRIu64 "\n",
		    start_ns, end_ns, r->start_unix_ns + (start_ns - r->start_mono_ns),
		    r->start_unix_ns + (end_ns - r->start_mono_ns));
}

/* A file that is written before the end. */
static void describe_edition(void *arg, struct recording *edition, uint64_t start_ns,
			     uint64_t end_ns)
{
	const struct recorder *r = arg;
	struct snapshot snapshot = {};

	add_times(r, edition, start_ns, end_ns);
	describe_now(edition, r->source.tracedir, r->modwatch);
	/* What memory looks like when a window is asked for is part of the answer. */
	if (r->flight) {
		snapshot_prepare(&snapshot);
		snapshot_take(&snapshot, SNAPSHOT_END);
		snapshot_store(&snapshot, SNAPSHOT_END, &edition->blobs);
	}
	snapshot_deinit(&snapshot);
}

/* Where the last file begins, and what it is called. */
static struct err *choose_last(struct recorder *r)
{
	uint64_t start_ns = r->start_mono_ns;
	uint32_t first = 0;

	if (r->editions)
		TRY(editions_last(r->editions, r->end_mono_ns, &r->recording.blobs, &start_ns,
				  &first, &r->path));
	else
		r->path = xstrdup(r->part.output);
	r->segments = xcalloc(r->recording.cpus.nr, sizeof(*r->segments));
	for (size_t i = 0; i < r->recording.cpus.nr; i++)
		squeeze_segments(r->squeeze, i, first, UINT32_MAX, &r->segments[i]);
	if (r->flight)
		add_times(r, &r->recording, start_ns, r->end_mono_ns);
	return NULL;
}

static void gather_end(struct recorder *r)
{
	struct recording *rec = &r->recording;

	if (r->probe_misses)
		text_printf(texts_get(&rec->blobs, BLOB_EVENTS), "probes missed %" PRIu64 "\n",
			    r->probe_misses);
	/* A window does not begin where the recording did. */
	if (!r->flight)
		add_times(r, rec, r->start_mono_ns, r->end_mono_ns);
	if (!r->flight)
		snapshot_store(&r->snapshot, SNAPSHOT_START, &rec->blobs);
	snapshot_store(&r->snapshot, SNAPSHOT_END, &rec->blobs);
	describe_now(rec, r->source.tracedir, r->modwatch);
}

/*
 * What went wrong once there were events: the recording ends there, but what is
 * in the part's files stays readable.
 */
static struct err *keep(struct recorder *r, struct err *err)
{
	if (!err || !r->started)
		return explain(r->part.output, err);
	part_keep(&r->part);
	auto_free char *why = is_full(err) ? xasprintf("%s: the disk is full", r->part.output)
					   : xstrdup(err_text(err));

	err_free(err);
	return err_new(ERR_OS, "%s; what was recorded is in %s, which analyze -i reads", why,
		       r->part.dir);
}

/* A stream that could not be written ends the recording; it is as good until then. */
static void cut_short(struct recorder *r, struct err *err)
{
	r->cut = xstrdup(is_full(err) ? "the disk is full" : err_text(err));
	err_free(err);
	text_printf(texts_get(&r->recording.blobs, BLOB_RECORDER), "cut %s\n", r->cut);
}

/* All that was recorded into the part's files. */
static struct err *drain(struct recorder *r)
{
	squeeze_release(r->squeeze);
	if (r->editions)
		editions_release(r->editions);
	struct err *cut = streams_drain(r->streams);
	struct err *later = squeeze_finish(r->squeeze);

	if (!cut)
		return later;
	err_free(later);
	return cut;
}

static struct err *stop(struct recorder *r)
{
	struct err *cut = drain(r);

	if (cut)
		cut_short(r, cut);
	r->probe_misses = source_missed(&r->source);
	TRY(tally_end(&r->source.instance, r->source.all_cpus, &r->recording, &r->tally));
	gather_end(r);
	r->data_bytes = streams_bytes(r->streams);
	streams_close(take_ptr(r->streams));
	/* Whoever kills us while we compress gets the names and the ends too. */
	err_free(recording_write_meta(&r->recording, &r->part, META_LEVEL));
	return source_end(&r->source);
}

/* Where frees are missing the kernel knows what is gone; else the recording does. */
static void audit(struct recorder *r)
{
	if (tally_now(&r->source.instance, &r->recording.cpus).lost)
		pageflags_read(texts_get(&r->recording.blobs, BLOB_PAGEFLAGS));
}

struct err *recorder_stop(struct recorder *r)
{
	streams_hold(r->streams);
	squeeze_hold(r->squeeze);
	if (r->editions)
		editions_hold(r->editions);
	struct err *err = instance_switch(&r->source.instance, false);

	r->end_mono_ns = now_ns(CLOCK_MONOTONIC);
	snapshot_take(&r->snapshot, SNAPSHOT_END);
	audit(r);
	r->stopped = true;
	return keep(r, err ? err : stop(r));
}

const char *recorder_cut(const struct recorder *r)
{
	return r->cut;
}

static struct err *step(struct recorder *r, bool *ret_done)
{
	bool done;

	*ret_done = false;
	if (r->editions && !r->path && !editions_settled(r->editions)) {
		/* Its files are written by another thread. */
		poll(NULL, 0, 10);
		return NULL;
	}
	if (!r->path)
		TRY(choose_last(r));
	if (!r->writer) {
		struct recording_data data = { &r->part, r->segments, r->packed };

		return recording_write_begin(&r->recording, &data, r->level, &r->writer);
	}
	TRY(recording_write_step(r->writer, &done));
	if (!done)
		return NULL;
	TRY(recording_write_end(r->writer, &r->file_bytes));
	TRY(part_publish(&r->part, r->path));
	*ret_done = true;
	return NULL;
}

struct err *recorder_step(struct recorder *r, bool *ret_done)
{
	return keep(r, step(r, ret_done));
}

uint64_t recorder_file_bytes(const struct recorder *r)
{
	return r->file_bytes;
}

bool recorder_cpu(const struct recorder *r, size_t i, unsigned int *ret_cpu, uint64_t *ret_lost)
{
	if (i >= r->tally.nr)
		return false;
	*ret_cpu = r->recording.cpus.v[i];
	*ret_lost = instance_lost(&r->tally.cpu[i]);
	return true;
}

uint64_t recorder_late_lost(const struct recorder *r)
{
	return r->tally.late_lost;
}

uint64_t recorder_buffer_bytes(const struct recorder *r)
{
	return r->source.buffer_bytes;
}
