// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter.h"

#include <inttypes.h>

/* Pages of a chunk are two to this: no slab is larger. */
enum { CHUNK_ORDER = 3 };

struct err *filter_check_sample(uint64_t n)
{
	uint64_t below = 1;

	if (n && n <= FILTER_MAX_SAMPLE && !(n & (n - 1)))
		return NULL;
	if (n > FILTER_MAX_SAMPLE)
		return err_new(ERR_USAGE, "one in %" PRIu64 " is too few: at most one in %d", n,
			       FILTER_MAX_SAMPLE);
	while (2 * below < n)
		below *= 2;
	if (!n)
		return err_new(ERR_USAGE,
			       "one in 0 is nothing: a power of two is wanted, such as 8");
	return err_new(ERR_USAGE,
		       "%" PRIu64 " is no power of two; %" PRIu64 " and %" PRIu64 " are", n,
		       below, 2 * below);
}

/* One more condition that has to hold. */
static void and (struct text * ret, const struct text *term)
{
	if (term->len)
		text_printf(ret, "%s%s", ret->len ? "&&" : "", term->data);
}

/*
 * That the bits of @field from @shift on are the number of the chunk. The kernel
 * has no way to compare a part of a number; x & bit is true when the bit is set.
 */
static void add_chunk(const struct filter *f, const char *field, unsigned int shift,
		      struct text *ret)
{
	uint64_t clear = ((uint64_t)f->one_in - 1) & ~(uint64_t)f->chunk;

	/* First, since half or more of the events fail it if it has one bit. */
	if (clear)
		text_printf(ret, "!(%s&0x%" PRIx64 ")", field, clear << shift);
	for (uint64_t bit = 1; bit < f->one_in; bit <<= 1)
		if (f->chunk & bit)
			text_printf(ret, "%s%s&0x%" PRIx64, ret->len ? "&&" : "", field,
				    bit << shift);
}

static void add_sample(const struct filter *f, enum filter_class class, struct text *ret)
{
	auto_text chunk = {};

	if (f->one_in <= 1)
		return;
	switch (class) {
	case FILTER_KMALLOC:
	case FILTER_CACHE_ALLOC:
		add_chunk(f, "ptr", f->page_shift + CHUNK_ORDER, &chunk);
		/* Without bits that have to be set, no pointer at all passes. */
		text_printf(ret, f->chunk ? "(%s||ptr==0)" : "%s", chunk.data);
		break;
	case FILTER_KFREE:
	case FILTER_CACHE_FREE:
		add_chunk(f, "ptr", f->page_shift + CHUNK_ORDER, ret);
		break;
	case FILTER_PAGE_ALLOC:
		add_chunk(f, "pfn", CHUNK_ORDER, &chunk);
		text_printf(ret, "(order>%d||(%s)||pfn==0xffffffffffffffff)", CHUNK_ORDER,
			    chunk.data);
		break;
	case FILTER_PAGE_FREE:
		add_chunk(f, "pfn", CHUNK_ORDER, &chunk);
		text_printf(ret, "(order>%d||(%s))", CHUNK_ORDER, chunk.data);
		break;
	case FILTER_PERCPU_ALLOC:
	case FILTER_VMAP_ALLOC:
	case FILTER_ALWAYS:
		break;
	}
}

struct err *filter_event(const struct filter *f, enum filter_class class, struct text *ret)
{
	auto_text sample = {};

	if (class == FILTER_KFREE)
		text_printf(ret, "ptr>16");
	add_sample(f, class, &sample);
	and(ret, &sample);
	if (ret->len > FILTER_MAX)
		return err_new(ERR_USAGE,
			       "a filter of %zu bytes is too long for the kernel: at most %d",
			       ret->len, FILTER_MAX);
	return NULL;
}
