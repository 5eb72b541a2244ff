// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/thin.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "decode/tracefile.h"
#include "tests/lib/mkdat.h"

enum { COMMIT_AT = 8, MISSED_BYTE = 3, MISSED = 0x80 }; /* bit 31, little endian */

static void copy_text(const struct tracefile *file, struct mkdat *m, const char *name)
{
	struct span text;

	if (!tracefile_text(file, name, &text))
		return;
	auto_free char *copy = xstrndup((const char *)text.data, text.len);

	mkdat_text(m, name, copy);
}

static void copy_formats(const struct tracefile *file, struct mkdat *m)
{
	const char *system;
	struct span format;

	for (size_t i = 0; tracefile_format(file, i, &system, &format); i++) {
		auto_free char *copy = xstrndup((const char *)format.data, format.len);

		mkdat_format(m, system, copy);
	}
}

static void keep(struct mkdat *m, const char *buffer, unsigned int cpu, struct span page,
		 bool missed)
{
	auto_free uint8_t *copy = xmalloc(page.len);

	memcpy(copy, page.data, page.len);
	if (missed)
		copy[COMMIT_AT + MISSED_BYTE] |= MISSED;
	mkdat_page(m, buffer, cpu, copy, page.len);
}

static struct err *copy_cpu(const struct tracefile *file, size_t buffer, size_t i,
			    struct mkdat *m, unsigned int percent, uint64_t *random)
{
	CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
	const char *name = tracefile_buffer_name(file, buffer);
	struct span page;
	uint64_t damaged;
	auto_free uint8_t *dropped = NULL;
	size_t dropped_len = 0;
	bool missed = false;

	TRY(page_reader_open(file, buffer, i, &reader));
	for (;;) {
		TRY(page_reader_next(reader, &page, &damaged));
		if (!page.data)
			break;
		*random ^= *random << 13;
		*random ^= *random >> 7;
		*random ^= *random << 17;
		if ((*random >> 11) % 100 < percent) {
			missed = true;
			dropped = xreallocarray(dropped, page.len, 1);
			memcpy(dropped, page.data, page.len);
			dropped_len = page.len;
			continue;
		}
		keep(m, name, page_reader_cpu(reader), page, missed);
		missed = false;
	}
	/* The kernel never loses what it wrote last. */
	if (missed)
		keep(m, name, page_reader_cpu(reader), (struct span){ dropped, dropped_len },
		     true);
	return NULL;
}

struct err *thin_recording(const char *from, const char *to, unsigned int percent,
			   uint64_t seed)
{
	static const char *const texts[] = { "header_page", "header_event", "kallsyms",
					     "uname" };
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	CLEANUP(mkdat_cleanup)
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .bare = true });
	uint64_t random = (seed + 1) * 0x9e3779b97f4a7c15;

	TRY(tracefile_open(from, &file));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		copy_text(file, m, texts[i]);
	/* Whose an allocation was stays known. */
	struct span self;

	if (tracefile_text(file, BLOB_SELF, &self))
		mkdat_blob(m, BLOB_SELF, self.data, self.len);
	copy_formats(file, m);
	for (size_t b = 0; b < tracefile_nr_buffers(file); b++) {
		mkdat_buffer(m, tracefile_buffer_name(file, b), tracefile_buffer_clock(file, b),
			     tracefile_subbuf_size(file, b));
		for (size_t i = 0; i < tracefile_nr_cpus(file, b); i++)
			TRY(copy_cpu(file, b, i, m, percent, &random));
	}
	mkdat_write(m, to);
	return NULL;
}
