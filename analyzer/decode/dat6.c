// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dat6.h"

#include <inttypes.h>

#include "base/xalloc.h"

/* Tags of ten bytes, the NUL among them. */
enum { TAG_LEN = 10 };

/* An instance: its table of CPUs stands at an offset of its own. */
struct place {
	uint64_t off;
	const char *name;
};

struct places {
	struct place *place;
	size_t nr, cap;
	bool clock_follows; /* option TRACECLOCK was seen: a clock follows the table */
};

static void places_deinit(struct places *p)
{
	free(p->place);
}

static struct err *text32(struct container *c, struct metadata_src *src, const char *name)
{
	uint32_t len;
	struct span text;

	TRY(metadata_u32(src, name, &len));
	TRY(metadata_span(src, name, len, &text));
	container_add_text(c, name, text);
	return NULL;
}

static struct err *text64(struct container *c, struct metadata_src *src, const char *name)
{
	uint64_t len;
	struct span text;

	TRY(metadata_u64(src, name, &len));
	TRY(metadata_span(src, name, len, &text));
	container_add_text(c, name, text);
	return NULL;
}

static struct err *read_options(struct container *c, struct metadata_src *src,
				struct places *places)
{
	for (;;) {
		uint16_t id;
		uint32_t len;
		struct span data;

		TRY(metadata_u16(src, "an option", &id));
		if (id == CONTAINER_DONE) /* without a size, unlike in v7 */
			return NULL;
		TRY(metadata_u32(src, "the size of an option", &len));
		TRY(metadata_span(src, "an option", len, &data));

		struct metadata_src option = metadata_sub(src, data);

		if (id == CONTAINER_CLOCK)
			places->clock_follows = true;
		if (id != CONTAINER_BUFFER) {
			TRY(container_option(c, id, option));
			continue;
		}

		struct place place;

		TRY(metadata_u64(&option, "the offset of an instance", &place.off));
		TRY(metadata_str(&option, "the name of an instance", &place.name));
		vec_room(places->place, places->nr, places->cap);
		places->place[places->nr++] = place;
	}
}

/*
 * The clock has no mark of its own: it is there when the option was, but not
 * every writer repeats it behind the table of an instance. What cannot be it
 * is left alone.
 */
static char *clock_behind_table(struct metadata_src *src)
{
	enum { LONGEST = 4096 };
	uint64_t len;
	struct span text;
	auto_err struct err *err = metadata_u64(src, "clock", &len);

	if (err || len > LONGEST)
		return xstrdup("");
	err = metadata_span(src, "clock", len, &text);
	return err ? xstrdup("") : container_clock_name(text);
}

static struct err *read_table(struct container *c, struct metadata_src *src, const char *name,
			      uint32_t nr_cpus, bool clock_follows)
{
	struct container_buffer *buffer = container_add_buffer(c, name);

	buffer->subbuf_size = c->page_size;
	for (uint32_t i = 0; i < nr_cpus; i++) {
		uint64_t off, size;

		TRY(metadata_u64(src, "the table of CPU data", &off));
		TRY(metadata_u64(src, "the table of CPU data", &size));
		TRY(container_add_cpu(c, buffer, i, off, size));
	}
	buffer->clock = clock_follows ? clock_behind_table(src) : xstrdup("");
	return NULL;
}

static struct err *read_tag(struct metadata_src *src, char tag[TAG_LEN + 1])
{
	struct span span;

	TRY(metadata_span(src, "the beginning of the event data", TAG_LEN, &span));
	memcpy(tag, span.data, TAG_LEN);
	tag[TAG_LEN] = '\0';
	return NULL;
}

static struct err *check_flyrecord(const char *tag, uint64_t off)
{
	if (!strcmp(tag, "flyrecord"))
		return NULL;
	if (!strcmp(tag, "latency  "))
		return err_new(ERR_UNSUPPORTED,
			       "holds the text of a latency tracer, not events");
	auto_free char *quoted = metadata_quote((struct span){ (const uint8_t *)tag, TAG_LEN });

	return err_new(ERR_FORMAT,
		       "\"%s\" stands before byte %" PRIu64 " instead of \"flyrecord\"", quoted,
		       off);
}

static struct err *read_instances(struct container *c, const struct places *places,
				  uint32_t nr_cpus)
{
	/* Each table is read once: together they cannot be larger than the file. */
	uint64_t table = TAG_LEN + (uint64_t)nr_cpus * 16;

	if (places->nr > c->meta.file_size / table)
		return err_new(ERR_FORMAT,
			       "%zu instances of %" PRIu32
			       " CPUs cannot be in a file of %" PRIu64 " bytes",
			       places->nr, nr_cpus, c->meta.file_size);
	for (size_t i = 0; i < places->nr; i++) {
		struct metadata_src src = metadata_at(&c->meta, places->place[i].off);
		char tag[TAG_LEN + 1];

		TRY(read_tag(&src, tag));
		TRY(check_flyrecord(tag, metadata_off(&src)));
		TRY(read_table(c, &src, places->place[i].name, nr_cpus, places->clock_follows));
	}
	return NULL;
}

struct err *dat6_read(struct container *c, struct metadata_src *src)
{
	CLEANUP(places_deinit) struct places places = {};
	char tag[TAG_LEN + 1];
	uint32_t nr_cpus;

	TRY(container_header_info(c, src));
	TRY(container_ftrace_formats(c, src));
	TRY(container_event_formats(c, src));
	TRY(text32(c, src, "kallsyms"));
	TRY(text32(c, src, "printk_formats"));
	TRY(text64(c, src, "cmdlines"));
	TRY(metadata_u32(src, "the number of CPUs", &nr_cpus));
	TRY(read_tag(src, tag));
	if (!strcmp(tag, "options  ")) {
		TRY(read_options(c, src, &places));
		TRY(read_tag(src, tag));
	}
	TRY(check_flyrecord(tag, metadata_off(src)));
	TRY(read_table(c, src, "", nr_cpus, places.clock_follows));
	TRY(read_instances(c, &places, nr_cpus));

	/* An instance whose clock is not told runs on the file's. */
	for (size_t i = 1; i < c->nr_buffers; i++) {
		if (*c->buffer[i].clock)
			continue;
		free(c->buffer[i].clock);
		c->buffer[i].clock = xstrdup(c->buffer[0].clock);
	}
	return NULL;
}
