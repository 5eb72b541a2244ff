// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/record.h"

#include "decode/kmemcache.h"

enum {
	/* A recording with struct page * has no size of it; this is x86-64's. */
	STRUCT_PAGE_SHIFT = 6,
	/* Above it kmalloc takes pages. */
	KMALLOC_CACHE_MAX = 8192,
};

/* All ones in the writer's word: the pfn of a page that was not got. */
static uint64_t pfn_of(const struct format_record *rec, uint64_t value)
{
	if (rec->page_pointer)
		return value ? value >> STRUCT_PAGE_SHIFT : EVENT_PFN_NONE;
	return value == rec->load[FORMAT_ADDR].mask ? EVENT_PFN_NONE : value;
}

/* The pfn of a struct page, of which the recording tells where they begin. */
static bool pfn_of_page(uint64_t vmemmap, uint64_t *addr)
{
	if (!vmemmap || *addr < vmemmap)
		return false;
	*addr = (*addr - vmemmap) >> STRUCT_PAGE_SHIFT;
	return true;
}

/* The size of the kmalloc cache that serves @bytes: powers of two, 96 and 192. */
static uint64_t kmalloc_size(uint64_t bytes)
{
	uint64_t size = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (size < bytes && size < KMALLOC_CACHE_MAX)
		size *= 2;
	return size < bytes ? bytes : size;
}

/* What differs by kind; false for a value that no kernel writes. */
static bool finish(const struct record_source *from, const struct format_record *rec,
		   struct event *ev, uint64_t order, uint64_t extra)
{
	uint64_t vmemmap;

	switch ((enum event_kind)rec->kind) {
	case EVENT_PAGE_ALLOC:
	case EVENT_PAGE_FREE:
		if (order > RECORD_MAX_ORDER)
			return false;
		ev->addr = pfn_of(rec, ev->addr);
		ev->bytes_req = (uint64_t)from->page_size << order;
		ev->bytes_alloc = ev->bytes_req;
		break;
	case EVENT_PERCPU_ALLOC:
		if (!rec->load[FORMAT_BYTES_ALLOC].size)
			ev->bytes_alloc = ev->bytes_req * from->nr_cpus;
		break;
	case EVENT_RCU_FREE:
		/* Up to 6.3 the second argument is the offset of the head, if there is one. */
		if (extra && ev->addr < from->page_size)
			ev->addr = extra - ev->addr;
		break;
	case EVENT_PAGE_MOVE:
		vmemmap = from->vmemmap ? from->vmemmap : ev->bytes_alloc;
		ev->bytes_alloc = 0;
		return pfn_of_page(vmemmap, &ev->addr) && pfn_of_page(vmemmap, &ev->bytes_req);
	case EVENT_PAGE_BULK:
		/* push_list() takes the base off. */
		break;
	case EVENT_VMAP_ALLOC:
		if (rec->is_end && ev->bytes_req <= ev->addr)
			ev->addr = 0; /* an error, to which no memory belongs */
		if (rec->is_end)
			ev->bytes_req = ev->addr ? ev->bytes_req - ev->addr : 0;
		/* The guard page behind the area has no memory. */
		ev->bytes_alloc = ev->bytes_req > from->page_size
					  ? ev->bytes_req - from->page_size
					  : ev->bytes_req;
		if (extra)
			ev->addr = 0;
		break;
	case EVENT_KMALLOC:
		if (!rec->load[FORMAT_BYTES_ALLOC].size)
			ev->bytes_alloc = kmalloc_size(ev->bytes_req);
		break;
	case EVENT_LOST:
	case EVENT_CACHE_ALLOC:
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
	case EVENT_PERCPU_FREE:
	case EVENT_VMAP_FREE:
	case EVENT_BULK_ALLOC:
	case EVENT_BULK_FREE:
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	case EVENT_TASK_NAME:
		if (!rec->load[FORMAT_ADDR].size)
			ev->addr = (uint32_t)ev->pid;
		break;
	}
	return true;
}

/* The payload such that format_value() may touch format->wide_len bytes of it. */
static const uint8_t *widen(struct record_source *from, const struct record *record)
{
	const struct subbuf_event *item = &record->item;

	if ((size_t)(record->page_end - item->data) >= record->format->wide_len)
		return item->data;

	size_t len =
		item->len < record->format->wide_len ? item->len : record->format->wide_len;

	memcpy(from->scratch, item->data, len);
	return from->scratch;
}

