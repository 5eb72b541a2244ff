/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/format.h - where each event keeps its fields
 *
 * In:     the texts of events/SYSTEM/EVENT/format, parsed by libtraceevent
 * Out:    per type id what kind of event it is and how to load its fields
 * Not:    sees no event; libtraceevent is asked once per text, never per event
 * Rules:  (1) offsets and sizes come from the texts only
 *         (2) an event that allocprof uses and that lacks a needed field is an
 *             error that names both
 *         (3) every field that is loaded lies in the first FORMAT_MAX_OFF bytes
 *             and below min_len, which the caller compares with the payload
 *         (4) two events that claim one id are an error; the same event told
 *             twice counts once
 *         (5) systems and events that allocprof does not use are not looked at
 */
#ifndef DECODE_FORMAT_H
#define DECODE_FORMAT_H

#include <assert.h>

#include "base/bytes.h"
#include "decode/event.h"

enum {
	FORMAT_MAX_OFF = 1024,
	FORMAT_MAX_RECORDS = 48,
	FORMAT_MAX_LIST = 384, /* pointers in one record of a probe */
};

/* The fields of struct event that are plain numbers. */
enum format_slot {
	FORMAT_ADDR,
	FORMAT_CALL_SITE,
	FORMAT_BYTES_REQ,
	FORMAT_BYTES_ALLOC,
	FORMAT_GFP,
	FORMAT_ORDER,
	FORMAT_MIGRATETYPE,
	FORMAT_EXTRA, /* vmap: failed; kernel_stack: number of frames; probes: of pointers */
	NR_FORMAT_SLOTS,
};

/*
 * A number of 1, 2, 4 or 8 bytes. It is cut out of the 8 bytes at off, so that
 * loading takes no branch on the size; mask is 0 for a field that is not there.
 */
struct format_load {
	uint64_t mask;
	uint16_t off;
	uint8_t shift; /* of big-endian data */
	uint8_t size;  /* 0: not there */
};

enum format_use {
	FORMAT_UNUSED, /* not ours: skipped */
	FORMAT_EVENT,  /* becomes a struct event of `kind` */
	FORMAT_STACK,  /* ftrace:kernel_stack */
};

/*
 * Records whose fields have the sizes that 64-bit kernels give them, in this
 * machine's byte order, which must be little endian: they are read without masks.
 */
enum format_shape {
	FORMAT_ANY,	   /* else */
	FORMAT_SLAB_ALLOC, /* addr, site and both sizes of 8 bytes, gfp of 4 or 8 */
	FORMAT_SLAB_FREE,  /* addr and site of 8 bytes */
	FORMAT_PAGE_ALLOC, /* a pfn of 8 bytes; order and migratetype of 4, gfp */
	FORMAT_PAGE_FREE,  /* a pfn of 8 bytes, order of 4 */
};

struct format_record {
	/* One cache line for a record that has a shape. */
	uint16_t off[NR_FORMAT_SLOTS]; /* of load[] */
	uint8_t shape;		       /* enum format_shape, of a FORMAT_EVENT */
	uint8_t use;		       /* enum format_use */
	uint8_t kind;		       /* enum event_kind */
	uint16_t name_off;   /* of the locator word, or of the text itself; 0: no name */
	uint16_t name_len;   /* of the text itself; 0: there is a locator */
	uint16_t name_base;  /* what the locator's offset counts from */
	uint16_t min_len;    /* of the payload */
	bool page_pointer;   /* ADDR is a struct page *, not a pfn (before 4.1) */
	uint8_t frame_size;  /* kernel_stack: 4 or 8 */
	uint16_t frames_off; /* kernel_stack */
	uint16_t max_frames; /* of a kernel_stack without a count, else 0 */
	bool page_address;   /* ADDR and BYTES_REQ, or the list, are struct page * */
	bool is_end;	     /* BYTES_REQ is the address of an end */
	uint16_t list_off;   /* of 8-byte pointers */
	uint16_t list_len;   /* how many there are room for; 0: no list */
	uint16_t list_first; /* how many of the whole list come in other records */
	uint16_t cache_off;  /* of words of a struct kmem_cache; 0: none */
	uint16_t cache_len;  /* bytes of them */
	uint16_t wide_len;   /* bytes that format_value() may touch */
	uint16_t id;
	struct format_load load[NR_FORMAT_SLOTS];
	char text[72]; /* "system:event" */
};

static_assert(sizeof(struct format_record) == 256, "an index of records is a shift");

struct format {
	uint8_t of_id[UINT16_MAX + 1]; /* index in record[]; 0: not used */
	struct format_record record[FORMAT_MAX_RECORDS];
	size_t nr;
	bool swap;
	unsigned int long_size;
	/* The same in every event. */
	uint16_t type_off, flags_off, pid_off, common_len;
};

/* For a recording of the given byte order and size of `long` (4 or 8). */
struct format *format_new(bool swap, unsigned int long_size);
void format_free(struct format *format);
DEFINE_CLEANUP(struct format *, format, format_free)

/* Takes one format text. */
struct err *format_add(struct format *format, const char *system, struct span text) MUST_CHECK;

/*
 * True when every record begins with what is common in the order that kernels have it
 * in, 2 bytes of type, 1 of flags, 1 of other use and 4 of pid, as this machine has numbers.
 */
bool format_is_usual(const struct format *format);

/* How many of the events that allocprof uses were told. */
size_t format_nr_events(const struct format *format);

/* The value of a field of a payload at @p of which wide_len bytes may be read. */
static inline uint64_t format_value(const struct format_load *load, const uint8_t *p,
				    const bool swap)
{
	uint64_t v;

	memcpy(&v, p + load->off, sizeof(v));
	if (swap)
		v = bswap_64(v);
	/* Big-endian data has the number in the first bytes, that is, on top. */
	if (swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
		v >>= load->shift;
	return v & load->mask;
}

#endif
