// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

struct recording_writer {
	const struct recording *recording;
	struct recording_data data;
	struct datfile *file;
	struct text chunk;    /* as it is in the segment */
	struct text inflated; /* sub-buffers of one that was not compressed */
	size_t chunk_size;    /* of sub-buffers */
	ZSTD_DCtx *zstd;
	size_t cpu;	/* index of the one at work */
	size_t segment; /* of it */
	bool in_cpu;
	int fd; /* of the segment */
	uint64_t off, end;
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

struct err *recording_create(const struct recording *recording, int fd, int level,
			     struct datfile **ret)
{
	struct datfile *file;

	TRY(datfile_begin(fd, recording->subbuf_size, level, &file));
	struct err *err = write_sections(file, recording);

	if (!err) {
		add_options(file, recording);
		err = datfile_data_begin(file, recording->clock, (uint32_t)recording->cpus.nr);
	}
	if (err)
		datfile_close(file);
	else
		*ret = file;
	return err;
}

struct err *recording_write_begin(const struct recording *recording,
				  const struct recording_data *data, int level,
				  struct recording_writer **ret)
{
	const char *path = data->part->new_file;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct datfile *file;

	if (fd < 0)
		return err_os(errno, "%s", path);
	TRY(recording_create(recording, fd, level, &file));
	size_t page = recording->subbuf_size;
	struct recording_writer *writer = xcalloc(1, sizeof(*writer));

	*writer = (struct recording_writer){
		.recording = recording,
		.data = *data,
		.file = file,
		.chunk_size = page < DATFILE_CHUNK ? DATFILE_CHUNK / page * page : page,
		.fd = -1,
	};
	*ret = writer;
	return NULL;
}

static struct err *begin_cpu(struct recording_writer *w)
{
	const struct segments *segments = &w->data.cpu[w->cpu];
	uint64_t chunks = 0;

	w->in_cpu = true;
	w->segment = 0;
	for (size_t i = 0; i < segments->nr; i++)
		chunks += w->data.packed
				  ? segments->v[i].chunks
				  : (segments->v[i].bytes + w->chunk_size - 1) / w->chunk_size;
	return datfile_cpu_begin(w->file, w->recording->cpus.v[w->cpu], chunks);
}

static struct err *begin_segment(struct recording_writer *w, const struct segment *segment)
{
	auto_free char *name =
		segment_name(w->recording->cpus.v[w->cpu], segment->id, w->data.packed);

	w->fd = openat(w->data.part->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return err_os(errno, "%s/%s", w->data.part->dir, name);
	w->off = 0;
	w->end = segment->stored;
	return NULL;
}

static void end_segment(struct recording_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* The next @len bytes of the segment, behind what is in the chunk. */
static struct err *read_more(struct recording_writer *w, size_t len)
{
	text_room(&w->chunk, len);
	while (len) {
		ssize_t n = pread(w->fd, w->chunk.data + w->chunk.len, len, (off_t)w->off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "%s", w->data.part->dir);
		if (!n)
			return err_new(ERR_OS, "%s: a file became shorter", w->data.part->dir);
		w->chunk.len += (size_t)n;
		w->off += (uint64_t)n;
		len -= (size_t)n;
	}
	return NULL;
}

/* One that there was no time to compress. */
static struct err *compress_chunk(struct recording_writer *w, uint32_t len)
{
	w->inflated.len = 0;
	text_room(&w->inflated, len);
	if (!w->zstd)
		w->zstd = ZSTD_createDCtx();
	if (!w->zstd)
		return err_new(ERR_OS, "no memory for zstd");
	size_t head = 2 * sizeof(uint32_t);
	size_t n = ZSTD_decompressDCtx(w->zstd, w->inflated.data, len, w->chunk.data + head,
				       w->chunk.len - head);

	if (n != len)
		return err_new(ERR_OS, "%s: a chunk is not as it was written",
			       w->data.part->dir);
	return datfile_cpu_add(w->file, w->inflated.data, len);
}

/* A chunk as lane.c wrote it: sizes of the frame and of what is in it, frame. */
static struct err *copy_chunk(struct recording_writer *w)
{
	uint32_t head[2];

	w->chunk.len = 0;
	TRY(read_more(w, sizeof(head)));
	memcpy(head, w->chunk.data, sizeof(head));
	if (head[0] > w->end - w->off)
		return err_new(ERR_OS, "%s: a chunk is not as it was written",
			       w->data.part->dir);
	TRY(read_more(w, head[0]));
	if (head[0] > head[1])
		return compress_chunk(w, head[1]);
	return datfile_cpu_add_stored(w->file, w->chunk.data, w->chunk.len);
}

static struct err *copy_plain(struct recording_writer *w)
{
	uint64_t left = w->end - w->off;

	w->chunk.len = 0;
	TRY(read_more(w, left < w->chunk_size ? (size_t)left : w->chunk_size));
	return datfile_cpu_add(w->file, w->chunk.data, w->chunk.len);
}

struct err *recording_write_step(struct recording_writer *w, bool *ret_done)
{
	*ret_done = w->cpu == w->recording->cpus.nr;
	if (*ret_done)
		return NULL;
	if (!w->in_cpu)
		return begin_cpu(w);
	const struct segments *segments = &w->data.cpu[w->cpu];

	if (w->segment == segments->nr) {
		w->in_cpu = false;
		w->cpu++;
		datfile_cpu_end(w->file);
		return NULL;
	}
	if (w->fd < 0)
		return begin_segment(w, &segments->v[w->segment]);
	if (w->off == w->end) {
		end_segment(w);
		w->segment++;
		return NULL;
	}
	return w->data.packed ? copy_chunk(w) : copy_plain(w);
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
	end_segment(w);
	text_deinit(&w->chunk);
	text_deinit(&w->inflated);
	ZSTD_freeDCtx(w->zstd);
	free(w);
}
