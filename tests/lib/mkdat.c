// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/mkdat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

/* Numbers of the format, v6 options and v7 options and sections alike. */
enum {
	ID_OPTIONS = 0,
	ID_CPUSTAT = 2,
	ID_BUFFER = 3,
	ID_CLOCK = 4,
	ID_UNAME = 5,
	ID_CPUCOUNT = 8,
	ID_VERSION = 9,
	ID_TRACEID = 11,
	ID_HEADER_INFO = 16,
	ID_FTRACE = 17,
	ID_FORMATS = 18,
	ID_KALLSYMS = 19,
	ID_PRINTK = 20,
	ID_CMDLINES = 21,
};

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool big;
};

struct cpu {
	unsigned int nr;
	struct buf pages;
	uint64_t off; /* in the file, once laid out */
	uint64_t size;
};

struct buffer {
	char *name;
	char *clock;
	uint32_t page_size;
	struct cpu *cpu;
	size_t nr_cpus, cap_cpus;
	uint64_t section;
};

struct format {
	char *system;
	char *text;
};

struct mkdat {
	struct mkdat_opts opts;
	char *header_page, *header_event, *kallsyms, *printk, *cmdlines;
	char *uname, *clock, *version;
	char **cpustat;
	size_t nr_cpustats, cap_cpustats;
	struct format *format;
	size_t nr_formats, cap_formats;
	struct buffer *buffer;
	size_t nr_buffers, cap_buffers;
	struct buf blobs;
	bool has_trace_id;
	uint64_t trace_id;
};

static const char default_header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:%u;\tsigned:1;\n";

static const char default_header_event[] = "# compressed entry header\n"
					   "\ttype_len    :    5 bits\n"
					   "\ttime_delta  :   27 bits\n"
					   "\tarray       :   32 bits\n"
					   "\n"
					   "\tpadding     : type == 29\n"
					   "\ttime_extend : type == 30\n"
					   "\ttime_stamp : type == 31\n"
					   "\tdata max type_len  == 28\n";

static void put(struct buf *b, const void *data, size_t len)
{
	if (b->cap - b->len < len) {
		b->cap = (b->len + len) * 2;
		b->data = xreallocarray(b->data, b->cap, 1);
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_uint(struct buf *b, uint64_t v, unsigned int size)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < size; i++)
		bytes[b->big ? size - 1 - i : i] = (uint8_t)(v >> (8 * i));
	put(b, bytes, size);
}

static void put_str(struct buf *b, const char *s)
{
	put(b, s, strlen(s) + 1);
}

/* Writes over what is already there. */
static void patch_u64(struct buf *b, size_t off, uint64_t v)
{
	size_t len = b->len;

	b->len = off;
	put_uint(b, v, 8);
	b->len = len;
}

static void align(struct buf *b, size_t to)
{
	while (b->len % to)
		put_uint(b, 0, 1);
}

static void put_sized(struct buf *b, const char *text, unsigned int size_of_len)
{
	put_uint(b, strlen(text), size_of_len);
	put(b, text, strlen(text));
}

struct mkdat *mkdat_new(const struct mkdat_opts *opts)
{
	struct mkdat *m = xcalloc(1, sizeof(*m));

	if (opts)
		m->opts = *opts;
	if (!m->opts.version)
		m->opts.version = 7;
	if (!m->opts.long_size)
		m->opts.long_size = 8;
	if (!m->opts.page_size)
		m->opts.page_size = 4096;
	m->blobs.big = m->opts.big_endian;
	if (!m->opts.bare) {
		m->header_page = xasprintf(default_header_page, m->opts.page_size - 16);
		m->header_event = xstrdup(default_header_event);
	}
	return m;
}

