// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/editions.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

/* A window begins at most this part of it too early, in the part. */
#define SLICES	    8
/* How long a file that was asked for waits for the compressor. */
#define PATIENCE_NS UINT64_C(1000000000)

/* Segments [@first, @end) and the time that all CPUs have in them. */
struct edition {
	uint32_t first, end;
	uint64_t start_ns, end_ns;
};

struct editions {
	struct editions_opts opts;
	struct publisher *publisher;
	uint32_t segment;    /* at work */
	uint64_t *closed_ns; /* of those before it, from @oldest on */
	size_t cap_closed;
	uint32_t oldest;
	uint64_t start_ns; /* of the oldest */
	uint64_t next_ns;  /* when to cut */
	uint64_t cut_bytes;
	uint32_t files;	       /* names given */
	struct edition wanted; /* a window that was asked for; @end 0: none */
	struct edition writing;
	bool busy;   /* @writing is with the publisher */
	bool broken; /* a file of the chain could not be written */
	int errnum;  /* for that reason, if it is one of the system */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct err *editions_open(const struct editions_opts *opts, struct editions **ret)
{
	struct editions *s = xcalloc(1, sizeof(*s));

	s->opts = *opts;
	struct err *err = publisher_open(&s->publisher);

	if (err) {
		editions_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

void editions_close(struct editions *s)
{
	if (!s)
		return;
	publisher_close(s->publisher);
	free(s->closed_ns);
	free(s);
}

pid_t editions_tid(const struct editions *s)
{
	return publisher_tid(s->publisher);
}

static bool is_flight(const struct editions *s)
{
	return s->opts.flight_ns != 0;
}

static void set_next(struct editions *s, uint64_t now)
{
	uint64_t ns = is_flight(s) ? s->opts.flight_ns / SLICES : s->opts.rotate_ns;

	s->next_ns = ns && ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
}

void editions_start(struct editions *s, uint64_t start_ns)
{
	s->start_ns = start_ns;
	set_next(s, start_ns);
}

static uint64_t closed_ns(const struct editions *s, uint32_t segment)
{
	return s->closed_ns[segment - s->oldest];
}

/* What happens from now on is in another segment. */
static struct err *cut(struct editions *s)
{
	TRY(streams_cut(s->opts.streams));
	size_t nr = s->segment - s->oldest;
	uint64_t now = now_ns();

	vec_room(s->closed_ns, nr, s->cap_closed);
	s->closed_ns[nr] = now;
	s->segment++;
	s->cut_bytes = streams_bytes(s->opts.streams);
	set_next(s, now);
	return NULL;
}

/* So that who finds the part knows from when on all CPUs are there. */
static void note_window(const struct editions *s)
{
	auto_fd int fd =
		openat(s->opts.part->dir_fd, "window", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char text[64];
	int len = snprintf(text, sizeof(text), "start_mono_ns %020" PRIu64 "\n", s->start_ns);

	/* Without it, what was allocated on one CPU and freed on another may seem live. */
	if (fd >= 0 && pwrite(fd, text, (size_t)len, 0) != len)
		return;
}

static void drop(struct editions *s, uint32_t end)
{
	if (end == s->oldest)
		return;
	uint32_t n = end - s->oldest;

	s->start_ns = closed_ns(s, end - 1);
	if (is_flight(s))
		note_window(s);
	squeeze_drop(s->opts.squeeze, end);
	memmove(s->closed_ns, s->closed_ns + n, (s->segment - end) * sizeof(*s->closed_ns));
	s->oldest = end;
}

/* Rule 2. */
static void trim(struct editions *s, uint64_t now)
{
	uint64_t until = now > s->opts.flight_ns ? now - s->opts.flight_ns : 0;
	uint32_t limit = s->segment, end = s->oldest;

	if (s->busy && s->writing.first < limit)
		limit = s->writing.first;
	if (s->wanted.end && s->wanted.first < limit)
		limit = s->wanted.first;
	while (end < limit && closed_ns(s, end) <= until)
		end++;
	drop(s, end);
	while (s->opts.ring_bytes && s->oldest < limit &&
	       squeeze_stored(s->opts.squeeze) > s->opts.ring_bytes)
		drop(s, s->oldest + 1);
}

/* Of a chain: which of its files it is. */
static void chain_blob(uint32_t index, bool last, struct texts *blobs)
{
	text_printf(texts_get(blobs, BLOB_CHAIN), "index %" PRIu32 "\n%s", index,
		    last ? "last 1\n" : "");
}

static void window_blob(const struct edition *e, struct texts *blobs)
{
	text_printf(texts_get(blobs, BLOB_WINDOW),
		    "start_mono_ns %" PRIu64 "\nend_mono_ns %" PRIu64 "\n", e->start_ns,
		    e->end_ns);
}

static char *next_path(struct editions *s)
{
	const char *output = s->opts.part->output;
	uint32_t index = s->files++;

	return index ? xasprintf("%s.%" PRIu32, output, index) : xstrdup(output);
}

static void submit(struct editions *s, const struct edition *e)
{
	const struct recording *rec = s->opts.recording;
	size_t nr = rec->cpus.nr;
	struct publish_job job = {
		.recording = *rec,
		.cpu = xcalloc(nr, sizeof(*job.cpu)),
		.nr_cpus = nr,
		.packed = s->opts.packed,
		.level = s->opts.level,
		.part = s->opts.part,
	};

	/* Lost events are counted to the end only. */
	job.recording.cpustat = (struct texts){};
	job.recording.standard = job.recording.blobs = (struct texts){};
	texts_copy(&rec->standard, &job.recording.standard);
	texts_copy(&rec->blobs, &job.recording.blobs);
	s->opts.describe(s->opts.describe_arg, &job.recording, e->start_ns, e->end_ns);
	if (is_flight(s))
		window_blob(e, &job.recording.blobs);
	else
		chain_blob(s->files, false, &job.recording.blobs);
	for (size_t i = 0; i < nr; i++)
		squeeze_segments(s->opts.squeeze, i, e->first, e->end, &job.cpu[i]);
	job.path = next_path(s);
	s->writing = *e;
	s->busy = true;
	publisher_submit(s->publisher, &job);
}

/* What is to be written next; false when there is nothing, or not yet. */
static bool next_edition(const struct editions *s, struct edition *ret)
{
	if (s->busy || s->broken)
		return false;
	if (is_flight(s)) {
		*ret = s->wanted;
		return s->wanted.end != 0;
	}
	if (s->oldest == s->segment)
		return false;
	*ret = (struct edition){ s->oldest, s->oldest + 1, s->start_ns,
				 closed_ns(s, s->oldest) };
	return true;
}

static void write_next(struct editions *s)
{
	struct edition e;

	if (!next_edition(s, &e))
		return;
	if (!squeeze_settled(s->opts.squeeze, e.end)) {
		if (!is_flight(s) || now_ns() - e.end_ns < PATIENCE_NS)
			return;
		squeeze_settle(s->opts.squeeze, e.end);
	}
	if (is_flight(s))
		s->wanted = (struct edition){};
	submit(s, &e);
}

bool editions_poll(struct editions *s, char **ret_path, uint64_t *ret_bytes,
		   struct err **ret_err)
{
	if (!publisher_poll(s->publisher, ret_path, ret_bytes, ret_err))
		return false;
	s->busy = false;
	if (is_flight(s))
		return true;
	/* Rule 3. */
	s->broken = *ret_err != NULL;
	if (s->broken)
		s->errnum = err_errno(*ret_err);
	else
		drop(s, s->writing.end);
	return true;
}

/* In a segment, for whatever reason it is to be cut by size. */
static uint64_t enough_bytes(const struct editions *s)
{
	if (is_flight(s) && s->opts.ring_bytes)
		return s->opts.ring_bytes / SLICES + 1;
	return !is_flight(s) && s->opts.rotate_bytes ? s->opts.rotate_bytes : UINT64_MAX;
}

struct err *editions_tick(struct editions *s)
{
	uint64_t now = now_ns();
	uint64_t bytes = streams_bytes(s->opts.streams) - s->cut_bytes;

	if (now >= s->next_ns || bytes >= enough_bytes(s))
		TRY(cut(s));
	if (is_flight(s))
		trim(s, now);
	write_next(s);
	return NULL;
}

/* The window that ends now. */
static void want_window(struct editions *s, uint64_t end_ns)
{
	uint64_t since = end_ns > s->opts.flight_ns ? end_ns - s->opts.flight_ns : 0;
	uint32_t first = s->oldest;

	while (first + 1 < s->segment && closed_ns(s, first) <= since)
		first++;
	s->wanted = (struct edition){
		.first = first,
		.end = s->segment,
		.start_ns = since > s->start_ns ? since : s->start_ns,
		.end_ns = end_ns,
	};
}

struct err *editions_mark(struct editions *s)
{
	uint64_t now = now_ns();

	/* Who asks twice before the file can be written gets one. */
	if (is_flight(s) && s->wanted.end)
		return NULL;
	TRY(cut(s));
	if (is_flight(s))
		want_window(s, now);
	write_next(s);
	return NULL;
}

void editions_hold(struct editions *s)
{
	publisher_hold(s->publisher);
}

void editions_release(struct editions *s)
{
	publisher_release(s->publisher);
}

bool editions_settled(struct editions *s)
{
	write_next(s);
	return !s->busy && !s->wanted.end &&
	       (is_flight(s) || s->broken || s->oldest == s->segment);
}

struct err *editions_last(struct editions *s, uint64_t end_ns, struct texts *blobs,
			  uint64_t *ret_start_ns, uint32_t *ret_first, char **ret_path)
{
	if (s->broken)
		return s->errnum ? err_os(s->errnum, "a file of the chain was not written")
				 : err_new(ERR_OS, "a file of the chain was not written");
	struct edition e = { s->oldest, s->segment, s->start_ns, end_ns };

	if (is_flight(s)) {
		/* The segment at work ends here too. */
		s->segment++;
		vec_room(s->closed_ns, (size_t)(s->segment - s->oldest), s->cap_closed);
		s->closed_ns[s->segment - 1 - s->oldest] = end_ns;
		want_window(s, end_ns);
		e = s->wanted;
		window_blob(&e, blobs);
	} else if (s->files) {
		chain_blob(s->files, true, blobs);
	}
	*ret_start_ns = e.start_ns;
	*ret_first = e.first;
	*ret_path = next_path(s);
	return NULL;
}