bool record_event(struct record_source *from, const struct record *record, struct event *ret)
{
	const struct format_record *format = record->format;
	const uint8_t *p = widen(from, record);
	const bool swap = from->swap;
	uint64_t order = format_value(&format->load[FORMAT_ORDER], p, swap);
	uint64_t migratetype = format_value(&format->load[FORMAT_MIGRATETYPE], p, swap);

	*ret = (struct event){
		.ts_ns = record->item.ts,
		.addr = format_value(&format->load[FORMAT_ADDR], p, swap),
		.call_site = format_value(&format->load[FORMAT_CALL_SITE], p, swap),
		.bytes_req = format_value(&format->load[FORMAT_BYTES_REQ], p, swap),
		.bytes_alloc = format_value(&format->load[FORMAT_BYTES_ALLOC], p, swap),
		.pid = record->pid,
		.gfp_flags = (uint32_t)format_value(&format->load[FORMAT_GFP], p, swap),
		.cpu = from->cpu,
		.kind = format->kind,
		.context = record->context,
		.order = order & 0x1f, /* finish() refuses more */
		.migratetype = migratetype < 7 ? migratetype & 7 : 7,
	};
	if (!finish(from, format, ret, order,
		    format_value(&format->load[FORMAT_EXTRA], p, swap)))
		return false;
	if (format->name_off)
		ret->cache =
			record_name(from, format, record->item.data, record->item.len, swap);
	return true;
}

size_t record_list(struct record_source *from, const struct record *record, struct event *to)
{
	const struct format_record *format = record->format;
	const struct subbuf_event *item = &record->item;
	struct event ev = *to;
	uint64_t n = format_value(&format->load[FORMAT_EXTRA], widen(from, record), from->swap);
	size_t nr = 0, len = format->list_len;
	struct kmemcache cache;
	uint64_t vmemmap = from->vmemmap ? from->vmemmap : ev.bytes_alloc;

	if (format->page_address) {
		ev.bytes_req = from->page_size;
		ev.bytes_alloc = from->page_size;
	}
	n = n > format->list_first ? n - format->list_first : 0;
	if (n < len)
		len = (size_t)n;
	if (format->cache_len && kmemcache_find(&cache, item->data + format->cache_off,
						format->cache_len, from->swap)) {
		ev.bytes_alloc = cache.size;
		ev.bytes_req = cache.object_size;
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(&ev.addr, item->data + format->list_off + i * 8, 8);
		ev.addr = from->swap ? bswap_64(ev.addr) : ev.addr;
		if (ev.addr && (!format->page_address || pfn_of_page(vmemmap, &ev.addr)))
			to[nr++] = ev;
	}
	return nr;
}

/* Of this machine's words; ends at one of all ones, and with @zero_ends at one of none. */
static size_t copy_words(uint64_t *to, const uint8_t *from, size_t nr, bool zero_ends)
{
	size_t i = 0;

	for (; i < nr; i++) {
		uint64_t frame;

		memcpy(&frame, from + i * 8, 8);
		if (frame + 1 <= zero_ends)
			break;
		to[i] = frame;
	}
	return i;
}

/* Frames in the writer's words, up to one that only ends the list. */
static size_t copy_frames(uint64_t *to, const uint8_t *from, size_t nr, size_t size,
			  bool zero_ends, bool swap)
{
	size_t i;

	if (size == 8 && !swap)
		return copy_words(to, from, nr, zero_ends);
	for (i = 0; i < nr; i++) {
		uint64_t frame, none = UINT64_MAX;

		if (size == 8) {
			memcpy(&frame, from + i * 8, 8);
			frame = bswap_64(frame);
		} else {
			frame = subbuf_u32(from + i * 4, swap);
			none = UINT32_MAX;
		}
		if (frame == none || (zero_ends && !frame))
			break;
		to[i] = frame;
	}
	return i;
}

bool record_frames(struct record_source *from, const struct record *record, uint64_t *ret,
		   size_t max, size_t *ret_nr)
{
	const struct format_record *format = record->format;
	uint64_t count = format->max_frames;

	if (format->load[FORMAT_EXTRA].size)
		count = format_value(&format->load[FORMAT_EXTRA], widen(from, record),
				     from->swap);
	if (count > (record->item.len - format->frames_off) / format->frame_size)
		return false;
	*ret_nr = copy_frames(ret, record->item.data + format->frames_off,
			      count < max ? (size_t)count : max, format->frame_size,
			      format->max_frames != 0, from->swap);
	return true;
}