void mkdat_free(struct mkdat *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nr_buffers; i++) {
		for (size_t j = 0; j < m->buffer[i].nr_cpus; j++)
			free(m->buffer[i].cpu[j].pages.data);
		free(m->buffer[i].cpu);
		free(m->buffer[i].name);
		free(m->buffer[i].clock);
	}
	for (size_t i = 0; i < m->nr_formats; i++) {
		free(m->format[i].system);
		free(m->format[i].text);
	}
	for (size_t i = 0; i < m->nr_cpustats; i++)
		free(m->cpustat[i]);
	free(m->buffer);
	free(m->format);
	free(m->cpustat);
	free(m->blobs.data);
	free(m->header_page);
	free(m->header_event);
	free(m->kallsyms);
	free(m->printk);
	free(m->cmdlines);
	free(m->uname);
	free(m->clock);
	free(m->version);
	free(m);
}

void mkdat_text(struct mkdat *m, const char *name, const char *text)
{
	const struct {
		const char *name;
		char **text;
	} texts[] = {
		{ "header_page", &m->header_page }, { "header_event", &m->header_event },
		{ "kallsyms", &m->kallsyms },	    { "printk_formats", &m->printk },
		{ "cmdlines", &m->cmdlines },	    { "uname", &m->uname },
		{ "trace_clock", &m->clock },	    { "version", &m->version },
	};

	if (!strcmp(name, "cpustat")) {
		vec_room(m->cpustat, m->nr_cpustats, m->cap_cpustats);
		m->cpustat[m->nr_cpustats++] = xstrdup(text);
		return;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name))
			continue;
		free(*texts[i].text);
		*texts[i].text = xstrdup(text);
		return;
	}
	fprintf(stderr, "mkdat: no text is called %s\n", name);
	abort();
}

void mkdat_trace_id(struct mkdat *m, uint64_t id)
{
	m->has_trace_id = true;
	m->trace_id = id;
}

void mkdat_format(struct mkdat *m, const char *system, const char *text)
{
	vec_room(m->format, m->nr_formats, m->cap_formats);
	m->format[m->nr_formats++] = (struct format){ xstrdup(system), xstrdup(text) };
}

void mkdat_blob(struct mkdat *m, const char *name, const void *data, size_t len)
{
	put_str(&m->blobs, name);
	put_uint(&m->blobs, len, 8);
	put(&m->blobs, data, len);
}

void mkdat_buffer(struct mkdat *m, const char *name, const char *clock, uint32_t page_size)
{
	vec_room(m->buffer, m->nr_buffers, m->cap_buffers);
	m->buffer[m->nr_buffers++] = (struct buffer){
		.name = xstrdup(name),
		.clock = xstrdup(clock),
		.page_size = page_size ? page_size : m->opts.page_size,
	};
}

void mkdat_page(struct mkdat *m, const char *name, unsigned int nr, const void *data,
		size_t len)
{
	size_t i = m->nr_buffers;

	while (i > 0 && strcmp(m->buffer[i - 1].name, name))
		i--;
	if (!i) {
		mkdat_buffer(m, name, "mono", 0);
		i = m->nr_buffers;
	}

	struct buffer *buffer = &m->buffer[i - 1];
	size_t j = 0;

	if (len > buffer->page_size)
		abort();
	while (j < buffer->nr_cpus && buffer->cpu[j].nr != nr)
		j++;
	if (j == buffer->nr_cpus) {
		vec_room(buffer->cpu, buffer->nr_cpus, buffer->cap_cpus);
		buffer->cpu[buffer->nr_cpus++] = (struct cpu){ .nr = nr };
	}
	put(&buffer->cpu[j].pages, data, len);
	align(&buffer->cpu[j].pages, buffer->page_size);
}

static unsigned int cpu_count(const struct mkdat *m)
{
	unsigned int count = 1;

	for (size_t i = 0; i < m->nr_buffers; i++)
		for (size_t j = 0; j < m->buffer[i].nr_cpus; j++)
			if (m->buffer[i].cpu[j].nr >= count)
				count = m->buffer[i].cpu[j].nr + 1;
	return count;
}

static void put_header_info(const struct mkdat *m, struct buf *b)
{
	put_str(b, "header_page");
	put_sized(b, m->header_page ? m->header_page : "", 8);
	put_str(b, "header_event");
	put_sized(b, m->header_event ? m->header_event : "", 8);
}

