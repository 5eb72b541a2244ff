// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/format.h"

#include <stdio.h>
#include <traceevent/event-parse.h>

#include "base/xalloc.h"
#include "decode/eventspec.h"

/* A format without its print fmt is some hundred bytes a field. */
enum { MAX_TEXT = 1 << 16, MAX_LIST_OFF = 4096, MAX_LINE = 512 };

struct format *format_new(bool swap, unsigned int long_size)
{
	struct format *format = xcalloc(1, sizeof(*format));

	format->swap = swap;
	format->long_size = long_size;
	format->nr = 1; /* record[0] stands for what is not used */
	return format;
}

void format_free(struct format *format)
{
	free(format);
}

bool format_is_usual(const struct format *format)
{
	return !format->swap && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
	       format->type_off == 0 && format->flags_off == 2 && format->pid_off == 4 &&
	       format->common_len == 8;
}

size_t format_nr_events(const struct format *format)
{
	size_t nr = 0;

	for (size_t i = 1; i < format->nr; i++)
		nr += format->record[i].use == FORMAT_EVENT;
	return nr;
}

static bool starts_with(struct span line, const char *prefix)
{
	size_t len = strlen(prefix);

	return line.len >= len && !memcmp(line.data, prefix, len);
}

static const struct eventspec *find_spec(const char *system, struct span text)
{
	static const char key[] = "name: ";
	struct span line;

	if (!span_line(&text, &line) || !starts_with(line, key))
		return NULL;
	line.data += strlen(key);
	line.len -= strlen(key);
	return eventspec_find(system, line);
}

static bool is_plain(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] != '\t' && (line.data[i] < ' ' || line.data[i] > '~'))
			return false;
	}
	return line.len <= MAX_LINE;
}

/* Length of "__attribute__((…))" at the start of @text, or 0. */
static size_t attribute_len(struct span text)
{
	static const char word[] = "__attribute__";
	size_t depth = 0;

	if (!starts_with(text, word))
		return 0;
	for (size_t i = strlen(word); i < text.len; i++) {
		if (text.data[i] == '(')
			depth++;
		else if (!depth)
			return 0;
		else if (text.data[i] == ')' && !--depth)
			return i + 1;
	}
	return 0;
}

/*
 * Copies @line to @to without attributes: which ones stand there depends on the
 * compiler of the kernel, libtraceevent knows some and leaks others.
 */
static size_t copy_line(char *to, struct span line)
{
	size_t len = 0;

	while (line.len) {
		size_t skip = attribute_len(line);

		if (!skip) {
			to[len++] = (char)line.data[0];
			skip = 1;
		}
		line.data += skip;
		line.len -= skip;
	}
	to[len++] = '\n';
	return len;
}

/*
 * Copies @text up to its print fmt, with an empty one instead: it is most of
 * the text and of the parser, and nothing here prints events. NULL for what is
 * no text, or longer than any kernel's.
 */
static char *copy_fields(struct span text, size_t *ret_len)
{
	static const char end[] = "\n\nprint fmt: \"\"\n";
	size_t room = text.len < MAX_TEXT ? text.len + 1 : MAX_TEXT;
	auto_free char *copy = xmalloc(room + sizeof(end));
	size_t len = 0;
	struct span line;

	while (span_line(&text, &line) && !starts_with(line, "print fmt:")) {
		if (!is_plain(line) || line.len + 1 > room - len)
			return NULL;
		len += copy_line(copy + len, line);
	}
	while (len && copy[len - 1] == '\n')
		len--;
	memcpy(copy + len, end, sizeof(end));
	*ret_len = len + sizeof(end) - 1;
	return take_ptr(copy);
}

static struct tep_format_field *find_field(struct tep_format_field *field, const char *name)
{
	while (field && (!field->name || strcmp(field->name, name)))
		field = field->next;
	return field;
}

static bool inside(const struct tep_format_field *field)
{
	return field->offset >= 0 && field->size >= 0 && field->offset < FORMAT_MAX_OFF &&
	       field->size <= FORMAT_MAX_OFF - field->offset;
}

