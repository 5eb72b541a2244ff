/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/pages.h - builds ring-buffer pages, well-formed ones and others
 *
 *	struct pages p;
 *	pages_begin(&p, &(struct pages_opts){ .size = 4096 }, 1000);
 *	pages_event(&p, 1010, payload, len);	time extends come by themselves
 *	pages_missed(&p, 7);
 *	struct span page = pages_end(&p);
 *
 * and payloads of the events allocprof knows, with the layouts of Linux 6.12
 * that pages_formats[] describes. Everything is in the byte order of @big.
 */
#ifndef TESTS_LIB_PAGES_H
#define TESTS_LIB_PAGES_H

#include "base/bytes.h"
#include "decode/event.h"

struct pages_opts {
	size_t size;		/* of the sub-buffer; 0: 4096 */
	bool big;		/* byte order of the recording machine */
	unsigned int long_size; /* 4 or 8; 0: 8 */
};

struct pages {
	struct pages_opts opts;
	uint8_t *data;	 /* opts.size bytes, malloc */
	size_t data_off; /* 16, or 12 with 4-byte longs */
	size_t len;	 /* committed */
	uint64_t ts;	 /* running time */
	uint32_t flags;	 /* of the commit word */
	uint64_t lost;
};

/* True when a reader on this machine has to swap. */
bool pages_swapped(const struct pages_opts *opts);

void pages_begin(struct pages *p, const struct pages_opts *opts, uint64_t base_ts);
void pages_free(struct pages *p);

/* Bytes still free. */
size_t pages_left(const struct pages *p);

/*
 * A data event at @ts, after a time extend where the step needs one, or after
 * an absolute stamp when @ts lies in the past. @len is rounded up to words.
 * False when it does not fit (the page is then as before).
 */
bool pages_event(struct pages *p, uint64_t ts, const void *payload, size_t len);
/* The same, with the length in array[0] although it would fit the header. */
bool pages_event_long(struct pages *p, uint64_t ts, const void *payload, size_t len);

/* Single ring-buffer events; these end the test when they do not fit. */
void pages_raw(struct pages *p, unsigned int type_len, uint32_t delta);
void pages_word(struct pages *p, uint32_t word);
void pages_time_extend(struct pages *p, uint64_t delta);
void pages_time_stamp(struct pages *p, uint64_t ts);
void pages_discarded(struct pages *p, uint32_t delta, size_t len);
/* Uses up the rest of the page, as the kernel does where an event does not fit. */
void pages_padding(struct pages *p);

/* Events lost in front of this page; 0: number not stored. */
void pages_missed(struct pages *p, uint64_t lost);

/* The finished page, borrowed until pages_free(). */
struct span pages_end(struct pages *p);

/* Writes @size bytes of @value at @at in the recording's byte order. */
void pages_put(const struct pages_opts *opts, uint8_t *at, size_t size, uint64_t value);

/* The text of events/header_page of such a machine. */
struct span pages_header(const struct pages_opts *opts);

/*
 * Event types by their place in pages_formats[]; the ids are PAGES_FIRST_ID
 * + i, kernel_stack excepted.
 */
enum pages_type {
	PAGES_KMALLOC,
	PAGES_CACHE_ALLOC,
	PAGES_KFREE,
	PAGES_CACHE_FREE,
	PAGES_PAGE_ALLOC,
	PAGES_PAGE_FREE,
	PAGES_PERCPU_ALLOC,
	PAGES_PERCPU_FREE,
	PAGES_VMAP_ALLOC,
	PAGES_VMAP_FREE,
	PAGES_MODULE_LOAD,
	PAGES_STACK,
	PAGES_OTHER,	/* an event that allocprof does not use */
	PAGES_TASK_NEW, /* addr is the new pid, bytes_req the flags of clone() */
	NR_PAGES_TYPES,
};

enum { PAGES_FIRST_ID = 600, PAGES_STACK_ID = 4 };

struct pages_format {
	const char *system;
	const char *text; /* as in events/SYSTEM/EVENT/format, 8-byte longs */
};
extern const struct pages_format pages_formats[NR_PAGES_TYPES];

/*
 * An event as the kernel would write it; the fields that its type does not have
 * are ignored. For PAGES_STACK @stack and @nr_stack are the frames.
 */
struct pages_record {
	enum pages_type type;
	uint64_t ts;
	int32_t pid;
	uint8_t flags; /* common_flags */
	uint64_t addr, call_site, bytes_req, bytes_alloc;
	uint32_t gfp_flags;
	uint32_t order, migratetype;
	bool failed;
	const char *name;
	const uint64_t *stack;
	size_t nr_stack;
};

/* As pages_event(). 8-byte longs only. */
bool pages_record(struct pages *p, const struct pages_record *r);

#endif
