// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/evfilter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/caches.h"

/* Pages of a chunk are two to this: no slab is larger. */
enum { CHUNK_ORDER = 3 };

struct err *evfilter_check_sample(uint64_t n)
{
	uint64_t below = 1;

	if (n && n <= EVFILTER_MAX_SAMPLE && !(n & (n - 1)))
		return NULL;
	if (n > EVFILTER_MAX_SAMPLE)
		return err_new(ERR_USAGE, "one in %" PRIu64 " is too few: at most one in %d", n,
			       EVFILTER_MAX_SAMPLE);
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
static void add_chunk(const struct evfilter *f, const char *field, unsigned int shift,
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

static void add_sample(const struct evfilter *f, enum evfilter_class class, struct text *ret)
{
	auto_text chunk = {};

	if (f->one_in <= 1)
		return;
	switch (class) {
	case EVFILTER_KMALLOC:
	case EVFILTER_CACHE_ALLOC:
		add_chunk(f, "ptr", f->page_shift + CHUNK_ORDER, &chunk);
		/* Without bits that have to be set, no pointer at all passes. */
		text_printf(ret, f->chunk ? "(%s||ptr==0)" : "%s", chunk.data);
		break;
	case EVFILTER_KFREE:
	case EVFILTER_CACHE_FREE:
		add_chunk(f, "ptr", f->page_shift + CHUNK_ORDER, ret);
		break;
	case EVFILTER_PAGE_ALLOC:
		add_chunk(f, "pfn", CHUNK_ORDER, &chunk);
		text_printf(ret, "(order>%d||(%s)||pfn==0xffffffffffffffff)", CHUNK_ORDER,
			    chunk.data);
		break;
	case EVFILTER_PAGE_FREE:
		add_chunk(f, "pfn", CHUNK_ORDER, &chunk);
		text_printf(ret, "(order>%d||(%s))", CHUNK_ORDER, chunk.data);
		break;
	case EVFILTER_PERCPU_ALLOC:
	case EVFILTER_VMAP_ALLOC:
	case EVFILTER_ALWAYS:
		break;
	}
}

void evfilter_deinit(struct evfilter *f)
{
	text_deinit(&f->sites);
	text_deinit(&f->tasks);
	text_deinit(&f->caches);
	text_deinit(&f->cache_sizes);
	text_deinit(&f->kmalloc_sizes);
	text_deinit(&f->wishes);
	*f = (struct evfilter){};
}

bool evfilter_selects(const struct evfilter *f)
{
	return f->wishes.len > 0;
}

struct err *evfilter_sites(struct evfilter *f, const char *names,
			   const struct evfilter_range *range, size_t nr)
{
	text_printf(&f->sites, "(");
	for (size_t i = 0; i < nr; i++) {
		const char * or = i ? "||" : "";

		if (range[i].high - range[i].low == 1)
			text_printf(&f->sites, "%scall_site==0x%" PRIx64, or, range[i].high);
		else
			text_printf(&f->sites,
				    "%s(call_site>0x%" PRIx64 "&&call_site<=0x%" PRIx64 ")", or,
				    range[i].low, range[i].high);
	}
	text_printf(&f->sites, ")");
	text_printf(&f->wishes, "at call site %s\n", names);
	if (!nr || f->sites.len > EVFILTER_MAX_BYTES)
		return err_new(
			ERR_USAGE,
			"%s: %zu places in the code are too many for the kernel's filter",
			names, nr);
	return NULL;
}

struct err *evfilter_tasks(struct evfilter *f, const char *list)
{
	/* What interrupts a task is not its doing: hard and soft interrupts, NMI. */
	text_printf(&f->tasks, "!(common_flags&0x58)&&(");
	for (const char *pos = list;;) {
		char *end;
		unsigned long tid = strtoul(pos, &end, 10);

		if (end == pos || *pos < '0' || *pos > '9' || (*end && *end != ',') || !tid ||
		    tid > INT32_MAX)
			return err_new(ERR_USAGE, "'%.*s' is no number of a task",
				       (int)strcspn(pos, ","), pos);
		text_printf(&f->tasks, "%scommon_pid==%lu", pos == list ? "" : "||", tid);
		pos = end + 1;
		if (!*end)
			break;
	}
	text_printf(&f->tasks, ")");
	text_printf(&f->wishes, "by task %s\n", list);
	return NULL;
}

struct err *evfilter_caches(struct evfilter *f, const char *list, bool exclude)
{
	const char *glue = exclude ? "&&" : "||";

	for (const char *pos = list;;) {
		size_t len = strcspn(pos, ",");
		auto_free char *wish = xstrndup(pos, len);
		auto_free char *name = NULL;
		uint64_t bytes = 0;

		TRY(caches_find(wish, &name, &bytes));
		struct text *sizes =
			caches_is_kmalloc(name) ? &f->kmalloc_sizes : &f->cache_sizes;

		if (sizes == &f->cache_sizes)
			text_printf(&f->caches, "%sname%s\"%s\"", f->caches.len ? glue : "(",
				    exclude ? "!=" : "==", name);
		text_printf(sizes, "%sbytes_alloc%s%" PRIu64, sizes->len ? glue : "(",
			    exclude ? "!=" : "==", bytes);
		pos += len;
		if (!*pos)
			break;
		pos++;
	}
	if (f->caches.len)
		text_printf(&f->caches, ")");
	if (f->cache_sizes.len)
		text_printf(&f->cache_sizes, ")");
	if (f->kmalloc_sizes.len)
		text_printf(&f->kmalloc_sizes, ")");
	f->only_caches = !exclude;
	text_printf(&f->wishes, "of slab cache%s %s%s\n",
		    exclude || strchr(list, ',') ? "s" : "", exclude ? "other than " : "",
		    list);
	return NULL;
}

void evfilter_sizes(struct evfilter *f, uint64_t bytes, const char *expr)
{
	f->min_size = bytes;
	f->expr = expr;
	if (bytes)
		text_printf(&f->wishes, "of at least %" PRIu64 " bytes\n", bytes);
	if (expr)
		text_printf(&f->wishes, "with %s\n", expr);
}

bool evfilter_is_alloc(enum evfilter_class class)
{
	return class == EVFILTER_KMALLOC || class == EVFILTER_CACHE_ALLOC ||
	       class == EVFILTER_PAGE_ALLOC || class == EVFILTER_PERCPU_ALLOC ||
	       class == EVFILTER_VMAP_ALLOC;
}

static void add_min_size(const struct evfilter *f, enum evfilter_class class, struct text *ret)
{
	uint64_t page = UINT64_C(1) << f->page_shift;
	unsigned int order = 0;

	if (!f->min_size)
		return;
	switch (class) {
	case EVFILTER_KMALLOC:
	case EVFILTER_CACHE_ALLOC:
	case EVFILTER_PERCPU_ALLOC:
		text_printf(ret, "bytes_alloc>=%" PRIu64, f->min_size);
		break;
	case EVFILTER_PAGE_ALLOC:
		while (order < 32 && page << order < f->min_size)
			order++;
		if (order)
			text_printf(ret, "order>=%u", order);
		break;
	case EVFILTER_VMAP_ALLOC:
		/* With the guard page behind it. */
		text_printf(ret, "size>=%" PRIu64, f->min_size + page);
		break;
	case EVFILTER_KFREE:
	case EVFILTER_CACHE_FREE:
	case EVFILTER_PAGE_FREE:
	case EVFILTER_ALWAYS:
		break;
	}
}

/* Symmetric where both sides tell the cache, so that frees are not told in vain. */
static struct err *add_cache(const struct evfilter *f, enum evfilter_class class, bool named,
			     struct text *ret, bool *ret_none)
{
	bool any = f->caches.len || f->kmalloc_sizes.len;

	if (class == EVFILTER_KMALLOC) {
		and(ret, &f->kmalloc_sizes);
		*ret_none |= any && f->only_caches && !f->kmalloc_sizes.len;
	}
	if (class != EVFILTER_CACHE_ALLOC && class != EVFILTER_CACHE_FREE)
		return NULL;
	*ret_none |= any && f->only_caches && !f->caches.len;
	if (named)
		and(ret, &f->caches);
	else if (f->only_caches && class == EVFILTER_CACHE_ALLOC)
		and(ret, &f->cache_sizes);
	else if (f->caches.len && class == EVFILTER_CACHE_ALLOC)
		return err_new(
			ERR_UNSUPPORTED,
			"this kernel's event kmem_cache_alloc does not name the cache: a "
			"cache cannot be excluded");
	return NULL;
}

struct err *evfilter_event(const struct evfilter *f, enum evfilter_class class, bool named,
			   struct text *ret, bool *ret_none)
{
	auto_text sample = {}, size = {};

	*ret_none = false;
	if (class == EVFILTER_KFREE)
		text_printf(ret, "ptr>16");
	add_sample(f, class, &sample);
	and(ret, &sample);
	TRY(add_cache(f, class, named, ret, ret_none));
	if (evfilter_is_alloc(class)) {
		and(ret, &f->tasks);
		add_min_size(f, class, &size);
		and(ret, &size);
		if (class != EVFILTER_PAGE_ALLOC && class != EVFILTER_VMAP_ALLOC)
			and(ret, &f->sites);
		if (f->expr)
			text_printf(ret, "%s(%s)", ret->len ? "&&" : "", f->expr);
	}
	if (ret->len > EVFILTER_MAX_BYTES)
		return err_new(ERR_USAGE,
			       "a filter of %zu bytes is too long for the kernel: at most %d",
			       ret->len, EVFILTER_MAX_BYTES);
	return NULL;
}
