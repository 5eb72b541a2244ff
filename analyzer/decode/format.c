// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/format.h"

#include <stdio.h>
#include <traceevent/event-parse.h>

#include "base/xalloc.h"

/* A format without its print fmt is some hundred bytes a field. */
enum { MAX_TEXT = 1 << 16, MAX_LIST_OFF = 4096, MAX_LINE = 512 };

struct field_spec {
	const char *name;
	enum format_slot slot;
	bool needed;
};

#define MAX_FIELDS 6
struct event_spec {
	const char *system, *name;
	enum format_use use;
	enum event_kind kind;
	const char *text; /* a field that is a string; NULL: none */
	struct field_spec field[MAX_FIELDS];
};

/* An event of a recorder's own. */
struct probe_spec {
	struct event_spec event;
	bool has_list, page_address, is_end;
	uint16_t list_first;
};

/* Their group: allocprof_PID_STARTTIME. */
#define PROBES "allocprof_"

/* clang-format off */
#define SLAB_ALLOC_FIELDS                                                                      \
	{                                                                                      \
		{ "ptr", FORMAT_ADDR, true }, { "call_site", FORMAT_CALL_SITE, true },         \
		{ "bytes_req", FORMAT_BYTES_REQ, false },                                      \
		{ "bytes_alloc", FORMAT_BYTES_ALLOC, true }, { "gfp_flags", FORMAT_GFP, false }, \
	}
#define SLAB_FREE_FIELDS                                                               \
	{                                                                              \
		{ "ptr", FORMAT_ADDR, true }, { "call_site", FORMAT_CALL_SITE, true }, \
	}

static const struct event_spec specs[] = {
	{ "kmem", "kmalloc", FORMAT_EVENT, EVENT_KMALLOC, NULL, SLAB_ALLOC_FIELDS },
	{ "kmem", "kmalloc_node", FORMAT_EVENT, EVENT_KMALLOC, NULL, SLAB_ALLOC_FIELDS },
	{ "kmem", "kmem_cache_alloc", FORMAT_EVENT, EVENT_CACHE_ALLOC, "name", SLAB_ALLOC_FIELDS },
	{ "kmem", "kmem_cache_alloc_node", FORMAT_EVENT, EVENT_CACHE_ALLOC, "name",
	  SLAB_ALLOC_FIELDS },
	{ "kmem", "kfree", FORMAT_EVENT, EVENT_KFREE, NULL, SLAB_FREE_FIELDS },
	{ "kmem", "kmem_cache_free", FORMAT_EVENT, EVENT_CACHE_FREE, "name", SLAB_FREE_FIELDS },
	{ "kmem", "mm_page_alloc", FORMAT_EVENT, EVENT_PAGE_ALLOC, NULL,
	  { { "pfn", FORMAT_ADDR, true },
	    { "order", FORMAT_ORDER, true },
	    { "gfp_flags", FORMAT_GFP, false },
	    { "migratetype", FORMAT_MIGRATETYPE, false } } },
	{ "kmem", "mm_page_free", FORMAT_EVENT, EVENT_PAGE_FREE, NULL,
	  { { "pfn", FORMAT_ADDR, true }, { "order", FORMAT_ORDER, true } } },
	/* bytes_alloc and call_site came with 5.19. */
	{ "percpu", "percpu_alloc_percpu", FORMAT_EVENT, EVENT_PERCPU_ALLOC, NULL,
	  { { "ptr", FORMAT_ADDR, true },
	    { "call_site", FORMAT_CALL_SITE, false },
	    { "size", FORMAT_BYTES_REQ, true },
	    { "bytes_alloc", FORMAT_BYTES_ALLOC, false },
	    { "gfp_flags", FORMAT_GFP, false } } },
	{ "percpu", "percpu_free_percpu", FORMAT_EVENT, EVENT_PERCPU_FREE, NULL,
	  { { "ptr", FORMAT_ADDR, true } } },
	{ "vmalloc", "alloc_vmap_area", FORMAT_EVENT, EVENT_VMAP_ALLOC, NULL,
	  { { "addr", FORMAT_ADDR, true },
	    { "size", FORMAT_BYTES_REQ, true },
	    { "failed", FORMAT_EXTRA, false } } },
	{ "vmalloc", "free_vmap_area_noflush", FORMAT_EVENT, EVENT_VMAP_FREE, NULL,
	  { { "va_start", FORMAT_ADDR, true } } },
	{ "module", "module_load", FORMAT_EVENT, EVENT_MODULE_LOAD, "name", {} },
	{ "module", "module_free", FORMAT_EVENT, EVENT_MODULE_FREE, "name", {} },
	{ "task", "task_newtask", FORMAT_EVENT, EVENT_TASK_NEW, "comm",
	  { { "pid", FORMAT_ADDR, true }, { "clone_flags", FORMAT_BYTES_REQ, true } } },
	/* Some kernels of 6.18 tell none: a task mostly renames itself. */
	{ "task", "task_rename", FORMAT_EVENT, EVENT_TASK_NAME, "newcomm",
	  { { "pid", FORMAT_ADDR, false } } },
	{ "cgroup", "cgroup_attach_task", FORMAT_EVENT, EVENT_TASK_CGROUP, "dst_path",
	  { { "pid", FORMAT_ADDR, true }, { "dst_root", FORMAT_BYTES_REQ, true } } },
	{ "ftrace", "kernel_stack", FORMAT_STACK, EVENT_LOST, NULL,
	  { { "size", FORMAT_EXTRA, false } } },
};
/* clang-format on */