static void need(struct format_record *record, unsigned int off, unsigned int size)
{
	if (off + size > record->min_len)
		record->min_len = (uint16_t)(off + size);
}

static struct err *add_number(struct format_record *record, enum format_slot slot,
			      const struct tep_format_field *field)
{
	unsigned int size = (unsigned int)field->size;

	if (!inside(field) || (size != 1 && size != 2 && size != 4 && size != 8))
		return err_new(ERR_FORMAT,
			       "%s: field %s of %d bytes at offset %d is not a number in the "
			       "first %d bytes",
			       record->text, field->name, field->size, field->offset,
			       FORMAT_MAX_OFF);
	record->load[slot] = (struct format_load){
		.mask = UINT64_MAX >> (64 - 8 * size),
		.shift = (uint8_t)(64 - 8 * size),
		.off = (uint16_t)field->offset,
		.size = (uint8_t)size,
	};
	need(record, (unsigned int)field->offset, size);
	return NULL;
}

static struct err *add_numbers(const struct format *format, struct format_record *record,
			       const struct eventspec *spec, struct tep_format_field *fields)
{
	for (size_t i = 0; i < EVENTSPEC_FIELDS && spec->field[i].name; i++) {
		const struct eventspec_field *want = &spec->field[i];
		struct tep_format_field *field = find_field(fields, want->name);

		/* Before 4.1 page events told a struct page *. */
		if (!field && !strcmp(want->name, "pfn")) {
			field = find_field(fields, "page");
			record->page_pointer = field && format->long_size == 8;
			if (!record->page_pointer)
				field = NULL;
		}
		if (!field && want->needed)
			return err_new(ERR_FORMAT, "%s: the format has no field %s",
				       record->text, want->name);
		if (field)
			TRY(add_number(record, want->slot, field));
	}
	return NULL;
}

/* A string elsewhere in the payload; a pointer to one tells nothing. */
static struct err *add_name(struct format_record *record, const struct tep_format_field *field)
{
	if (!field)
		return NULL;
	if (!(field->flags & TEP_FIELD_IS_DYNAMIC)) {
		/* As a comm: an array of characters. */
		if (!(field->flags & TEP_FIELD_IS_ARRAY) || field->elementsize != 1)
			return NULL;
		if (!inside(field) || !field->offset)
			return err_new(ERR_FORMAT,
				       "%s: field %s of %d bytes at offset %d is no text",
				       record->text, field->name, field->size, field->offset);
		record->name_off = (uint16_t)field->offset;
		record->name_len = (uint16_t)field->size;
		need(record, record->name_off, record->name_len);
		return NULL;
	}
	if (!inside(field) || field->size != 4 || !field->offset)
		return err_new(ERR_FORMAT,
			       "%s: field %s of %d bytes at offset %d is no locator",
			       record->text, field->name, field->size, field->offset);
	record->name_off = (uint16_t)field->offset;
	if (field->flags & TEP_FIELD_IS_RELATIVE)
		record->name_base = (uint16_t)(field->offset + 4);
	need(record, record->name_off, 4);
	return NULL;
}

static struct err *add_frames(const struct format *format, struct format_record *record,
			      const struct tep_format_field *field)
{
	if (!field)
		return err_new(ERR_FORMAT, "%s: the format has no field caller", record->text);

	unsigned int size = format->long_size;

	/* The length told is nominal (8, or 0) where the record has a count. */
	if (field->arraylen && (unsigned int)field->size % field->arraylen == 0)
		size = (unsigned int)field->size / field->arraylen;
	if (!inside(field) || (size != 4 && size != 8))
		return err_new(ERR_FORMAT, "%s: field caller of %d bytes at offset %d",
			       record->text, field->size, field->offset);
	record->frame_size = (uint8_t)size;
	record->frames_off = (uint16_t)field->offset;
	if (!record->load[FORMAT_EXTRA].size)
		record->max_frames = (uint16_t)((unsigned int)field->size / size);
	need(record, record->frames_off, record->max_frames * size);
	return NULL;
}

