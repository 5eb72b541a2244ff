// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/container.h"

#include <inttypes.h>

#include "base/xalloc.h"

/* The ring buffer's own limits: a header of 16 bytes and some events; 20 bits. */
enum { SUBBUF_MIN = 64, SUBBUF_MAX = 1 << 20 };

static void release(struct cpu_data *first)
{
	for (struct cpu_data *data = first; data;) {
		struct cpu_data *next = data->next;

		if (data->fd >= 0 && !data->shared_fd)
			close(data->fd);
		if (data != first)
			free(data);
		data = next;
	}
}

void container_deinit(struct container *c)
{
	for (size_t i = 0; i < c->nr_buffers; i++) {
		for (size_t j = 0; j < c->buffer[i].nr_cpus; j++)
			release(&c->buffer[i].cpu[j]);
		free(c->buffer[i].clock);
		free(c->buffer[i].cpu);
	}
	free(c->buffer);
	free(c->text);
	free(c->blob);
	free(c->format);
	free(c->cpustat);
	free(c->trace_id);
	free(c->tsc2nsec);
	for (size_t i = 0; i < c->nr_kept; i++)
		close(c->kept_fd[i]);
	free(c->kept_fd);
	metadata_deinit(&c->meta);
}

bool container_text(const struct container *c, const char *name, struct span *ret)
{
	for (size_t i = 0; i < c->nr_texts; i++) {
		if (strcmp(c->text[i].name, name))
			continue;
		*ret = c->text[i].text;
		return true;
	}
	return false;
}

bool container_blob(const struct container *c, const char *name, struct span *ret)
{
	for (size_t i = 0; i < c->nr_blobs; i++) {
		if (strcmp(c->blob[i].name, name))
			continue;
		*ret = c->blob[i].text;
		return true;
	}
	return false;
}

void container_add_blob(struct container *c, const char *name, struct span text)
{
	vec_room(c->blob, c->nr_blobs, c->cap_blobs);
	c->blob[c->nr_blobs++] = (struct container_text){ name, text };
}

void container_add_text(struct container *c, const char *name, struct span text)
{
	struct span first;

	if (container_text(c, name, &first))
		return;
	vec_room(c->text, c->nr_texts, c->cap_texts);
	c->text[c->nr_texts++] = (struct container_text){ name, text };
}

static struct err *named_text(struct container *c, struct metadata_src *src, const char *name)
{
	const char *found;
	uint64_t len;
	struct span text;

	TRY(metadata_str(src, name, &found));
	if (strcmp(found, name)) {
		auto_free char *quoted =
			metadata_quote((struct span){ (const uint8_t *)found, strlen(found) });

		return err_new(ERR_FORMAT,
			       "\"%s\" stands before byte %" PRIu64 " instead of \"%s\"",
			       quoted, metadata_off(src), name);
	}
	TRY(metadata_u64(src, name, &len));
	TRY(metadata_span(src, name, len, &text));
	container_add_text(c, name, text);
	return NULL;
}

struct err *container_header_info(struct container *c, struct metadata_src *src)
{
	TRY(named_text(c, src, "header_page"));
	return named_text(c, src, "header_event");
}

static struct err *formats_of(struct container *c, struct metadata_src *src, const char *system)
{
	uint32_t nr;

	TRY(metadata_u32(src, "the number of event formats", &nr));
	/* A false number ends at the end of the data: each takes 8 bytes. */
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t len;
		struct span text;

		TRY(metadata_u64(src, "an event format", &len));
		TRY(metadata_span(src, "an event format", len, &text));
		vec_room(c->format, c->nr_formats, c->cap_formats);
		c->format[c->nr_formats++] = (struct container_format){ system, text };
	}
	return NULL;
}

struct err *container_ftrace_formats(struct container *c, struct metadata_src *src)
{
	return formats_of(c, src, "ftrace");
}

struct err *container_event_formats(struct container *c, struct metadata_src *src)
{
	uint32_t nr;

	TRY(metadata_u32(src, "the number of event systems", &nr));
	for (uint32_t i = 0; i < nr; i++) {
		const char *system;

		TRY(metadata_str(src, "the name of an event system", &system));
		TRY(formats_of(c, src, system));
	}
	return NULL;
}

static void add_cpustat(struct container *c, struct span text)
{
	size_t need = c->cpustat_len + text.len + 1;

	if (need > c->cpustat_cap) {
		c->cpustat_cap = need * 2;
		c->cpustat = xreallocarray(c->cpustat, c->cpustat_cap, 1);
	}
	if (text.len)
		memcpy(c->cpustat + c->cpustat_len, text.data, text.len);
	c->cpustat_len += text.len;
	if (text.len && text.data[text.len - 1] != '\n')
		c->cpustat[c->cpustat_len++] = '\n';
}

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static struct err *trace_id(struct container *c, struct metadata_src *data)
{
	uint64_t id;

	if (c->trace_id)
		return NULL;
	TRY(metadata_u64(data, "trace id", &id));
	c->trace_id = xasprintf("%#" PRIx64, id);
	container_add_text(c, "trace_id", span_of(c->trace_id));
	return NULL;
}

static struct err *tsc2nsec(struct container *c, struct metadata_src *data)
{
	uint32_t mult, shift;
	uint64_t offset;

	if (c->tsc2nsec)
		return NULL;
	TRY(metadata_u32(data, "tsc2nsec", &mult));
	TRY(metadata_u32(data, "tsc2nsec", &shift));
	TRY(metadata_u64(data, "tsc2nsec", &offset));
	c->tsc2nsec = xasprintf("%" PRIu32 " %" PRIu32 " %" PRIu64, mult, shift, offset);
	container_add_text(c, "tsc2nsec", span_of(c->tsc2nsec));
	return NULL;
}