static uint32_t count_formats(const struct mkdat *m, const char *system)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < m->nr_formats; i++)
		nr += !strcmp(m->format[i].system, system);
	return nr;
}

static void put_formats_of(const struct mkdat *m, struct buf *b, const char *system)
{
	put_uint(b, count_formats(m, system), 4);
	for (size_t i = 0; i < m->nr_formats; i++)
		if (!strcmp(m->format[i].system, system))
			put_sized(b, m->format[i].text, 8);
}

/* True when no format before the i-th is of its system. */
static bool is_first_of_system(const struct mkdat *m, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(m->format[j].system, m->format[i].system))
			return false;
	return strcmp(m->format[i].system, "ftrace") != 0;
}

static void put_formats(const struct mkdat *m, struct buf *b)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < m->nr_formats; i++)
		nr += is_first_of_system(m, i);
	put_uint(b, nr, 4);
	for (size_t i = 0; i < m->nr_formats; i++) {
		if (!is_first_of_system(m, i))
			continue;
		put_str(b, m->format[i].system);
		put_formats_of(m, b, m->format[i].system);
	}
}

static void put_initial(const struct mkdat *m, struct buf *b)
{
	put(b, "\x17\x08\x44tracing", 10);
	put_str(b, m->opts.version == 6 ? "6" : "7");
	put_uint(b, m->opts.big_endian, 1);
	put_uint(b, m->opts.long_size, 1);
	put_uint(b, m->opts.page_size, 4);
}

static void put_option(struct buf *b, uint16_t id, const void *data, size_t len)
{
	put_uint(b, id, 2);
	put_uint(b, len, 4);
	put(b, data, len);
}

static void put_text_option(struct buf *b, uint16_t id, const char *text)
{
	if (text)
		put_option(b, id, text, strlen(text) + 1);
}

/* The options that v6 and v7 have in common. */
static void put_common_options(const struct mkdat *m, struct buf *b)
{
	put_text_option(b, ID_CLOCK, m->clock);
	put_text_option(b, ID_UNAME, m->uname);
	put_text_option(b, ID_VERSION, m->version);
	if (m->has_trace_id) {
		put_uint(b, ID_TRACEID, 2);
		put_uint(b, 8, 4);
		put_uint(b, m->trace_id, 8);
	}
	for (size_t i = 0; i < m->nr_cpustats; i++)
		put_text_option(b, ID_CPUSTAT, m->cpustat[i]);
	put_uint(b, ID_CPUCOUNT, 2);
	put_uint(b, 4, 4);
	put_uint(b, cpu_count(m), 4);
}

/* Returns where the table of CPUs begins, to be filled in by put_v6_data(). */
static size_t put_v6_table(const struct mkdat *m, struct buf *b)
{
	put(b, "flyrecord", 10);
	size_t table = b->len;

	for (unsigned int i = 0; i < cpu_count(m); i++) {
		put_uint(b, 0, 8);
		put_uint(b, 0, 8);
	}
	if (m->clock)
		put_sized(b, m->clock, 8);
	return table;
}

static void put_v6_data(const struct mkdat *m, struct buf *b, size_t table,
			const struct buffer *buffer)
{
	for (size_t i = 0; i < buffer->nr_cpus; i++) {
		align(b, m->opts.page_size);
		size_t entry = table + (size_t)buffer->cpu[i].nr * 16;

		patch_u64(b, entry, b->len);
		patch_u64(b, entry + 8, buffer->cpu[i].pages.len);
		put(b, buffer->cpu[i].pages.data, buffer->cpu[i].pages.len);
	}
}