/* The arrays "a", "b", ... are one list, cut where a probe's array has to end. */
static struct err *add_list(struct format_record *record, struct tep_format_field *fields)
{
	static const char names[][2] = { "a", "b", "c", "d", "e" };
	int end = 0;

	for (size_t i = 0; i < 5; i++) {
		const struct tep_format_field *field = find_field(fields, names[i]);

		if (!field && i)
			break;
		/* The kernel tells no length but that in bytes. */
		if (!field || !(field->flags & TEP_FIELD_IS_ARRAY) || field->size <= 0 ||
		    field->size % 8 || field->offset <= 0 || field->offset > MAX_LIST_OFF ||
		    (i && field->offset != end) ||
		    field->size / 8 > FORMAT_MAX_LIST - (int)record->list_len)
			return err_new(ERR_FORMAT,
				       "%s: field %s is no part of a list of pointers",
				       record->text, names[i]);
		if (!i)
			record->list_off = (uint16_t)field->offset;
		record->list_len = (uint16_t)(record->list_len + field->size / 8);
		end = field->offset + field->size;
		need(record, (unsigned int)field->offset, (unsigned int)field->size);
	}
	return NULL;
}

/* Words of the cache that the list's objects belong to; a wrong size is not told. */
static struct err *add_cache(struct format_record *record, const struct tep_format_field *field)
{
	if (!field)
		return NULL;
	if (!inside(field) || !(field->flags & TEP_FIELD_IS_ARRAY) || field->size % 4 ||
	    !field->offset)
		return err_new(ERR_FORMAT,
			       "%s: field %s of %d bytes at offset %d is no array of words",
			       record->text, field->name, field->size, field->offset);
	record->cache_off = (uint16_t)field->offset;
	record->cache_len = (uint16_t)field->size;
	need(record, record->cache_off, record->cache_len);
	return NULL;
}

static struct err *add_common(struct format *format, struct format_record *record,
			      struct tep_format_field *fields)
{
	static const struct {
		const char *name;
		int size;
	} want[] = { { "common_type", 2 }, { "common_flags", 1 }, { "common_pid", 4 } };
	uint16_t off[3];
	uint16_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		const struct tep_format_field *field = find_field(fields, want[i].name);

		if (!field)
			return err_new(ERR_FORMAT, "%s: the format has no field %s",
				       record->text, want[i].name);
		if (!inside(field) || field->size != want[i].size || field->offset > 64)
			return err_new(ERR_FORMAT, "%s: field %s of %d bytes at offset %d",
				       record->text, want[i].name, field->size, field->offset);
		off[i] = (uint16_t)field->offset;
		if (off[i] + field->size > len)
			len = (uint16_t)(off[i] + field->size);
	}
	if (!format->common_len) {
		format->type_off = off[0];
		format->flags_off = off[1];
		format->pid_off = off[2];
		format->common_len = len;
	}
	if (format->type_off != off[0] || format->flags_off != off[1] ||
	    format->pid_off != off[2])
		return err_new(ERR_FORMAT, "%s: its common fields are not where %s has them",
			       record->text, format->record[1].text);
	need(record, 0, len);
	return NULL;
}

/* The sizes of all slots, a digit for each. */
static uint32_t sizes_of(const struct format_record *record)
{
	uint32_t sizes = 0;

	for (size_t i = 0; i < NR_FORMAT_SLOTS; i++)
		sizes = sizes * 16 + record->load[i].size;
	return sizes;
}

