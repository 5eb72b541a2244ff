// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/datfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <zstd.h>

#include "base/xalloc.h"

#define FLAG_COMPRESSED	 1
/* u16 id, u16 flags, u32 description, u64 size */
#define SECTION_HEADER	 16
#define SECTION_SIZE_OFF 8

struct datfile {
	int fd;
	uint64_t off;	     /* end of the file */
	uint64_t options_at; /* where the header keeps their offset */
	uint32_t subbuf_size;
	int level;
	ZSTD_CCtx *zstd; /* NULL: not compressed */
	void *packed;
	size_t packed_size;
	struct text options;
	struct text strings;
	struct text buffer; /* body of the BUFFER option */
	uint64_t data_at;   /* header of the section of CPU data */
	uint64_t cpu_at;
};

static struct err *write_at(struct datfile *file, uint64_t off, const void *data, size_t len)
{
	const char *pos = data;

	while (len) {
		ssize_t n = pwrite(file->fd, pos, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "cannot write the recording");
		pos += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return NULL;
}

static struct err *append(struct datfile *file, const void *data, size_t len)
{
	TRY(write_at(file, file->off, data, len));
	file->off += len;
	return NULL;
}

static struct err *append_text(struct datfile *file, const struct text *text)
{
	return append(file, text->data, text->len);
}

/* @data as { u32 packed size, u32 size, zstd frame }. */
static struct err *append_packed(struct datfile *file, const void *data, size_t len)
{
	size_t bound = ZSTD_compressBound(len);
	uint32_t head[2];

	if (len > UINT32_MAX || bound > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "a section of %zu bytes does not fit", len);
	if (bound > file->packed_size) {
		file->packed = xreallocarray(file->packed, bound, 1);
		file->packed_size = bound;
	}
	size_t n = ZSTD_compressCCtx(file->zstd, file->packed, file->packed_size, data, len,
				     file->level);

	if (ZSTD_isError(n))
		return err_new(ERR_OS, "zstd: %s", ZSTD_getErrorName(n));
	head[0] = (uint32_t)n;
	head[1] = (uint32_t)len;
	TRY(append(file, head, sizeof(head)));
	return append(file, file->packed, n);
}

static struct err *pad_to_page(struct datfile *file)
{
	static const char zero[4096];
	size_t page = file->subbuf_size < 4096 ? 4096 : file->subbuf_size;
	size_t pad = (page - file->off % page) % page;

	while (pad) {
		size_t n = pad < sizeof(zero) ? pad : sizeof(zero);

		TRY(append(file, zero, n));
		pad -= n;
	}
	return NULL;
}

static struct err *write_header(struct datfile *file)
{
	static const char magic[] = "\x17\x08\x44tracing7";
	const uint16_t one = 1;
	auto_text head = {};

	text_add(&head, magic, sizeof(magic));
	text_add(&head, *(const char *)&one ? "\0" : "\1", 1);
	text_add(&head, &(char){ sizeof(long) }, 1);
	text_u32(&head, file->subbuf_size);
	if (file->zstd) {
		text_add(&head, "zstd", 5);
		text_add(&head, ZSTD_versionString(), strlen(ZSTD_versionString()) + 1);
	} else {
		text_add(&head, "none\0", 6);
	}
	file->options_at = head.len;
	text_u64(&head, 0);
	return append_text(file, &head);
}

struct err *datfile_create(const char *path, uint32_t subbuf_size, int level,
			   struct datfile **ret)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? err_os(errno, "%s", path) : datfile_begin(fd, subbuf_size, level, ret);
}

struct err *datfile_begin(int fd, uint32_t subbuf_size, int level, struct datfile **ret)
{
	struct datfile *file = xcalloc(1, sizeof(*file));

	*file = (struct datfile){ .fd = fd, .subbuf_size = subbuf_size, .level = level };
	if (level)
		file->zstd = ZSTD_createCCtx();
	struct err *err = level && !file->zstd ? err_new(ERR_OS, "no memory for zstd")
					       : write_header(file);
	if (err) {
		datfile_close(file);
		return err;
	}
	*ret = file;
	return NULL;
}

void datfile_close(struct datfile *file)
{
	if (!file)
		return;
	close(file->fd);
	ZSTD_freeCCtx(file->zstd);
	free(file->packed);
	text_deinit(&file->options);
	text_deinit(&file->strings);
	text_deinit(&file->buffer);
	free(file);
}

