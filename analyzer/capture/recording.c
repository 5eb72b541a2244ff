// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/recording.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

struct recording_writer {
	const struct recording *recording;
	const struct part *part;
	struct datfile *file;
	uint8_t *chunk;
	size_t chunk_size;
	size_t cpu; /* index of the one at work */
	bool in_cpu;
	uint64_t off; /* in its raw file */
	uint64_t end;
};

void recording_deinit(struct recording *recording)
{
	texts_deinit(&recording->standard);
	texts_deinit(&recording->ftrace_formats);
	texts_deinit(&recording->formats);
	texts_deinit(&recording->blobs);
	texts_deinit(&recording->cpustat);
	cpulist_deinit(&recording->cpus);
	*recording = (struct recording){};
}

static void add_sized(struct text *body, const struct text *text)
{
	text_u64(body, text->len);
	text_add(body, text->data, text->len);
}

static const struct text *standard(const struct recording *recording, const char *name)
{
	static const struct text none;
	const struct text *text = texts_find(&recording->standard, name);

	return text ? text : &none;
}

static struct err *write_headers(struct datfile *file, const struct recording *recording)
{
	static const char *const names[] = { "header_page", "header_event" };
	auto_text body = {};

	for (size_t i = 0; i < 2; i++) {
		text_add(&body, names[i], strlen(names[i]) + 1);
		add_sized(&body, standard(recording, names[i]));
	}
	return datfile_section(file, DATFILE_HEADER_INFO, "headers", &body);
}

static struct err *write_ftrace_formats(struct datfile *file, const struct recording *recording)
{
	const struct texts *formats = &recording->ftrace_formats;
	auto_text body = {};

	text_u32(&body, (uint32_t)formats->nr);
	for (size_t i = 0; i < formats->nr; i++)
		add_sized(&body, &formats->v[i].text);
	return datfile_section(file, DATFILE_FTRACE_EVENTS, "ftrace events", &body);
}

static size_t system_len(const struct texts *formats, size_t i)
{
	return strcspn(formats->v[i].name, "/");
}

/* One past the last format of the system that format @i belongs to. */
static size_t system_end(const struct texts *formats, size_t i)
{
	size_t len = system_len(formats, i), end = i + 1;

	while (end < formats->nr && system_len(formats, end) == len &&
	       !memcmp(formats->v[i].name, formats->v[end].name, len))
		end++;
	return end;
}

static struct err *write_formats(struct datfile *file, const struct recording *recording)
{
	const struct texts *formats = &recording->formats;
	auto_text systems = {}, body = {};
	uint32_t nr_systems = 0;

	for (size_t i = 0; i < formats->nr; nr_systems++) {
		size_t end = system_end(formats, i);

		text_add(&systems, formats->v[i].name, system_len(formats, i));
		text_add(&systems, "", 1);
		text_u32(&systems, (uint32_t)(end - i));
		for (; i < end; i++)
			add_sized(&systems, &formats->v[i].text);
	}
	text_u32(&body, nr_systems);
	text_add(&body, systems.data, systems.len);
	return datfile_section(file, DATFILE_EVENT_FORMATS, "events format", &body);
}

static struct err *write_u32_text(struct datfile *file, uint16_t id, const char *description,
				  const struct text *text)
{
	auto_text body = {};

	if (text->len > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "%s of %zu bytes do not fit", description,
			       text->len);
	text_u32(&body, (uint32_t)text->len);
	text_add(&body, text->data, text->len);
	return datfile_section(file, id, description, &body);
}

static struct err *write_sections(struct datfile *file, const struct recording *recording)
{
	auto_text cmdlines = {}, blobs = {};

	TRY(write_headers(file, recording));
	TRY(write_ftrace_formats(file, recording));
	TRY(write_formats(file, recording));
	TRY(write_u32_text(file, DATFILE_KALLSYMS, "kallsyms",
			   standard(recording, "kallsyms")));
	TRY(write_u32_text(file, DATFILE_PRINTK, "printk",
			   standard(recording, "printk_formats")));
	add_sized(&cmdlines, standard(recording, "saved_cmdlines"));
	TRY(datfile_section(file, DATFILE_CMDLINES, "command lines", &cmdlines));
	texts_encode(&recording->blobs, &blobs);
	return datfile_section(file, BLOBS_SECTION_ID, "allocprof", &blobs);
}