/* What capture/probes.c defines. */
#define PROBE(name, kind, ...)                          \
	{                                               \
		PROBES, name, FORMAT_EVENT, kind, NULL, \
		{                                       \
			__VA_ARGS__                     \
		}                                       \
	}
#define SITE                                   \
	{                                      \
		"site", FORMAT_CALL_SITE, true \
	}
/* Where the array of struct page begins, which not all recordings tell apart. */
#define BASE                                         \
	{                                            \
		"vmemmap", FORMAT_BYTES_ALLOC, false \
	}
#define LIST(name, kind, is_pages, first)                                                   \
	{                                                                                   \
		PROBE(name, kind, { "n", FORMAT_EXTRA, true }, SITE, BASE), true, is_pages, \
			false, first                                                        \
	}

static const struct probe_spec probes[] = {
	LIST("bulk_free", EVENT_BULK_FREE, false, 0),
	LIST("bulk_free_16", EVENT_BULK_FREE, false, 16),
	LIST("bulk_free_80", EVENT_BULK_FREE, false, 80),
	LIST("bulk_free_208", EVENT_BULK_FREE, false, 208),
	LIST("sheaf_free", EVENT_BULK_FREE, false, 0),
	LIST("sheaf_free_32", EVENT_BULK_FREE, false, 32),
	LIST("sheaf_flush", EVENT_BULK_FREE, false, 0),
	LIST("sheaf_flush_32", EVENT_BULK_FREE, false, 32),
	LIST("bulk_alloc", EVENT_BULK_ALLOC, false, 0),
	LIST("bulk_alloc_16", EVENT_BULK_ALLOC, false, 16),
	LIST("page_bulk", EVENT_PAGE_BULK, true, 0),
	LIST("page_bulk_16", EVENT_PAGE_BULK, true, 16),
	{ PROBE("rcu_free", EVENT_RCU_FREE, { "ptr", FORMAT_ADDR, true },
		{ "head", FORMAT_EXTRA, true }, SITE),
	  false, false, false, 0 },
	{ PROBE("rcu_free_nolock", EVENT_RCU_FREE, { "ptr", FORMAT_ADDR, true },
		{ "head", FORMAT_EXTRA, true }, SITE),
	  false, false, false, 0 },
	{ PROBE("nolock_alloc", EVENT_KMALLOC, { "ptr", FORMAT_ADDR, true },
		{ "size", FORMAT_BYTES_REQ, true }, SITE),
	  false, false, false, 0 },
	{ PROBE("nolock_free", EVENT_KFREE, { "ptr", FORMAT_ADDR, true }, SITE), false, false,
	  false, 0 },
	{ PROBE("page_move", EVENT_PAGE_MOVE, { "from", FORMAT_ADDR, true },
		{ "to", FORMAT_BYTES_REQ, true }, BASE),
	  false, true, false, 0 },
	{ PROBE("vmap_alloc", EVENT_VMAP_ALLOC, { "start", FORMAT_ADDR, true },
		{ "end", FORMAT_BYTES_REQ, true }),
	  false, false, true, 0 },
	{ PROBE("vmap_free", EVENT_VMAP_FREE, { "start", FORMAT_ADDR, true }), false, false,
	  false, 0 },
};

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

static bool has_name(const struct event_spec *spec, struct span name)
{
	return strlen(spec->name) == name.len && !memcmp(spec->name, name.data, name.len);
}

/* *ret_probe is set for the events of a recorder's own. */
static const struct event_spec *find_spec(const char *system, struct span text,
					  const struct probe_spec **ret_probe)
{
	static const char key[] = "name: ";
	struct span line;

	*ret_probe = NULL;
	if (!span_line(&text, &line) || !starts_with(line, key))
		return NULL;
	line.data += strlen(key);
	line.len -= strlen(key);

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		if (!strcmp(specs[i].system, system) && has_name(&specs[i], line))
			return &specs[i];
	if (strncmp(system, PROBES, strlen(PROBES)))
		return NULL;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		if (!has_name(&probes[i].event, line))
			continue;
		*ret_probe = &probes[i];
		return &probes[i].event;
	}
	return NULL;
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
			       const struct event_spec *spec, struct tep_format_field *fields)
{
	for (size_t i = 0; i < MAX_FIELDS && spec->field[i].name; i++) {
		const struct field_spec *want = &spec->field[i];
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
	const struct probe_spec *probe;
	const struct event_spec *spec = find_spec(system, text, &probe);

	if (!spec)
		return NULL;

	struct format_record record;
	/* All of it, so that records can be compared by their bytes. */
	memset(&record, 0, sizeof(record));
	record.use = (uint8_t)spec->use;
	record.kind = (uint8_t)spec->kind;
	if (probe) {
		record.page_address = probe->page_address;
		record.is_end = probe->is_end;
		record.list_first = probe->list_first;
	}
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
	if (probe && probe->has_list) {
		TRY(add_list(&record, fields));
		TRY(add_cache(&record, find_field(fields, "cache")));
	}
	if (spec->use == FORMAT_STACK)
		TRY(add_frames(format, &record, find_field(fields, "caller")));
	return add_record(format, &record);
}