static struct err *section_header(struct datfile *file, uint16_t id, bool compressed,
				  const char *description)
{
	auto_text head = {};

	text_u16(&head, id);
	text_u16(&head, compressed ? FLAG_COMPRESSED : 0);
	text_u32(&head, (uint32_t)file->strings.len);
	text_u64(&head, 0);
	text_add(&file->strings, description, strlen(description) + 1);
	return append_text(file, &head);
}

/* Patches the size of the section that starts at @at and ends here. */
static struct err *section_size(struct datfile *file, uint64_t at)
{
	uint64_t size = file->off - at - SECTION_HEADER;

	return write_at(file, at + SECTION_SIZE_OFF, &size, sizeof(size));
}

struct err *datfile_section(struct datfile *file, uint16_t id, const char *description,
			    const struct text *body)
{
	uint64_t at = file->off;

	TRY(section_header(file, id, file->zstd != NULL, description));
	if (file->zstd)
		TRY(append_packed(file, body->data, body->len));
	else
		TRY(append_text(file, body));
	TRY(section_size(file, at));
	if (id >= DATFILE_HEADER_INFO && id <= DATFILE_CMDLINES)
		datfile_option(file, id, &at, sizeof(at));
	return NULL;
}

void datfile_option(struct datfile *file, uint16_t id, const void *data, size_t len)
{
	text_u16(&file->options, id);
	text_u32(&file->options, (uint32_t)len);
	text_add(&file->options, data, len);
}

struct err *datfile_data_begin(struct datfile *file, const char *clock, uint32_t nr_cpus)
{
	file->data_at = file->off;
	text_u64(&file->buffer, file->off);
	/* The name of the top buffer: other readers show it without asking. */
	text_add(&file->buffer, "", 1);
	text_add(&file->buffer, clock, strlen(clock) + 1);
	text_u32(&file->buffer, file->subbuf_size);
	text_u32(&file->buffer, nr_cpus);
	return section_header(file, DATFILE_BUFFER, file->zstd != NULL, "buffer flyrecord");
}

struct err *datfile_cpu_begin(struct datfile *file, uint32_t cpu, uint64_t chunks)
{
	TRY(pad_to_page(file));
	file->cpu_at = file->off;
	text_u32(&file->buffer, cpu);
	text_u64(&file->buffer, file->off);
	if (!file->zstd || !chunks)
		return NULL;
	uint32_t nr = (uint32_t)chunks;

	if (chunks > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "the data of cpu %u does not fit", cpu);
	return append(file, &nr, sizeof(nr));
}

struct err *datfile_cpu_add(struct datfile *file, const void *data, size_t len)
{
	return file->zstd ? append_packed(file, data, len) : append(file, data, len);
}

struct err *datfile_cpu_add_stored(struct datfile *file, const void *data, size_t len)
{
	return append(file, data, len);
}

void datfile_cpu_end(struct datfile *file)
{
	uint64_t size = file->off - file->cpu_at;

	/* trace-cmd leaves the number of chunks out of the size, and so do we. */
	if (file->zstd && size)
		size -= sizeof(uint32_t);
	text_u64(&file->buffer, size);
}

struct err *datfile_data_end(struct datfile *file)
{
	TRY(pad_to_page(file));
	TRY(section_size(file, file->data_at));
	datfile_option(file, DATFILE_BUFFER, file->buffer.data, file->buffer.len);
	return NULL;
}

struct err *datfile_finish(struct datfile *file)
{
	uint64_t at = file->off;
	const uint64_t no_more = 0;

	datfile_option(file, DATFILE_DONE, &no_more, sizeof(no_more));
	TRY(section_header(file, DATFILE_DONE, false, "options"));
	TRY(append_text(file, &file->options));
	TRY(section_size(file, at));
	TRY(write_at(file, file->options_at, &at, sizeof(at)));

	/* Itself among the strings that it holds. */
	static const char name[] = "strings";
	uint64_t strings_at = file->off;

	TRY(section_header(file, DATFILE_STRINGS, file->zstd != NULL, name));
	if (file->zstd)
		TRY(append_packed(file, file->strings.data, file->strings.len));
	else
		TRY(append_text(file, &file->strings));
	TRY(section_size(file, strings_at));
	if (fsync(file->fd) < 0)
		return err_os(errno, "cannot write the recording");
	return NULL;
}

uint64_t datfile_bytes(const struct datfile *file)
{
	return file->off;
}