struct err *container_option(struct container *c, uint16_t id, struct metadata_src data)
{
	/* Texts are saved with their NUL, or padded with several. */
	const char *start = (const char *)data.b.pos;
	struct span text = { data.b.pos, strnlen(start, bytes_left(&data.b)) };

	switch (id) {
	case CONTAINER_CPUSTAT:
		add_cpustat(c, text);
		break;
	case CONTAINER_CLOCK:
		container_add_text(c, "trace_clock", text);
		break;
	case CONTAINER_UNAME:
		container_add_text(c, "uname", text);
		break;
	case CONTAINER_VERSION:
		container_add_text(c, "version", text);
		break;
	case CONTAINER_TRACE_ID:
		return trace_id(c, &data);
	case CONTAINER_TSC2NSEC:
		return tsc2nsec(c, &data);
	}
	return NULL;
}

struct container_buffer *container_add_buffer(struct container *c, const char *name)
{
	vec_room(c->buffer, c->nr_buffers, c->cap_buffers);
	c->buffer[c->nr_buffers] = (struct container_buffer){ .name = name };
	return &c->buffer[c->nr_buffers++];
}

struct err *container_add_cpu(struct container *c, struct container_buffer *buffer,
			      uint32_t cpu, uint64_t off, uint64_t size)
{
	if (!size)
		return NULL;
	if (off > INT64_MAX || size > INT64_MAX)
		return err_new(ERR_FORMAT,
			       "cpu %" PRIu32 ": %" PRIu64 " bytes of data at byte %" PRIu64
			       ": no file is that long",
			       cpu, size, off);

	uint64_t left = off < c->meta.file_size ? c->meta.file_size - off : 0;

	vec_room(buffer->cpu, buffer->nr_cpus, buffer->cap_cpus);
	buffer->cpu[buffer->nr_cpus++] = (struct cpu_data){
		.cpu = cpu,
		.off = off,
		.promised = size,
		.stored = size < left ? size : left,
		.fd = -1,
	};
	return NULL;
}

void container_append(struct container_buffer *buffer, const struct cpu_data *later)
{
	/* Mostly that of the last. */
	for (size_t i = buffer->nr_cpus; i--;) {
		struct cpu_data *last = &buffer->cpu[i];

		if (last->cpu != later->cpu)
			continue;
		while (last->next)
			last = last->next;
		last->next = xmalloc(sizeof(*last->next));
		*last->next = *later;
		return;
	}
	vec_room(buffer->cpu, buffer->nr_cpus, buffer->cap_cpus);
	buffer->cpu[buffer->nr_cpus++] = *later;
}

void container_add_file(struct container_buffer *buffer, uint32_t cpu, enum cpu_form form,
			int fd, uint64_t size, bool grows)
{
	if (!size && !grows) {
		close(fd);
		return;
	}
	container_append(buffer, &(struct cpu_data){
					 .cpu = cpu,
					 .form = form,
					 .promised = size,
					 .stored = size,
					 .fd = fd,
				 });
}

char *container_clock_name(struct span text)
{
	const uint8_t *open = text.len ? memchr(text.data, '[', text.len) : NULL;

	if (!open)
		return xstrdup("");
	open++;
	size_t left = text.len - (size_t)(open - text.data);
	const uint8_t *close = left ? memchr(open, ']', left) : NULL;

	if (!close)
		return xstrdup("");
	return xstrndup((const char *)open, (size_t)(close - open));
}

static int by_offset(const void *a, const void *b)
{
	const struct cpu_data *const *x = a, *const *y = b;

	return ((*x)->off > (*y)->off) - ((*x)->off < (*y)->off);
}

static struct err *check_overlap(const struct container *c)
{
	size_t total = 0, nr = 0;

	for (size_t i = 0; i < c->nr_buffers; i++)
		total += c->buffer[i].nr_cpus;

	auto_free const struct cpu_data **data = xcalloc(total + 1, sizeof(*data));

	for (size_t i = 0; i < c->nr_buffers; i++)
		for (size_t j = 0; j < c->buffer[i].nr_cpus; j++)
			if (c->buffer[i].cpu[j].stored && c->buffer[i].cpu[j].fd < 0)
				data[nr++] = &c->buffer[i].cpu[j];
	qsort(data, nr, sizeof(*data), by_offset);
	for (size_t i = 1; i < nr; i++) {
		if (data[i]->off - data[i - 1]->off >= data[i - 1]->stored)
			continue;
		return err_new(ERR_FORMAT,
			       "the data of cpu %u at byte %" PRIu64
			       " and of cpu %u at byte %" PRIu64 " overlap",
			       data[i - 1]->cpu, data[i - 1]->off, data[i]->cpu, data[i]->off);
	}
	return NULL;
}

struct err *container_finish(struct container *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nr_buffers; i++) {
		struct container_buffer *buffer = &c->buffer[i];

		if (!buffer->nr_cpus) {
			free(buffer->clock);
			free(buffer->cpu);
			continue;
		}
		c->buffer[kept++] = *buffer;
	}
	c->nr_buffers = kept;
	for (size_t i = 0; i < kept; i++) {
		uint32_t size = c->buffer[i].subbuf_size;

		if (size < SUBBUF_MIN || size > SUBBUF_MAX || size % 8)
			return err_new(ERR_FORMAT,
				       "sub-buffers of %" PRIu32
				       " bytes: not a multiple of 8 from %d to %d",
				       size, SUBBUF_MIN, SUBBUF_MAX);
	}
	if (c->cpustat_len)
		container_add_text(c, "cpustat",
				   (struct span){ (const uint8_t *)c->cpustat,
						  c->cpustat_len });
	return check_overlap(c);
}
