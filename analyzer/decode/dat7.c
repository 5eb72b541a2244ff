// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dat7.h"

#include <inttypes.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

enum {
	SECTION_OPTIONS = 0,
	SECTION_BUFFER = 3,
	SECTION_HEADER_INFO = 16, /* and the options that point to them */
	SECTION_FTRACE_FORMATS = 17,
	SECTION_EVENT_FORMATS = 18,
	SECTION_KALLSYMS = 19,
	SECTION_PRINTK = 20,
	SECTION_CMDLINES = 21,

	SECTION_HEADER_LEN = 16,
	SECTION_COMPRESSED = 1,
	OPTIONS_LEN_MIN = 14, /* the last option alone */

	/* trace-cmd writes two or three and one per instance. */
	OPTIONS_SECTIONS_MAX = 4096,
	WALK_MAX = 65536,
};

struct section {
	uint16_t id;
	uint16_t flags;
	uint64_t body;
	uint64_t len;
};

static struct err *section_header(const struct container *c, uint64_t off, struct section *ret)
{
	uint8_t raw[SECTION_HEADER_LEN];

	TRY(metadata_read(&c->meta, off, raw, sizeof(raw)));

	struct bytes b = bytes_of(raw, sizeof(raw), c->meta.swap);
	uint32_t description;
	bool whole = bytes_u16(&b, &ret->id) && bytes_u16(&b, &ret->flags) &&
		     bytes_u32(&b, &description) && bytes_u64(&b, &ret->len);

	ret->body = off + SECTION_HEADER_LEN;
	return whole ? NULL : bytes_err(&b, "a section header");
}

static struct err *section_open(struct container *c, uint16_t id, uint64_t off,
				struct metadata_src *ret)
{
	struct section section;

	TRY(err_wrap(section_header(c, off, &section), "section %u", id));
	if (section.id != id)
		return err_new(ERR_FORMAT,
			       "section %u is sought at byte %" PRIu64
			       ", where there is section %u",
			       id, off, section.id);
	return err_wrap(metadata_inside(&c->meta, section.body, section.len,
					section.flags & SECTION_COMPRESSED, ret),
			"section %u at byte %" PRIu64, id, off);
}

static struct err *text_section(struct container *c, struct metadata_src *src, const char *name,
				bool wide)
{
	uint32_t len32 = 0;
	uint64_t len = 0;
	struct span text;

	if (wide)
		TRY(metadata_u64(src, name, &len));
	else
		TRY(metadata_u32(src, name, &len32));
	TRY(metadata_span(src, name, wide ? len : len32, &text));
	container_add_text(c, name, text);
	return NULL;
}

static struct err *section_body(struct container *c, uint16_t id, struct metadata_src *src)
{
	switch (id) {
	case SECTION_HEADER_INFO:
		return container_header_info(c, src);
	case SECTION_FTRACE_FORMATS:
		return container_ftrace_formats(c, src);
	case SECTION_EVENT_FORMATS:
		return container_event_formats(c, src);
	case SECTION_KALLSYMS:
		return text_section(c, src, "kallsyms", false);
	case SECTION_PRINTK:
		return text_section(c, src, "printk_formats", false);
	case SECTION_CMDLINES:
		return text_section(c, src, "cmdlines", true);
	}
	return NULL;
}

/* An option that says where a section is. */
static struct err *section_option(struct container *c, uint16_t id, struct metadata_src *data)
{
	uint64_t off;
	struct metadata_src src;

	TRY(metadata_u64(data, "the offset of a section", &off));
	TRY(section_open(c, id, off, &src));
	return err_wrap(section_body(c, id, &src), "section %u at byte %" PRIu64, id, off);
}

static struct err *buffer_option(struct container *c, struct metadata_src *data)
{
	uint64_t off;
	const char *name, *clock;
	uint32_t subbuf_size, nr_cpus;

	TRY(metadata_u64(data, "the offset of a buffer", &off));
	TRY(metadata_str(data, "the name of a buffer", &name));
	TRY(metadata_str(data, "the clock of a buffer", &clock));
	TRY(metadata_u32(data, "the sub-buffer size of a buffer", &subbuf_size));
	TRY(metadata_u32(data, "the number of CPUs of a buffer", &nr_cpus));

	struct container_buffer *buffer = container_add_buffer(c, name);

	buffer->clock = xstrdup(clock);
	buffer->subbuf_size = subbuf_size;
	for (uint32_t i = 0; i < nr_cpus; i++) {
		uint32_t cpu;
		uint64_t cpu_off, size;

		TRY(metadata_u32(data, "the CPU of a buffer", &cpu));
		TRY(metadata_u64(data, "the CPU of a buffer", &cpu_off));
		TRY(metadata_u64(data, "the CPU of a buffer", &size));
		TRY(container_add_cpu(c, buffer, cpu, cpu_off, size));
	}
	/* Beyond the end of a file cut short there is no header, and no data. */
	if (!buffer->nr_cpus || off >= c->meta.file_size)
		return NULL;

	struct section section;

	TRY(section_header(c, off, &section));
	if (section.id != SECTION_BUFFER)
		return err_new(ERR_FORMAT,
			       "a buffer is sought at byte %" PRIu64
			       ", where there is section %u",
			       off, section.id);
	for (size_t i = 0; i < buffer->nr_cpus; i++)
		if (section.flags & SECTION_COMPRESSED)
			buffer->cpu[i].form = CPU_COUNTED;
	return NULL;
}