static void build_v6(struct mkdat *m, struct buf *b)
{
	put_initial(m, b);
	put_header_info(m, b);
	put_formats_of(m, b, "ftrace");
	put_formats(m, b);
	put_sized(b, m->kallsyms ? m->kallsyms : "", 4);
	put_sized(b, m->printk ? m->printk : "", 4);
	put_sized(b, m->cmdlines ? m->cmdlines : "", 8);
	put_uint(b, cpu_count(m), 4);

	put(b, "options  ", 10);
	put_common_options(m, b);
	for (size_t i = 0; i < m->nr_buffers; i++) {
		struct buffer *buffer = &m->buffer[i];

		if (!*buffer->name)
			continue;
		put_uint(b, ID_BUFFER, 2);
		put_uint(b, 8 + strlen(buffer->name) + 1, 4);
		buffer->section = b->len;
		put_uint(b, 0, 8);
		put_str(b, buffer->name);
	}
	put_uint(b, 0, 2);

	size_t table = put_v6_table(m, b);

	for (size_t i = 0; i < m->nr_buffers; i++)
		if (!*m->buffer[i].name)
			put_v6_data(m, b, table, &m->buffer[i]);
	for (size_t i = 0; i < m->nr_buffers; i++) {
		if (!*m->buffer[i].name)
			continue;
		align(b, m->opts.page_size);
		patch_u64(b, m->buffer[i].section, b->len);
		put_v6_data(m, b, put_v6_table(m, b), &m->buffer[i]);
	}
}

/* Returns where the size of the section stands, for end_section(). */
static size_t begin_section(struct buf *b, uint16_t id, bool compressed)
{
	put_uint(b, id, 2);
	put_uint(b, compressed, 2);
	put_uint(b, UINT32_MAX, 4);
	put_uint(b, 0, 8);
	return b->len - 8;
}

static void end_section(struct buf *b, size_t size_off)
{
	patch_u64(b, size_off, b->len - size_off - 8);
}

static void put_compressed(struct buf *b, const void *data, size_t len)
{
	size_t bound = ZSTD_compressBound(len);
	auto_free uint8_t *frame = xmalloc(bound);
	size_t size = ZSTD_compress(frame, bound, data, len, 1);

	if (ZSTD_isError(size))
		abort();
	put_uint(b, size, 4);
	put_uint(b, len, 4);
	put(b, frame, size);
}

/* Takes what is in @body for a section of its own; returns the section's place. */
static uint64_t put_section(const struct mkdat *m, struct buf *b, uint16_t id, struct buf *body)
{
	uint64_t off = b->len;
	size_t size_off = begin_section(b, id, m->opts.zstd);

	if (m->opts.zstd)
		put_compressed(b, body->data, body->len);
	else
		put(b, body->data, body->len);
	end_section(b, size_off);
	free(body->data);
	*body = (struct buf){ .big = body->big };
	return off;
}

static void put_chunks(const struct mkdat *m, struct buf *b, const struct buffer *buffer,
		       const struct buf *pages)
{
	size_t chunk = m->opts.chunk_bytes ? m->opts.chunk_bytes : 10 * buffer->page_size;

	put_uint(b, (pages->len + chunk - 1) / chunk, 4);
	for (size_t off = 0; off < pages->len; off += chunk) {
		size_t left = pages->len - off;

		put_compressed(b, pages->data + off, left < chunk ? left : chunk);
	}
}

static void put_v7_buffer(const struct mkdat *m, struct buf *b, struct buffer *buffer)
{
	buffer->section = b->len;
	size_t size_off = begin_section(b, ID_BUFFER, m->opts.zstd);

	for (size_t i = 0; i < buffer->nr_cpus; i++) {
		struct cpu *cpu = &buffer->cpu[i];

		align(b, buffer->page_size);
		cpu->off = b->len;
		if (m->opts.zstd)
			put_chunks(m, b, buffer, &cpu->pages);
		else
			put(b, cpu->pages.data, cpu->pages.len);
		cpu->size = b->len - cpu->off;
		/* trace-cmd leaves the number of chunks out of the size. */
		if (m->opts.zstd && !m->opts.whole_sizes)
			cpu->size -= 4;
	}
	end_section(b, size_off);
}

static void put_offset_option(struct buf *b, uint16_t id, uint64_t off)
{
	put_uint(b, id, 2);
	put_uint(b, 8, 4);
	put_uint(b, off, 8);
}

