// SPDX-License-Identifier: GPL-2.0-or-later
#include "notes.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/words.h"
#include "base/xalloc.h"
#include "capture/blobs.h"
#include "facts.h"

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
	else if (tracefile_unfinished(file) && !live &&
		 words_field(text, "buffer_bytes", &bytes))
		TRY(note(writer,
			 "the recording is not finished: its recorder %s; what was in the "
			 "kernel's buffers, up to %" PRIu64 " MB per CPU, is not in it",
			 tracefile_growing(file) ? "is at work" : "was killed, or had no room",
			 bytes >> 20));
	while (span_line(&text, &line))
		if (words_after(line, "cut ", &why))
			TRY(note(writer, "the recording ended before it should have: %.*s",
				 (int)why.len, (const char *)why.data));
	return NULL;
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

static struct err *note_missing_events(struct writer *writer, const struct tracefile *file)
{
	struct span text, line, name, state;

	if (!tracefile_text(file, BLOB_EVENTS, &text))
		return NULL;
	while (span_line(&text, &line)) {
		if (!words_at(line, 0, &name) || !words_at(line, 1, &state) || state.len != 7 ||
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

struct err *notes_write(struct writer *writer, const struct tracefile *file, bool live,
			const struct merge *merge, const struct match *match, uint64_t lost)
{
	const struct match_totals *totals = match_totals(match);
	const struct merge_stats *stats = merge_stats(merge);
	uint64_t truncated = tracefile_truncated_bytes(file), missing_stacks;
	uint64_t inferred = sum_inferred(match, &missing_stacks);
	uint64_t silent_ns = since_silent(match, facts_end(file, totals->last_ns));
	uint64_t unknown = totals->unknown_frees[SITE_SLAB];
	uint64_t allocs = totals->events[EVENT_KMALLOC] + totals->events[EVENT_CACHE_ALLOC];

	TRY(note_end(writer, file, live));
	TRY(note_chain(writer, file));
	if (!stats->events)
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
	if (stats->damaged_pages || totals->damaged_bytes)
		TRY(note(writer,
			 "pages of the recording that would not decode: %" PRIu64
			 "; they count as lost; if this is a copy, make a new one",
			 stats->damaged_pages));
	TRY(note_sample(writer, file, merge_page_size(merge)));
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
