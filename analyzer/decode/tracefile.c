// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tracefile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "decode/chain.h"
#include "decode/container.h"
#include "decode/dat6.h"
#include "decode/dat7.h"
#include "decode/partdir.h"

struct tracefile {
	char *path;
	struct container c;
	uint64_t data_bytes;
	uint64_t truncated_bytes;
	bool unfinished;
	bool growing;
	uint32_t chain; /* files; 0: it is none */
	bool broken;	/* the last of them is missing */
};

static const uint8_t magic[] = { 0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g' };

void tracefile_close(struct tracefile *file)
{
	if (!file)
		return;
	container_deinit(&file->c);
	free(file->path);
	free(file);
}

static struct err *open_regular(const char *path, int *ret_fd, uint64_t *ret_size)
{
	/* Non-blocking, so that a FIFO without a writer is refused, not waited for. */
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_new(ERR_FORMAT, "%s: is a directory, not a trace.dat", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FORMAT,
			       "%s: is not a regular file: a trace.dat is "
			       "not read from start to end",
			       path);
	if (!st.st_size)
		return err_new(ERR_FORMAT, "%s: is empty, not a trace.dat", path);
	*ret_fd = take_fd(fd);
	*ret_size = (uint64_t)st.st_size;
	return NULL;
}

static struct err *check_magic(const struct metadata *meta)
{
	uint8_t start[sizeof(magic)];
	size_t len = meta->file_size < sizeof(start) ? meta->file_size : sizeof(start);

	TRY(metadata_read(meta, 0, start, len));
	if (len == sizeof(magic) && !memcmp(start, magic, len))
		return NULL;
	if (len == sizeof(magic) && !memcmp(start, "SQLite format", len))
		return err_new(ERR_FORMAT, "is a database, not a recording");
	auto_free char *quoted = metadata_quote((struct span){ start, len });

	return err_new(ERR_FORMAT, "not a trace.dat: starts with \"%s\"", quoted);
}

static bool is_little_endian(void)
{
	const uint16_t one = 1;

	return *(const uint8_t *)&one == 1;
}

/* @part: whose segments, from @first on, are the data; or NULL. */
static struct err *read_parts(struct container *c, const char *part, uint32_t first)
{
	TRY(check_magic(&c->meta));

	struct metadata_src src = metadata_at(&c->meta, sizeof(magic));
	const char *version;
	uint8_t big_endian, long_size;

	TRY(metadata_str(&src, "the version", &version));
	if (strcmp(version, "6") && strcmp(version, "7")) {
		struct span span = { (const uint8_t *)version, strlen(version) };
		auto_free char *quoted = metadata_quote(span);

		return err_new(ERR_UNSUPPORTED,
			       "is a trace.dat of version \"%s\"; 6 and 7 can be read", quoted);
	}
	TRY(metadata_u8(&src, "the byte order", &big_endian));
	TRY(metadata_u8(&src, "the size of a long", &long_size));
	if (big_endian > 1)
		return err_new(ERR_FORMAT, "byte order %u: neither 0 (little) nor 1 (big)",
			       big_endian);
	if (long_size != 4 && long_size != 8)
		return err_new(ERR_FORMAT, "longs of %u bytes: neither 4 nor 8", long_size);
	c->version = (unsigned int)(*version - '0');
	c->long_size = long_size;
	c->meta.swap = src.b.swap = big_endian == is_little_endian();
	TRY(metadata_u32(&src, "the page size", &c->page_size));
	TRY(c->version == 6 ? dat6_read(c, &src) : dat7_read(c, &src));
	if (part)
		TRY(partdir_read(part, first, c));
	return container_finish(c);
}

/* Of what a file cut short promises, the sum may pass 64 bits. */
static void add_clamped(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

static void sum_up_cpu(struct tracefile *file, const struct cpu_data *data,
		       uint32_t subbuf_size)
{
	for (; data; data = data->next) {
		uint64_t whole = data->stored;

		if (data->form == CPU_PLAIN)
			whole -= whole % subbuf_size;
		add_clamped(&file->data_bytes, data->stored);
		add_clamped(&file->truncated_bytes, data->promised - whole);
	}
}

static void sum_up(struct tracefile *file)
{
	for (size_t i = 0; i < file->c.nr_buffers; i++) {
		const struct container_buffer *buffer = &file->c.buffer[i];

		for (size_t j = 0; j < buffer->nr_cpus; j++)
			sum_up_cpu(file, &buffer->cpu[j], buffer->subbuf_size);
	}
}

static struct err *open_part(struct tracefile *file, const char *path, int *ret_fd,
			     uint64_t *ret_size)
{
	auto_free char *meta = partdir_meta(path);

	if (access(meta, F_OK) && errno == ENOENT)
		return err_new(ERR_FORMAT,
			       "%s: is a directory, not a trace.dat, nor did a recorder get "
			       "so far as to record into it",
			       path);
	file->growing = partdir_locked(path);
	return open_regular(meta, ret_fd, ret_size);
}

static struct err *read_file(struct tracefile *file, const char *path, uint32_t first,
			     struct container *ret)
{
	bool part = partdir_is(path);
	int fd = -1;
	uint64_t size = 0;

	if (part)
		TRY(open_part(file, path, &fd, &size));
	else
		TRY(open_regular(path, &fd, &size));
	metadata_init(&ret->meta, fd, size);
	return err_wrap(read_parts(ret, part ? path : NULL, first), "%s", path);
}

/*
 * What is at @path, if it continues what we have as number @index; that it is
 * there but cannot be read is an error, for the chain would have a hole.
 */
static struct err *add_link(struct tracefile *file, const char *path, uint32_t index,
			    bool *ret_added, bool *ret_last)
{
	struct container next = { .meta.fd = -1 };
	bool part = partdir_is(path);
	uint32_t number = index;

	*ret_added = false;
	if (access(path, F_OK))
		return NULL;
	struct err *err = read_file(file, path, index, &next);

	*ret_added = !err && chain_same(&file->c, &next) &&
		     (part || (chain_index(&next, &number, ret_last) && number == index));
	if (*ret_added)
		chain_join(&file->c, &next);
	container_deinit(&next);
	return err;
}

/* FILE.1, FILE.2 … of the recording that FILE begins, and what of it is in FILE.part/. */
static struct err *follow_chain(struct tracefile *file)
{
	bool last = false, added = true;
	uint32_t index;

	if (!chain_index(&file->c, &index, &last) || index)
		return NULL;
	/* They lie beside the file, not beside a link to it. */
	auto_free char *real = realpath(file->path, NULL);
	const char *base = real ? real : file->path;

	for (index = 1; !last && added; index += added) {
		auto_free char *path = xasprintf("%s.%" PRIu32, base, index);

		TRY(add_link(file, path, index, &added, &last));
	}
	file->chain = index;
	file->broken = !last;
	if (last)
		return NULL;
	auto_free char *part = xasprintf("%s.part", base);

	if (!partdir_is(part))
		return NULL;
	/* It may be that of another recording, which is about to begin. */
	err_free(add_link(file, part, index, &file->unfinished, &last));
	file->growing &= file->unfinished;
	return NULL;
}

static struct err *open_file(struct tracefile *file)
{
	file->unfinished = partdir_is(file->path);
	TRY(read_file(file, file->path, 0, &file->c));
	if (!file->unfinished)
		TRY(follow_chain(file));
	sum_up(file);
	return NULL;
}

struct err *tracefile_open(const char *path, struct tracefile **ret)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = xcalloc(1, sizeof(*file));

	file->path = xstrdup(path);
	file->c.meta.fd = -1;
	TRY(open_file(file));
	*ret = take_ptr(file);
	return NULL;
}

bool tracefile_text(const struct tracefile *file, const char *name, struct span *ret)
{
	if (container_text(&file->c, name, ret))
		return true;
	return container_blob(&file->c, name, ret);
}

bool tracefile_format(const struct tracefile *file, size_t i, const char **ret_system,
		      struct span *ret_format)
{
	if (i >= file->c.nr_formats)
		return false;
	*ret_system = file->c.format[i].system;
	*ret_format = file->c.format[i].text;
	return true;
}

bool tracefile_blob(const struct tracefile *file, size_t i, const char **ret_name,
		    struct span *ret)
{
	if (i >= file->c.nr_blobs)
		return false;
	*ret_name = file->c.blob[i].name;
	*ret = file->c.blob[i].text;
	return true;
}

bool tracefile_swapped(const struct tracefile *file)
{
	return file->c.meta.swap;
}

unsigned int tracefile_long_size(const struct tracefile *file)
{
	return file->c.long_size;
}

unsigned int tracefile_version(const struct tracefile *file)
{
	return file->c.version;
}

size_t tracefile_nr_buffers(const struct tracefile *file)
{
	return file->c.nr_buffers;
}

static const struct container_buffer *buffer_at(const struct tracefile *file, size_t i)
{
	assert(i < file->c.nr_buffers);
	return &file->c.buffer[i];
}

const char *tracefile_buffer_name(const struct tracefile *file, size_t buffer)
{
	return buffer_at(file, buffer)->name;
}

const char *tracefile_buffer_clock(const struct tracefile *file, size_t buffer)
{
	return buffer_at(file, buffer)->clock;
}

unsigned int tracefile_subbuf_size(const struct tracefile *file, size_t buffer)
{
	return buffer_at(file, buffer)->subbuf_size;
}

size_t tracefile_nr_cpus(const struct tracefile *file, size_t buffer)
{
	return buffer_at(file, buffer)->nr_cpus;
}

uint64_t tracefile_data_bytes(const struct tracefile *file)
{
	return file->data_bytes;
}

uint64_t tracefile_truncated_bytes(const struct tracefile *file)
{
	return file->truncated_bytes;
}

bool tracefile_unfinished(const struct tracefile *file)
{
	return file->unfinished;
}

bool tracefile_growing(const struct tracefile *file)
{
	return file->growing;
}

uint32_t tracefile_chain(const struct tracefile *file, bool *ret_broken)
{
	*ret_broken = file->broken;
	return file->chain;
}

struct err *page_reader_open(const struct tracefile *file, size_t buffer, size_t i,
			     struct page_reader **ret)
{
	const struct container_buffer *from = buffer_at(file, buffer);

	assert(i < from->nr_cpus);
	*ret = page_reader_new(&(struct page_reader_source){
		.path = file->path,
		.fd = file->c.meta.fd,
		.data = from->cpu[i],
		.subbuf_size = from->subbuf_size,
		.swap = file->c.meta.swap,
	});
	return NULL;
}
