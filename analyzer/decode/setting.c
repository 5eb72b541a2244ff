// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/blobs.h"

/* The part of a clock's text in brackets, as trace_clock marks the current one. */
static struct span clock_of(const char *text)
{
	const char *open = strchr(text, '[');
	const char *close = open ? strchr(open, ']') : NULL;

	if (close)
		return (struct span){ (const uint8_t *)open + 1, (size_t)(close - open - 1) };
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* Times of different clocks have no order. */
static struct err *check_clocks(const struct tracefile *file)
{
	const char *first_name = NULL;
	struct span first = { 0 };

	for (size_t i = 0; i < tracefile_nr_buffers(file); i++) {
		struct span clock = clock_of(tracefile_buffer_clock(file, i));

		if (!clock.len)
			continue;
		if (!first_name) {
			first_name = tracefile_buffer_name(file, i);
			first = clock;
		} else if (clock.len != first.len ||
			   memcmp(clock.data, first.data, clock.len)) {
			return err_new(ERR_UNSUPPORTED,
				       "buffers \"%s\" and \"%s\" were recorded with different "
				       "clocks, %.*s and %.*s",
				       first_name, tracefile_buffer_name(file, i),
				       (int)first.len, (const char *)first.data, (int)clock.len,
				       (const char *)clock.data);
		}
	}
	return NULL;
}

static struct err *read_formats(const struct tracefile *file, struct format **ret)
{
	CLEANUP(format_cleanup)
	struct format *format = format_new(tracefile_swapped(file), tracefile_long_size(file));
	const char *system;
	struct span text;

	for (size_t i = 0; tracefile_format(file, i, &system, &text); i++)
		TRY(format_add(format, system, text));
	if (!format_nr_events(format))
		return err_new(ERR_FORMAT,
			       "it has none of the kmem, percpu and vmalloc events");
	*ret = take_ptr(format);
	return NULL;
}

static bool holds(struct span text, const char *word)
{
	return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/*
 * Bytes of a page of the recorded machine's memory. A sub-buffer is one page
 * unless somebody asked for larger ones; x86 has only one size.
 */
static uint32_t page_size_of(const struct tracefile *file)
{
	struct span text;
	char digits[16];
	unsigned int size;

	if (tracefile_text(file, BLOB_PAGE_SIZE, &text) && text.len < sizeof(digits)) {
		memcpy(digits, text.data, text.len);
		digits[text.len] = '\0';
		if (sscanf(digits, "%u", &size) == 1 && size && !(size & (size - 1)) &&
		    size <= SUBBUF_MAX_SIZE)
			return size;
	}
	if (!tracefile_nr_buffers(file) || (tracefile_text(file, "uname", &text) &&
					    (holds(text, "x86_64") || holds(text, "i686"))))
		return 4096;
	return tracefile_subbuf_size(file, 0);
}

/* What lies there is not looked at, so that any number will do. */
static uint64_t vmemmap_of(const struct tracefile *file)
{
	struct span text;
	char digits[24];
	uint64_t value;

	if (!tracefile_text(file, BLOB_VMEMMAP, &text) || text.len >= sizeof(digits))
		return 0;
	memcpy(digits, text.data, text.len);
	digits[text.len] = '\0';
	return sscanf(digits, "%" SCNx64, &value) == 1 ? value : 0;
}

struct err *setting_read(const struct tracefile *file, struct setting *ret)
{
	struct span header_page;

	if (!tracefile_text(file, "header_page", &header_page))
		return err_new(ERR_FORMAT, "it has no header_page");
	TRY(subbuf_layout_parse(header_page, tracefile_swapped(file), &ret->layout));
	TRY(read_formats(file, &ret->format));
	ret->page_size = page_size_of(file);
	ret->vmemmap = vmemmap_of(file);
	return check_clocks(file);
}

void setting_deinit(struct setting *setting)
{
	format_free(setting->format);
	*setting = (struct setting){};
}