static enum format_shape shape_of(const struct format *format,
				  const struct format_record *record)
{
	uint32_t sizes = sizes_of(record);

	/* Of gfp flags the low half is all that is read. */
	if (record->load[FORMAT_GFP].size == 8)
		sizes -= 0x4000;
	if (format->swap || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || record->page_pointer ||
	    record->list_len)
		return FORMAT_ANY;
	switch ((enum event_kind)record->kind) {
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
		return sizes == 0x88884000 ? FORMAT_SLAB_ALLOC : FORMAT_ANY;
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
		return sizes == 0x88000000 ? FORMAT_SLAB_FREE : FORMAT_ANY;
	case EVENT_PAGE_ALLOC:
		return sizes == 0x80004440 ? FORMAT_PAGE_ALLOC : FORMAT_ANY;
	case EVENT_PAGE_FREE:
		return sizes == 0x80000400 ? FORMAT_PAGE_FREE : FORMAT_ANY;
	case EVENT_LOST:
	case EVENT_PERCPU_ALLOC:
	case EVENT_PERCPU_FREE:
	case EVENT_VMAP_ALLOC:
	case EVENT_VMAP_FREE:
	case EVENT_BULK_ALLOC:
	case EVENT_BULK_FREE:
	case EVENT_RCU_FREE:
	case EVENT_PAGE_BULK:
	case EVENT_PAGE_MOVE:
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
	return FORMAT_ANY;
}

static struct err *add_record(struct format *format, struct format_record *record)
{
	record->shape = record->use == FORMAT_EVENT ? shape_of(format, record) : FORMAT_ANY;
	record->wide_len = record->min_len < FORMAT_MAX_OFF ? record->min_len : FORMAT_MAX_OFF;
	for (size_t i = 0; i < NR_FORMAT_SLOTS; i++) {
		record->off[i] = record->load[i].off;
		if (record->off[i] + 8u > record->wide_len)
			record->wide_len = (uint16_t)(record->off[i] + 8u);
	}

	const struct format_record *known = &format->record[format->of_id[record->id]];

	if (known->use != FORMAT_UNUSED) {
		if (memcmp(known, record, sizeof(*known)))
			return err_new(ERR_FORMAT,
				       "%s has the id %u of %s, with another format",
				       record->text, record->id, known->text);
		return NULL;
	}
	if (format->nr == FORMAT_MAX_RECORDS)
		return err_new(ERR_FORMAT, "%s: one event of many ids", record->text);
	format->of_id[record->id] = (uint8_t)format->nr;
	format->record[format->nr++] = *record;
	return NULL;
}

static void free_tep(struct tep_handle **tep)
{
	tep_free(*tep);
}

struct err *format_add(struct format *format, const char *system, struct span text)
{
	const struct eventspec *spec = find_spec(system, text);

	if (!spec)
		return NULL;

	struct format_record record;
	/* All of it, so that records can be compared by their bytes. */
	memset(&record, 0, sizeof(record));
	record.use = (uint8_t)spec->use;
	record.kind = (uint8_t)spec->kind;
	record.page_address = spec->page_address;
	record.is_end = spec->is_end;
	record.list_first = spec->list_first;
	snprintf(record.text, sizeof(record.text), "%s:%s", spec->system, spec->name);

	size_t len;
	auto_free char *copy = copy_fields(text, &len);

	if (!copy)
		return err_new(ERR_FORMAT, "%s: the format is not a text of fields",
			       record.text);

	CLEANUP(free_tep) struct tep_handle *tep = tep_alloc();
	struct tep_event *event = NULL;

	if (!tep)
		return err_new(ERR_OS, "%s: libtraceevent has no memory", record.text);
	/* What it would print, an error here says better. */
	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_long_size(tep, (int)format->long_size);
	if (tep_parse_format(tep, &event, copy, len, spec->system) || !event)
		return err_new(ERR_FORMAT, "%s: the format does not parse", record.text);
	if (event->id < 0 || event->id > UINT16_MAX)
		return err_new(ERR_FORMAT, "%s: the id %d is not one of 16 bits", record.text,
			       event->id);
	record.id = (uint16_t)event->id;

	struct tep_format_field *fields = event->format.fields;

	TRY(add_common(format, &record, event->format.common_fields));
	TRY(add_numbers(format, &record, spec, fields));
	if (spec->text)
		TRY(add_name(&record, find_field(fields, spec->text)));
	if (spec->has_list) {
		TRY(add_list(&record, fields));
		TRY(add_cache(&record, find_field(fields, "cache")));
	}
	if (spec->use == FORMAT_STACK)
		TRY(add_frames(format, &record, find_field(fields, "caller")));
	return add_record(format, &record);
}