/* Readers take these as C strings. */
static void text_option(struct datfile *file, uint16_t id, const struct text *text)
{
	if (text->len)
		datfile_option(file, id, text->data, text->len + 1);
}

static void add_options(struct datfile *file, const struct recording *recording)
{
	static const char version[] = "allocprof " VERSION;

	datfile_option(file, DATFILE_CPUCOUNT, &recording->nr_cpus, sizeof(recording->nr_cpus));
	text_option(file, DATFILE_TRACECLOCK, standard(recording, "trace_clock"));
	text_option(file, DATFILE_UNAME, standard(recording, "uname"));
	datfile_option(file, DATFILE_VERSION, version, sizeof(version));
	datfile_option(file, DATFILE_TRACEID, &recording->trace_id,
		       sizeof(recording->trace_id));
	for (size_t i = 0; i < recording->cpustat.nr; i++)
		text_option(file, DATFILE_CPUSTAT, &recording->cpustat.v[i].text);
}

static struct err *write_meta(struct datfile *file, const struct recording *recording)
{
	TRY(write_sections(file, recording));
	add_options(file, recording);
	return datfile_finish(file);
}

struct err *recording_write_meta(const struct recording *recording, const struct part *part,
				 int level)
{
	struct datfile *file;

	TRY(datfile_create(part->meta_new, recording->subbuf_size, level, &file));
	struct err *err = write_meta(file, recording);

	datfile_close(file);
	if (!err)
		err = part_publish_meta(part);
	if (err)
		unlink(part->meta_new);
	return err;
}

struct err *recording_write_begin(const struct recording *recording, const struct part *part,
				  int level, struct recording_writer **ret)
{
	struct datfile *file;

	TRY(datfile_create(part->new_file, recording->subbuf_size, level, &file));
	struct err *err = write_sections(file, recording);

	if (!err) {
		add_options(file, recording);
		err = datfile_data_begin(file, recording->clock, (uint32_t)recording->cpus.nr);
	}
	if (err) {
		datfile_close(file);
		return err;
	}
	size_t page = recording->subbuf_size;
	size_t pages = page < DATFILE_CHUNK ? DATFILE_CHUNK / page : 1;
	struct recording_writer *writer = xcalloc(1, sizeof(*writer));

	*writer = (struct recording_writer){
		.recording = recording,
		.part = part,
		.file = file,
		.chunk = xreallocarray(NULL, pages, page),
		.chunk_size = pages * page,
	};
	*ret = writer;
	return NULL;
}

static struct err *begin_cpu(struct recording_writer *w)
{
	struct stat st;

	if (fstat(w->part->fds[w->cpu], &st) < 0)
		return err_os(errno, "%s", w->part->dir);
	w->off = 0;
	w->end = (uint64_t)st.st_size;
	w->in_cpu = true;
	return datfile_cpu_begin(w->file, w->recording->cpus.v[w->cpu], w->end, w->chunk_size);
}

static struct err *read_chunk(struct recording_writer *w, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(w->part->fds[w->cpu], w->chunk + done, len - done,
				  (off_t)(w->off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "%s", w->part->dir);
		if (!n)
			return err_new(ERR_OS, "%s: a file became shorter", w->part->dir);
		done += (size_t)n;
	}
	return NULL;
}

struct err *recording_write_step(struct recording_writer *w, bool *ret_done)
{
	*ret_done = w->cpu == w->part->nr;
	if (*ret_done)
		return NULL;
	if (!w->in_cpu)
		return begin_cpu(w);
	if (w->off == w->end) {
		w->in_cpu = false;
		w->cpu++;
		datfile_cpu_end(w->file);
		return NULL;
	}
	uint64_t left = w->end - w->off;
	size_t len = left < w->chunk_size ? (size_t)left : w->chunk_size;

	TRY(read_chunk(w, len));
	TRY(datfile_cpu_add(w->file, w->chunk, len));
	w->off += len;
	return NULL;
}

struct err *recording_write_end(struct recording_writer *w, uint64_t *ret_bytes)
{
	TRY(datfile_data_end(w->file));
	TRY(datfile_finish(w->file));
	*ret_bytes = datfile_bytes(w->file);
	return NULL;
}

void recording_write_close(struct recording_writer *w)
{
	if (!w)
		return;
	datfile_close(w->file);
	free(w->chunk);
	free(w);
}