static void put_buffer_option(struct buf *b, const struct buffer *buffer)
{
	put_uint(b, ID_BUFFER, 2);
	put_uint(b,
		 8 + strlen(buffer->name) + 1 + strlen(buffer->clock) + 1 + 8 +
			 20 * buffer->nr_cpus,
		 4);
	put_uint(b, buffer->section, 8);
	put_str(b, buffer->name);
	put_str(b, buffer->clock);
	put_uint(b, buffer->page_size, 4);
	put_uint(b, buffer->nr_cpus, 4);
	for (size_t i = 0; i < buffer->nr_cpus; i++) {
		put_uint(b, buffer->cpu[i].nr, 4);
		put_uint(b, buffer->cpu[i].off, 8);
		put_uint(b, buffer->cpu[i].size, 8);
	}
}

static void build_v7(struct mkdat *m, struct buf *b)
{
	struct buf body = { .big = b->big };
	struct buf options = { .big = b->big };

	put_initial(m, b);
	put_str(b, m->opts.zstd ? "zstd" : "none");
	put_str(b, m->opts.zstd ? "1.5.4" : "");
	size_t first_options = b->len;

	put_uint(b, 0, 8);

	if (m->header_page) {
		put_header_info(m, &body);
		put_offset_option(&options, ID_HEADER_INFO,
				  put_section(m, b, ID_HEADER_INFO, &body));
	}
	put_formats_of(m, &body, "ftrace");
	put_offset_option(&options, ID_FTRACE, put_section(m, b, ID_FTRACE, &body));
	put_formats(m, &body);
	put_offset_option(&options, ID_FORMATS, put_section(m, b, ID_FORMATS, &body));
	if (m->kallsyms) {
		put_sized(&body, m->kallsyms, 4);
		put_offset_option(&options, ID_KALLSYMS, put_section(m, b, ID_KALLSYMS, &body));
	}
	if (m->printk) {
		put_sized(&body, m->printk, 4);
		put_offset_option(&options, ID_PRINTK, put_section(m, b, ID_PRINTK, &body));
	}
	if (m->cmdlines) {
		put_sized(&body, m->cmdlines, 8);
		put_offset_option(&options, ID_CMDLINES, put_section(m, b, ID_CMDLINES, &body));
	}
	if (m->blobs.len) {
		put(&body, m->blobs.data, m->blobs.len);
		put_section(m, b, BLOBS_SECTION_ID, &body);
	}

	/* As trace-cmd does: the buffers have an options section of their own. */
	put_common_options(m, &options);
	put_offset_option(&options, ID_OPTIONS, 0);
	patch_u64(b, first_options, b->len);
	size_t size_off = begin_section(b, ID_OPTIONS, false);

	put(b, options.data, options.len);
	size_t next = b->len - 8;

	end_section(b, size_off);
	for (size_t i = 0; i < m->nr_buffers; i++)
		put_v7_buffer(m, b, &m->buffer[i]);
	patch_u64(b, next, b->len);
	size_off = begin_section(b, ID_OPTIONS, false);
	for (size_t i = 0; i < m->nr_buffers; i++)
		put_buffer_option(b, &m->buffer[i]);
	put_offset_option(b, ID_OPTIONS, 0);
	end_section(b, size_off);
	free(options.data);
	free(body.data);
}

uint8_t *mkdat_bytes(struct mkdat *m, size_t *ret_len)
{
	struct buf b = { .big = m->opts.big_endian };

	if (m->opts.version == 6)
		build_v6(m, &b);
	else
		build_v7(m, &b);
	*ret_len = b.len;
	return b.data;
}

void mkdat_write_bytes(const char *path, const void *data, size_t len)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *p = data;

	while (fd >= 0 && len) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			break;
		p += n;
		len -= (size_t)n;
	}
	if (fd < 0 || len) {
		perror(path);
		abort();
	}
}

void mkdat_write(struct mkdat *m, const char *path)
{
	size_t len;
	auto_free uint8_t *data = mkdat_bytes(m, &len);

	mkdat_write_bytes(path, data, len);
}