/* Sets the offset of the next options section, 0 for none. */
static struct err *read_options(struct container *c, struct metadata_src *src,
				uint64_t *ret_next, uint32_t *sections_seen)
{
	for (;;) {
		uint16_t id;
		uint32_t len;
		struct span span;

		TRY(metadata_u16(src, "an option", &id));
		TRY(metadata_u32(src, "the size of an option", &len));
		TRY(metadata_span(src, "an option", len, &span));

		struct metadata_src data = metadata_sub(src, span);

		if (id == CONTAINER_DONE)
			return metadata_u64(&data, "the offset of the next options", ret_next);
		if (id == CONTAINER_BUFFER) {
			TRY(buffer_option(c, &data));
		} else if (id >= SECTION_HEADER_INFO && id <= SECTION_CMDLINES) {
			/* The first counts; to read a thousand copies would only
			 * cost memory. */
			if (*sections_seen & 1u << id)
				continue;
			*sections_seen |= 1u << id;
			TRY(section_option(c, id, &data));
		} else {
			TRY(err_wrap(container_option(c, id, data), "option %u", id));
		}
	}
}

static struct err *read_options_chain(struct container *c, uint64_t off)
{
	auto_free uint64_t *seen = NULL;
	size_t nr = 0, cap = 0;
	uint32_t sections_seen = 0;

	for (;;) {
		struct metadata_src src;

		for (size_t i = 0; i < nr; i++)
			if (seen[i] == off)
				return err_new(
					ERR_FORMAT,
					"the options sections form a ring at byte %" PRIu64,
					off);
		if (nr == OPTIONS_SECTIONS_MAX)
			return err_new(ERR_UNSUPPORTED, "more than %d options sections",
				       OPTIONS_SECTIONS_MAX);
		if (off >= c->meta.file_size)
			return err_new(ERR_FORMAT,
				       "is cut short: its options are at byte %" PRIu64
				       " of %" PRIu64 "; copy it again or record anew",
				       off, c->meta.file_size);
		vec_room(seen, nr, cap);
		seen[nr++] = off;
		TRY(section_open(c, SECTION_OPTIONS, off, &src));

		uint64_t at = off;

		TRY(err_wrap(read_options(c, &src, &off, &sections_seen),
			     "options at byte %" PRIu64, at));
		if (!off)
			return NULL;
	}
}

static struct err *read_blobs(struct container *c, struct metadata_src *src)
{
	while (!metadata_end(src)) {
		struct container_text blob;
		uint64_t len;

		TRY(metadata_str(src, "the name of a blob", &blob.name));
		if (!*blob.name || strlen(blob.name) >= BLOBS_NAME_MAX)
			return err_new(ERR_FORMAT,
				       "a blob before byte %" PRIu64
				       " has no name, or one that is too long",
				       metadata_off(src));
		TRY(metadata_u64(src, blob.name, &len));
		TRY(metadata_span(src, blob.name, len, &blob.text));
		vec_room(c->blob, c->nr_blobs, c->cap_blobs);
		c->blob[c->nr_blobs++] = blob;
	}
	return NULL;
}

/* No option tells of the private section, so that other readers pass it over. */
static struct err *walk_sections(struct container *c, uint64_t off)
{
	for (size_t i = 0; off < c->meta.file_size; i++) {
		struct section section;
		struct metadata_src src;

		if (c->meta.file_size - off < SECTION_HEADER_LEN)
			return NULL;
		TRY(section_header(c, off, &section));
		/* Zeros behind the end look like options sections of no size. */
		if (section.id == SECTION_OPTIONS && section.len < OPTIONS_LEN_MIN)
			return NULL;
		if (i == WALK_MAX)
			return err_new(ERR_UNSUPPORTED, "more than %d sections", WALK_MAX);
		if (section.id == BLOBS_SECTION_ID) {
			TRY(section_open(c, section.id, off, &src));
			TRY(err_wrap(read_blobs(c, &src), "section %u at byte %" PRIu64,
				     section.id, off));
		}
		if (section.len > c->meta.file_size - section.body)
			return NULL;
		off = section.body + section.len;
	}
	return NULL;
}

struct err *dat7_read(struct container *c, struct metadata_src *src)
{
	const char *compression, *version;
	uint64_t options;

	TRY(metadata_str(src, "the name of the compression", &compression));
	TRY(metadata_str(src, "the version of the compression", &version));
	if (strcmp(compression, "none") && strcmp(compression, "zstd")) {
		struct span span = { (const uint8_t *)compression, strlen(compression) };
		auto_free char *quoted = metadata_quote(span);

		return err_new(ERR_UNSUPPORTED,
			       "is compressed with \"%s\"; zstd can be read, and what "
			       "trace-cmd convert --compression makes of it",
			       quoted);
	}
	TRY(metadata_u64(src, "the offset of the options", &options));

	uint64_t first_section = metadata_off(src);

	if (!options)
		return err_new(ERR_FORMAT,
			       "has no options: the recording was not brought to its end");
	TRY(read_options_chain(c, options));
	return walk_sections(c, first_section);
}
